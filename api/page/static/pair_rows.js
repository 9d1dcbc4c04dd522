// <pair-rows>: names and values in rows. value: an object, or null of none; raw: the rows, half filled ones too.
"use strict";
{
  const dom = (...given) => zvonar.dom(...given);

  class PairRows extends HTMLElement {
    connectedCallback() {
      if (this.rows) return;
      this.rows = dom("div", { class: "pairs" });
      this.append(this.rows, dom("button", {
        type: "button", class: "quiet", onclick: () => { this.add("", "").querySelector("input").focus(); },
      }, dom("span", { "aria-hidden": "true", text: "+" }), dom("span", { text: this.getAttribute("more") || say("Add") })));
    }

    add(name, value) {
      const what = this.getAttribute("what") || "";
      const row = dom("div", { class: "pair" },
        dom("input", { type: "text", placeholder: say("Name"), "aria-label": `${what}: ${say("Name")}`, maxlength: "200" }),
        dom("input", { type: "text", placeholder: say("Value"), "aria-label": `${what}: ${say("Value")}`, maxlength: "2000" }),
        dom("button", {
          type: "button", class: "quiet", "aria-label": say("Remove"), text: "×",
          onclick: () => { row.remove(); zvonar.changed(this); },
        }));
      const [first, second] = row.querySelectorAll("input");
      first.value = name;
      second.value = value;
      row.addEventListener("input", () => zvonar.changed(this));
      this.rows.append(row);
      return row;
    }

    get raw() {
      return [...this.rows.children].map((row) => [...row.querySelectorAll("input")].map((field) => field.value));
    }

    set raw(pairs) {
      this.rows.replaceChildren();
      for (const [name, value] of pairs || []) this.add(name, value);
    }

    get value() {
      const pairs = this.raw.filter(([name]) => name.trim());
      return pairs.length ? Object.fromEntries(pairs.map(([name, value]) => [name.trim(), value])) : null;
    }

    set value(object) {
      let known = object;
      if (typeof known === "string") try { known = JSON.parse(known); } catch { known = null; }
      this.raw = known && typeof known === "object" ? Object.entries(known).map(([name, value]) =>
        [name, typeof value === "string" ? value : JSON.stringify(value)]) : [];
    }
  }
  customElements.define("pair-rows", PairRows);
}
