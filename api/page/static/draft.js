// What is typed is kept: in this tab (sessionStorage), and for the account (localStorage), so that a reload, an error or
// the end of a session lose nothing. Two tabs do not write over each other: who comes second asks.
"use strict";
{
  function read(storage, name) {
    try { return JSON.parse(storage.getItem(name)); } catch { return null; }
  }

  function write(storage, name, value) {
    try { storage.setItem(name, JSON.stringify(value)); } catch { /* full, or not allowed: the form goes on */ }
  }

  class Draft {
    // onConflict(other): another tab has kept something else.
    constructor(account, onConflict) {
      this.name = `zvonar.draft.${account}`;
      this.onConflict = onConflict;
      this.rev = "";
      this.last = "";
      this.fork = false;
    }

    // So the form stands without anybody having typed: nothing to keep.
    mark(state) { this.last = JSON.stringify(state); }

    load() {
      const mine = read(sessionStorage, this.name);
      const shared = read(localStorage, this.name);
      const found = mine || shared;
      this.rev = found ? found.rev : "";
      if (mine && shared && mine.rev !== shared.rev && !this.alike(mine, shared)) this.notice(shared);
      return found ? found.state : null;
    }

    alike(one, other) { return JSON.stringify(one.state) === JSON.stringify(other.state); }

    notice(shared) {
      if (!shared || shared.rev === this.rev) return;
      this.fork = true;
      this.onConflict(shared);
    }

    save(state) {
      if (JSON.stringify(state) === this.last) return;
      this.mark(state);
      const shared = read(localStorage, this.name);
      if (!this.fork && shared && shared.rev !== this.rev) this.notice(shared);
      const next = { rev: crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}.${Math.random()}`, at: Date.now(), state };
      if (this.fork) return write(sessionStorage, this.name, { ...next, rev: this.rev });
      this.rev = next.rev;
      write(sessionStorage, this.name, next);
      write(localStorage, this.name, next);
    }

    // The question is answered: this tab's state is the account's from now on.
    prefer(state) {
      const shared = read(localStorage, this.name);
      this.rev = shared ? shared.rev : "";
      this.fork = false;
      this.last = "";
      this.save(state);
    }

    clear() {
      sessionStorage.removeItem(this.name);
      localStorage.removeItem(this.name);
      this.rev = "";
      this.fork = false;
    }
  }
  zvonar.Draft = Draft;
}
