// <id-list>: numbers of api-calls as chips, pasted in any form. value: array of numbers; raw: the same, and what is
// half typed.
"use strict";
{
  const dom = (...given) => zvonar.dom(...given);
  const MOST_SHOWN = 200;

  class IdList extends HTMLElement {
    connectedCallback() {
      if (this.input) return;
      this.ids = [];
      this.input = dom("input", {
        id: this.getAttribute("field"), type: "text", inputmode: "numeric", autocomplete: "off", placeholder: "1024, 1025",
        "aria-describedby": this.getAttribute("describedby"),
      });
      this.chips = dom("ul", { class: "chips", "aria-label": say("Numbers of calls") });
      this.append(this.input, this.chips);
      this.input.addEventListener("input", () => {
        if (/[\s,;]/.test(this.input.value)) this.take();
        zvonar.changed(this);
      });
      this.input.addEventListener("paste", () => setTimeout(() => this.take()));
      this.input.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && this.input.value.trim()) {
          event.preventDefault();
          this.take();
        } else if (event.key === "Backspace" && !this.input.value && this.ids.length) {
          this.toggle(this.ids[this.ids.length - 1]);
        }
      });
      this.input.addEventListener("blur", () => this.take());
    }

    numbers(text) {
      return (text.match(/\d{1,15}/g) || []).map(Number).filter((number) => number > 0);
    }

    take() {
      this.ids = [...new Set([...this.ids, ...this.numbers(this.input.value)])];
      this.input.value = "";
      this.draw();
      zvonar.changed(this);
    }

    toggle(id) {
      this.ids = this.ids.includes(id) ? this.ids.filter((other) => other !== id) : [...this.ids, id];
      this.draw();
      zvonar.changed(this);
    }

    draw() {
      const items = this.ids.slice(0, MOST_SHOWN).map((id) => dom("li", { class: "chip" }, dom("span", { text: String(id) }),
        dom("button", {
          type: "button", "aria-label": say("Remove {what}", { what: id }), text: "×",
          onclick: () => { this.toggle(id); this.input.focus(); },
        })));
      if (this.ids.length > MOST_SHOWN) {
        items.push(dom("li", { class: "chip", text: say("and {n} more", { n: this.ids.length - MOST_SHOWN }) }));
      }
      this.chips.replaceChildren(...items);
    }

    get value() { return [...new Set([...this.ids, ...this.numbers(this.input.value)])]; }

    set value(ids) {
      this.ids = [...new Set((Array.isArray(ids) ? ids : [ids]).flatMap((id) => this.numbers(String(id ?? ""))))];
      this.input.value = "";
      this.draw();
    }

    get raw() { return this.value; }

    set raw(ids) { this.value = ids; }
  }
  customElements.define("id-list", IdList);
}
