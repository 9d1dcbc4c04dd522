// <call-watch call="ID">: a call as it happens, to its webhook. Sends up `block` (detail: name) and `over`.
"use strict";

(() => {
  const make = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const QUIET = new Set(["block", "outcome", "barge_in", "prompt_ended", "prompt_started"]); // told elsewhere too
  const clock = (at) => new Date(at * 1000).toLocaleTimeString(zvonar.language);
  const seconds = (value) => say("{seconds} s", { seconds: value.toLocaleString(zvonar.language, { maximumFractionDigits: 1 }) });

  class CallWatch extends HTMLElement {
    connectedCallback() {
      this.classList.add("watch");
      this.replaceChildren();
      this.began_at = null;
      this.answered_at = null;
      this.plays = new Map();
      this.webhooks = new Map();
      this.seen = 0;

      const head = make("div", "watch-head");
      this.light = make("span", "watch-light");
      this.light.setAttribute("aria-hidden", "true");
      this.now = make("strong", "watch-now", say("Connecting to the call"));
      this.now.setAttribute("role", "status");
      this.age = make("span", "soft number watch-age");
      head.append(this.light, this.now, this.age);
      this.where = make("p", "soft watch-where");
      this.where.hidden = true;
      this.away = make("p", "callout warn", say("The connection to the service is lost; it comes back by itself"));
      this.away.hidden = true;
      this.away.setAttribute("role", "status");
      this.keys = make("p", "watch-keys");
      this.keys.hidden = true;
      this.steps = make("ol", "watch-steps");
      this.after = make("div", "watch-after");
      this.append(head, this.where, this.away, this.keys, this.steps, this.after);
      this.open();
    }

    disconnectedCallback() {
      this.source?.close();
      cancelAnimationFrame(this.frame);
      clearInterval(this.ticking);
    }

    open() {
      const source = this.source = new EventSource(`/calls/${encodeURIComponent(this.getAttribute("call"))}/live`);
      const told = (kind, take) => source.addEventListener(kind, (event) => { this.back(); take(JSON.parse(event.data)); });
      source.onopen = () => this.back();
      source.onerror = () => {
        this.away.hidden = false;
        if (source.readyState === EventSource.CLOSED) setTimeout(() => this.isConnected && this.again(), 3000);
      };
      told("fact", (fact) => this.fact(fact));
      told("waits", (how) => this.waits(how));
      told("end", ({ tone, text }) => { this.where.hidden = true; this.show(tone, text); });
      told("webhook", (webhook) => this.webhook(webhook));
      told("cost", ({ cost }) => {
        if (!this.querySelector(".watch-cost")) {
          const amount = Number(cost).toLocaleString(zvonar.language);
          this.after.prepend(make("p", "watch-cost", say("The call cost {amount}", { amount })));
        }
      });
      told("over", () => {
        source.close();
        this.dispatchEvent(new CustomEvent("over", { bubbles: true }));
      });
    }

    // The browser gave up (an answer that is no stream, as while the service starts): begin anew.
    again() {
      this.source.close();
      this.open();
    }

    back() { this.away.hidden = true; }

    waits(how) {
      if (how.queued) {
        const then = how.due_at * 1000 > Date.now() + 1500 ? say("not before {time}", { time: new Date(how.due_at * 1000).toLocaleString(zvonar.language) }) : "";
        this.show("cool", say("Waits: {why}", { why: how.text }));
        this.where.textContent = then;
        this.where.hidden = !then;
      } else {
        this.show("cool", how.text);
        this.where.textContent = how.elsewhere ? say("Another node makes this call: it is told here when it is over") : "";
        this.where.hidden = !how.elsewhere;
      }
    }

    show(tone, text) {
      this.light.className = `watch-light ${tone}`;
      this.now.textContent = text;
    }

    fact(fact) {
      if (fact.seq <= this.seen) return;
      this.seen = fact.seq;
      const ended = fact.type === "ended";
      if (fact.type === "dialing") { this.began_at = fact.at; this.answered_at = null; this.tick(); this.where.hidden = true; this.keys.hidden = true; this.keys.replaceChildren(); }
      if (fact.type === "answered") this.answered_at = fact.at;
      if (fact.type === "block") this.dispatchEvent(new CustomEvent("block", { bubbles: true, detail: fact.block }));
      if (fact.type === "digit") { this.keys.hidden = false; this.keys.append(make("kbd", "", fact.digit)); }
      if (fact.type === "prompt_ended") return this.stopped(fact);
      if (fact.type === "barge_in") return;
      const step = this.step(fact);
      if (fact.type === "prompt_started") this.playing(fact, step);
      if (ended) this.ended(fact);
      else if (!QUIET.has(fact.type) || fact.type === "prompt_started") this.show(fact.type === "answered" || this.answered_at ? "good" : "cool", fact.text);
    }

    step(fact) {
      const step = make("li", `watch-step ${fact.type}${fact.tone ? ` ${fact.tone}` : ""}`);
      const time = make("time", "soft number", this.began_at ? seconds(Math.max(0, fact.at - this.began_at)) : clock(fact.at));
      time.dateTime = new Date(fact.at * 1000).toISOString();
      time.title = clock(fact.at);
      step.append(time, make("span", "", fact.text));
      this.steps.append(step);
      return step;
    }

    // A bar as long as the clip; it moves by the time that has passed, and stands where the clip was stopped.
    playing(fact, step) {
      const bar = make("progress", "watch-bar");
      bar.setAttribute("aria-label", fact.text);
      if (fact.plays_ms) { bar.max = fact.plays_ms; bar.value = 0; }
      const told = make("span", "soft");
      step.append(bar, told);
      this.plays.set(fact.play, { bar, told, ms: fact.plays_ms, began: performance.now() - Math.max(0, Date.now() - fact.at * 1000) });
      this.move();
    }

    move() {
      cancelAnimationFrame(this.frame);
      let moving = false;
      for (const { bar, ms, began, over } of this.plays.values()) {
        if (over || !ms) continue;
        bar.value = Math.min(ms, performance.now() - began);
        moving = true;
      }
      if (moving) this.frame = requestAnimationFrame(() => this.move());
    }

    stopped(fact) {
      const play = this.plays.get(fact.play);
      if (!play || play.over) return;
      play.over = true;
      if (!play.ms) play.bar.max = Math.max(1, fact.heard_ms);
      play.bar.value = fact.heard_ms;
      play.bar.classList.toggle("cut", fact.why !== "ended");
      play.told.textContent = fact.text;
    }

    ended(fact) {
      clearInterval(this.ticking);
      for (const play of this.plays.values()) play.over = true;
      this.show(fact.tone, fact.text);
      if (fact.because) { this.where.textContent = fact.because; this.where.hidden = false; }
    }

    tick() {
      clearInterval(this.ticking);
      const show = () => { this.age.textContent = seconds(Math.max(0, Math.round(Date.now() / 1000 - (this.answered_at || this.began_at)))); };
      this.ticking = setInterval(show, 1000);
      show();
    }

    webhook(webhook) {
      const card = make("section", "watch-webhook");
      const head = make("p", "row");
      head.append(make("b", "", say("Webhook")), make("span", `state ${webhook.tone}`, webhook.text));
      if (webhook.status) head.append(make("span", "number", `HTTP ${webhook.status}`));
      if (webhook.took_ms !== null) head.append(make("span", "soft number", say("{ms} ms", { ms: webhook.took_ms })));
      if (webhook.tries > 1) head.append(make("span", "soft", say("try {n}", { n: webhook.tries })));
      const url = make("p", "soft watch-url", `${webhook.kind} → ${webhook.url}`);
      card.append(head, url);
      if (webhook.answer) {
        card.append(make("p", "soft watch-label", webhook.status ? say("The server answered:") : say("No answer came:")));
        const answer = make("pre");
        answer.tabIndex = 0;
        answer.append(make("code", "", webhook.answer));
        card.append(answer);
      }
      const known = this.webhooks.get(webhook.id);
      if (known) known.replaceWith(card); else this.after.append(card);
      this.webhooks.set(webhook.id, card);
    }
  }
  customElements.define("call-watch", CallWatch);
})();
