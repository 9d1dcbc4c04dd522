// <request-history>: earlier requests, to send again, to change, to compare. Events: `send-again` and `take-over`, detail: the
// request {method, body}.
"use strict";
{
  const dom = (...given) => zvonar.dom(...given);

  class RequestHistory extends HTMLElement {
    connectedCallback() {
      if (this.list) return;
      this.names = JSON.parse(this.dataset.names);
      this.kept = [];
      this.chosen = new Set();
      this.list = dom("ol", { class: "sent" });
      this.none = dom("p", { class: "empty", text: say("Nothing was sent yet. Every request that you send is kept here.") });
      this.more = dom("button", { type: "button", hidden: true, text: say("Earlier ones"), onclick: () => this.load(true) });
      this.compare = dom("button", { type: "button", disabled: true, text: say("Compare two"), onclick: () => this.showPair() });
      const clear = dom("button", { type: "button", class: "quiet", text: say("Clear the history"), onclick: () => this.clear() });
      this.pair = dom("div", { class: "pair-of-requests", hidden: true });
      this.append(dom("div", { class: "row apart" }, dom("div", { class: "row" }, this.compare), clear), this.pair, this.list,
        this.none, this.more);
      this.load();
    }

    async load(further = false) {
      const before = further && this.kept.length ? `?before=${this.kept[this.kept.length - 1].id}` : "";
      let told;
      try {
        const reply = await zvonar.fetch("/emulator/history" + before, { headers: { Accept: "application/json" } });
        if (!reply.ok) return;
        told = await reply.json();
      } catch { return; }
      this.kept = further ? [...this.kept, ...told.sent] : told.sent;
      this.more.hidden = !told.more;
      this.none.hidden = this.kept.length > 0;
      this.list.replaceChildren(...this.kept.map((one) => this.item(one)));
      this.choose();
    }

    item(one) {
      const good = one.status >= 200 && one.status < 300;
      const shown = dom("pre", { class: "json", tabindex: "0" });
      const reply = dom("pre", { class: "json", tabindex: "0" });
      const name = (this.names[one.method] || one.method) + (one.body.dryRun ? ` (${say("check")})` : "");
      const tick = dom("input", { type: "checkbox", "aria-label": say("Compare: {what}", { what: `${name}, ${one.id}` }) });
      tick.checked = this.chosen.has(one.id);
      tick.addEventListener("change", () => {
        if (tick.checked) this.chosen.add(one.id); else this.chosen.delete(one.id);
        this.choose();
      });
      const when = new Date(one.at * 1000);
      const details = dom("details", {}, dom("summary", { class: "row" },
        dom("span", { class: "state " + (good ? "good" : "bad"), text: String(one.status) }),
        dom("span", { class: "sent-name", text: name }),
        dom("span", { class: "soft sent-what", text: this.what(one) }),
        dom("time", { class: "soft number", datetime: when.toISOString(), text: when.toLocaleString(zvonar.language) })));
      details.addEventListener("toggle", () => {
        if (!details.open || shown.firstChild) return;
        zvonar.json.show(shown, one.body);
        let value = one.reply;
        try { value = JSON.parse(one.reply); } catch { /* it was too long to be kept whole */ }
        zvonar.json.show(reply, value);
      });
      details.append(dom("div", { class: "sides" },
        dom("div", {}, dom("h3", { text: say("Request") }), shown),
        dom("div", {}, dom("h3", { text: say("Reply") }), reply)));
      const act = (event, text) => dom("button", {
        type: "button", class: "quiet", text,
        onclick: () => this.dispatchEvent(new CustomEvent(event, { detail: one, bubbles: true })),
      });
      return dom("li", {}, tick, details, dom("div", { class: "row sent-acts" },
        one.body.file ? null : act("send-again", say("Send again")), act("take-over", say("Change"))));
    }

    what(one) {
      const phones = one.body.phone ? [one.body.phone].flat() : [one.body.phones || []].flat();
      if (phones.length) return phones.slice(0, 2).join(", ") + (phones.length > 2 ? ` +${phones.length - 2}` : "");
      if (one.body.apiCallIdList) return [one.body.apiCallIdList].flat().slice(0, 5).join(", ");
      return String(one.body.name || "").slice(0, 60);
    }

    choose() {
      const there = this.kept.filter((one) => this.chosen.has(one.id));
      this.compare.disabled = there.length !== 2;
      if (there.length !== 2) this.pair.hidden = true;
    }

    showPair() {
      const [later, earlier] = this.kept.filter((one) => this.chosen.has(one.id));
      const side = (one, other) => {
        const shown = dom("pre", { class: "json", tabindex: "0" });
        zvonar.json.show(shown, one.body, other.body);
        return dom("div", {}, dom("h3", { text: `${this.names[one.method] || one.method}, ${new Date(one.at * 1000).toLocaleString(zvonar.language)}` }), shown);
      };
      this.pair.replaceChildren(dom("p", { class: "hint", text: say("What differs is marked.") }),
        dom("div", { class: "sides" }, side(earlier, later), side(later, earlier)));
      this.pair.hidden = false;
    }

    async clear() {
      if (!confirm(say("Forget all requests that were sent from here?"))) return;
      const reply = await zvonar.fetch("/emulator/history/clear", { method: "POST" });
      if (!reply.ok) return;
      this.chosen.clear();
      this.load();
    }
  }
  customElements.define("request-history", RequestHistory);
}
