// The records that are there already: searched, listened to, chosen; page by page.
"use strict";

{
  const { element, icon, show, number } = window.clipParts;
  const PAUSE_MS = 250;  // of typing, before it is searched

  class ClipSaved {
    constructor(chosen) {
      this.chosen = chosen;
      const id = `clip-saved-${number()}`;
      this.search = element("input", { type: "search", id, maxlength: "200", placeholder: say("Search by name and text"), oninput: () => this.later() });
      this.list = element("ul", { class: "clip-list", "aria-label": say("Saved records") });
      this.told = element("p", { class: "soft", role: "status" });
      this.more = element("button", { type: "button", hidden: true, onclick: () => this.load(this.next) }, say("Show more"));
      this.node = element("div", { class: "stack" }, element("label", { class: "unseen", for: id }, say("Search by name and text")),
        this.search, this.told, this.list, this.more);
      this.search.addEventListener("keydown", (event) => {
        if (event.key === "Enter") {
          event.preventDefault();  // a form around us must not be sent
          this.load();
        }
      });
    }

    later() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.load(), PAUSE_MS);
    }

    async load(before = null) {
      clearTimeout(this.timer);
      const asked = this.asked = new URLSearchParams({ q: this.search.value, ...(before ? { before } : {}) });
      try {
        const reply = await zvonar.fetch(`/records/list?${asked}`, { headers: { Accept: "application/json" } });
        if (!reply.ok) throw new Error(String(reply.status));
        const { records, next } = await reply.json();
        if (asked !== this.asked) return;  // another search overtook it
        const rows = records.map((record) => this.row(record));
        if (before) this.list.append(...rows);
        else this.list.replaceChildren(...rows);
        if (before && rows.length) rows[0].querySelector("button").focus();
        this.next = next;
        this.more.hidden = !next;
        show(this.told, this.list.children.length ? "" : this.search.value ? say("Nothing was found.") : say("Nothing is saved yet."));
      } catch {
        if (asked === this.asked) show(this.told, say("The service cannot be reached"));
      }
    }

    row(record) {
      const choose = element("button", { type: "button", onclick: () => this.chosen(record) }, icon("check"), say("Choose"),
        element("span", { class: "unseen" }, record.name));
      return element("li", { "data-record": record.id },
        element("div", { class: "clip-row-name" }, element("b", {}, record.name || String(record.id)), " ", state(record), comment(record)),
        player(record), choose);
    }
  }

  function state(record) {
    const kind = { ready: "good", moderation: "warn" }[record.status] || "bad";
    return element("span", { class: `state ${kind}` }, record.state);
  }

  function comment(record) {
    return record.comment ? element("p", { class: "hint" }, record.comment) : null;
  }

  function player(record) {
    return element("clip-player", { src: record.src, wave: record.wave, ms: record.ms, label: record.name });
  }

  Object.assign(window, { ClipSaved });
  Object.assign(window.clipParts, { state, comment, player });
}
