// A clip from a text: marks of stress and pauses, the voice, and how it would sound.
"use strict";

{
  const { element, icon, show, problem, number } = window.clipParts;
  const VOWEL = /[аеёиоуыэюяіїєaeiouy]/i;

  class ClipText {
    constructor(changed) {
      this.changed = changed;
      const id = `clip-text-${number()}`;
      this.area = element("textarea", { id, rows: "4", maxlength: "5000", "aria-describedby": `${id}-hint ${id}-error`, oninput: () => this.typed() });
      this.area.placeholder = say("Hello! <-> This is the clinic. You have an appointment tomorrow.");
      this.wrong = element("p", { class: "error", id: `${id}-error`, role: "alert", hidden: true });
      this.hint = element("p", { class: "hint", id: `${id}-hint` });
      this.genders = element("fieldset", { class: "clip-voice" }, element("legend", { class: "unseen" }, say("Voice")),
        this.voice(id, "0", say("F"), say("Female voice")), this.voice(id, "1", say("M"), say("Male voice")));
      this.language = element("select", { id: `${id}-language`, onchange: () => this.typed() }, element("option", { value: "" }, say("By its letters")));
      this.listen = element("button", { type: "button", onclick: () => this.preview() }, icon("play"), say("Listen first"));
      this.told = element("span", { class: "soft", role: "status" });
      this.notes = element("ul", { class: "hint clip-notes", hidden: true });
      this.player = element("clip-player", { label: say("the preview"), hidden: true });
      this.blocked = element("p", { class: "callout warn", hidden: true });
      this.node = element("div", { class: "stack" }, this.blocked,
        element("div", { class: "field" },
          element("div", { class: "row apart" }, element("label", { for: id }, say("Text")), this.marks()),
          this.area, this.wrong, this.hint),
        element("div", { class: "row clip-choices" },
          element("div", { class: "row" }, element("span", { "aria-hidden": "true" }, say("Voice")), this.genders),
          element("div", { class: "row" }, element("label", { for: `${id}-language` }, say("Language")), this.language)),
        element("div", { class: "row" }, this.listen, this.told), this.player, this.notes);
    }

    voice(id, value, letter, words) {
      const input = element("input", { type: "radio", name: `${id}-gender`, value, onchange: () => this.typed() });
      input.checked = value === "0";
      return element("label", { class: "check", title: words }, input, element("span", { "aria-hidden": "true" }, letter), element("span", { class: "unseen" }, words));
    }

    marks() {
      const button = (words, title, mark) => element("button", { type: "button", class: "quiet", title, onclick: () => this.put(mark) }, words);
      return element("div", { class: "row clip-marks", role: "group", "aria-label": say("Marks") },
        button(say("+ stress"), say("Stress the vowel at the cursor"), "+"),
        button(say("<-> pause"), say("Half a second of silence at the cursor"), "<->"));
    }

    // The mark at the cursor. Stress stands before its vowel: with the cursor just behind one, that one is meant.
    put(mark) {
      const { area } = this;
      let at = area.selectionStart;
      const text = area.value;
      if (mark === "+" && !VOWEL.test(text[at] || "") && VOWEL.test(text[at - 1] || "")) at -= 1;
      const before = mark !== "+" && at > 0 && !/\s/.test(text[at - 1]) ? " " : "";
      const behind = mark !== "+" && !/\s/.test(text[at] || "") ? " " : "";
      area.focus();
      area.setSelectionRange(at, at);
      // So it can be taken back by Ctrl+Z, which a change of `value` cannot.
      if (!document.execCommand("insertText", false, before + mark + behind)) {
        area.setRangeText(before + mark + behind, at, at, "end");
        this.typed();
      }
    }

    typed() {
      this.notes.hidden = true;
      this.player.hidden = true;
      this.error("");
      this.changed();
    }

    error(texts) {
      show(this.wrong, texts);
      this.area.toggleAttribute("aria-invalid", false);
      if (!this.wrong.hidden) this.area.setAttribute("aria-invalid", "true");
    }

    get value() {
      if (!this.area.value.trim()) return null;
      const gender = Number(this.genders.querySelector(":checked").value);
      return { text: this.area.value, gender, ...(this.language.value ? { language: this.language.value } : {}) };
    }

    set value(value) {
      this.area.value = (value && value.text) || "";
      const gender = ["1", "male", "true"].includes(String((value && value.gender) || 0)) ? "1" : "0";
      this.genders.querySelector(`[value="${gender}"]`).checked = true;
      this.wanted = (value && value.language) || "";
      if (this.wanted && ![...this.language.options].some((one) => one.value === this.wanted)) {
        this.language.append(element("option", { value: this.wanted }, this.wanted));
      }
      this.language.value = this.wanted;
      this.player.hidden = this.notes.hidden = true;
    }

    bound(limits) {
      const chosen = this.language.value;
      this.language.replaceChildren(element("option", { value: "" }, say("By its letters")),
        ...limits.languages.map(({ code, name }) => element("option", { value: code }, name)));
      if (chosen && !limits.languages.some(({ code }) => code === chosen)) this.language.append(element("option", { value: chosen }, chosen));
      this.language.value = chosen;
      this.hint.textContent = limits.price;
      show(this.blocked, limits.needs_moderation);
      this.listen.disabled = Boolean(limits.needs_moderation);
    }

    async preview() {
      this.error("");
      this.player.hidden = this.notes.hidden = true;
      this.listen.disabled = true;
      this.told.textContent = say("The voice is reading…");
      try {
        const reply = await zvonar.fetch("/records/preview", {
          method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" },
          body: JSON.stringify(this.value || { text: "" }),
        });
        if (reply.ok) await this.hear(reply);
        else if (reply.status === 401) this.error(say("Your session has ended; sign in again in another tab, and go on here"));
        else this.error(problem(await reply.json()));
      } catch {
        this.error(say("The service cannot be reached"));
      }
      this.listen.disabled = false;
      this.told.textContent = "";
    }

    async hear(reply) {
      const notes = JSON.parse(reply.headers.get("X-Notes") || "[]");
      this.notes.replaceChildren(...notes.map((note) => element("li", {}, note)));
      this.notes.hidden = notes.length === 0;
      this.player.hidden = false;
      this.player.blob = await reply.blob();
      this.player.play();
    }
  }

  window.ClipText = ClipText;
}
