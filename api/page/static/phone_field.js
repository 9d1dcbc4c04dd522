// <phone-list name="phone">: whom to call. One field with a mask, "+7" by default; Enter or a comma keeps a number and
// begins the next; several can be pasted at once. value: array of digits; raw: what has to survive a reload.
"use strict";
{
  const dom = (...given) => zvonar.dom(...given);

  // Digits as people mean them: with a plus as they stand, else a Russian number that lacks its 7, or has an 8 for it.
  function meant(text) {
    const plain = text.slice(Math.max(text.lastIndexOf("+"), 0)).trim(); // "+7 +44": who begins anew means the second
    const digits = plain.replace(/\D/g, "");
    if (/^7[78]\d{10}$/.test(digits)) return "7" + digits.slice(2); // typed behind the 7 that stood there already
    if (plain.startsWith("+")) return digits;
    if (digits.length > 11 && digits.startsWith("00")) return digits.slice(2);
    if (digits.startsWith("8") && digits.length <= 11) return "7" + digits.slice(1);
    if (digits.length <= 10 && digits && !digits.startsWith("7")) return "7" + digits;
    if (digits.length === 10) return "7" + digits;
    return digits;
  }

  function masked(digits) {
    if (!digits) return "";
    const sizes = digits.startsWith("7") ? [1, 3, 3, 2, 2] : digits.startsWith("1") ? [1, 3, 3, 4] : [2, 3, 3, 4];
    const groups = [];
    let at = 0;
    for (const size of sizes) {
      if (at < digits.length) groups.push(digits.slice(at, at + size));
      at += size;
    }
    if (at < digits.length) groups[groups.length - 1] += digits.slice(at, 15);
    if (sizes.length === 5 && groups.length > 3) {
      return "+" + groups.slice(0, 2).join(" ") + " " + groups.slice(2).join("-");
    }
    return "+" + groups.join(" ");
  }

  // Numbers of a text that was pasted: commas, semicolons, lines, tabs and "and" part them; blanks do not.
  function several(text) {
    return text.split(/[,;\n\r\t|]+/).map(meant).filter((digits) => digits.length > 3);
  }

  const SHOWN = 60;

  class PhoneList extends HTMLElement {
    connectedCallback() {
      if (this.input) return;
      this.kept = [];
      this.input = dom("input", {
        id: this.getAttribute("field") || zvonar.newId("phone"), type: "tel", inputmode: "tel", autocomplete: "off",
        placeholder: "+7 916 123-45-67", maxlength: "400", "aria-describedby": this.getAttribute("describedby"),
      });
      this.chips = dom("ul", { class: "chips", "aria-label": say("Callees") });
      const add = dom("button", { type: "button", title: say("One more callee"), onclick: () => this.keep() },
        dom("span", { "aria-hidden": "true", text: "+" }), dom("span", { class: "unseen", text: say("One more callee") }));
      this.append(dom("div", { class: "with-button" }, this.input, add), this.chips);
      const toEnd = () => {
        if (this.input.value.trim() === "+7") this.input.setSelectionRange(this.input.value.length, this.input.value.length);
      };
      this.input.addEventListener("focus", () => { if (!this.input.value) this.input.value = "+7 "; });
      this.input.addEventListener("keydown", (event) => { if (/^\d$/.test(event.key)) toEnd(); });
      this.input.addEventListener("mouseup", toEnd);
      this.input.addEventListener("beforeinput", (event) => { if (/^\d$/.test(event.data || "")) toEnd(); });
      this.input.addEventListener("blur", () => { if (this.input.value.trim() === "+7") this.input.value = ""; });
      this.input.addEventListener("input", () => this.mask());
      this.input.addEventListener("paste", (event) => this.paste(event));
      this.input.addEventListener("keydown", (event) => this.key(event));
    }

    mask() {
      const field = this.input;
      if (/[,;\n]/.test(field.value)) return this.keep();
      const fromEnd = field.value.slice(field.selectionEnd).replace(/\D/g, "").length;
      const digits = meant(field.value);
      field.value = digits ? masked(digits) : field.value.trim() === "+" ? "+" : "";
      let place = field.value.length;
      for (let left = fromEnd; left > 0 && place > 0; place--) if (/\d/.test(field.value[place - 1])) left--;
      field.setSelectionRange(place, place);
      zvonar.changed(this);
    }

    paste(event) {
      const text = event.clipboardData.getData("text");
      const numbers = several(text);
      event.preventDefault();
      if (numbers.length > 1) {
        this.add(numbers);
      } else if (text.trim()) {
        const whole = /^\+?7?\s*$/.test(this.input.value) || this.input.selectionStart !== this.input.selectionEnd;
        const digits = whole ? meant(text) : meant(this.input.value + text.replace(/\D/g, ""));
        this.input.value = masked(digits);
      }
      zvonar.changed(this);
    }

    key(event) {
      if ((event.key === "Enter" || event.key === ",") && this.pending) {
        event.preventDefault();
        this.keep();
      } else if (event.key === "Backspace" && !this.pending && this.kept.length && !this.input.value.trim().slice(2)) {
        event.preventDefault();
        this.kept.pop();
        this.draw();
        zvonar.changed(this);
      }
    }

    get pending() {
      const digits = meant(this.input ? this.input.value : "");
      return digits === "7" ? "" : digits;
    }

    keep() {
      this.add(several(this.input.value).length > 1 ? several(this.input.value) : [this.pending].filter(Boolean));
      this.input.value = "+7 ";
      this.input.focus();
      zvonar.changed(this);
    }

    add(numbers) {
      for (const number of numbers) if (!this.kept.includes(number)) this.kept.push(number);
      this.draw();
    }

    draw() {
      const items = this.kept.slice(0, SHOWN).map((digits) => dom("li", { class: "chip" }, dom("span", { text: masked(digits) }),
        dom("button", {
          type: "button", "aria-label": say("Remove {what}", { what: masked(digits) }), text: "×",
          onclick: () => {
            this.kept = this.kept.filter((other) => other !== digits);
            this.draw();
            this.input.focus();
            zvonar.changed(this);
          },
        })));
      if (this.kept.length > SHOWN) {
        items.push(dom("li", { class: "chip", text: say("and {n} more", { n: this.kept.length - SHOWN }) }));
      }
      this.chips.replaceChildren(...items);
    }

    get value() {
      return [...new Set([...this.kept, this.pending].filter(Boolean))];
    }

    set value(numbers) {
      const all = (Array.isArray(numbers) ? numbers : []).map((number) => meant(String(number))).filter(Boolean);
      this.kept = all.length > 1 ? [...new Set(all)] : [];
      this.input.value = all.length === 1 ? masked(all[0]) : "";
      this.draw();
    }

    get raw() { return { kept: this.kept, pending: this.pending }; }

    set raw({ kept = [], pending = "" } = {}) {
      this.kept = kept;
      this.input.value = masked(pending);
      this.draw();
    }
  }

  zvonar.phones = { meant, masked, several };
  customElements.define("phone-list", PhoneList);
}
