// <clip-picker name="record" sources="text microphone file saved">: which clip is played. `.value` is {id}, {text, gender,
// language} or null; `.errors` are those of the API, by field ("" is the whole); `changed` bubbles.
"use strict";

{
  const { element, icon, show, number } = window.clipParts;
  const SOURCES = {
    text: [() => say("Text"), "text"],
    microphone: [() => say("Microphone"), "mic"],
    file: [() => say("Audio file"), "upload"],
    saved: [() => say("Saved"), "wave"],
  };

  class ClipPicker extends HTMLElement {
    connectedCallback() {
      if (this.built) return;
      this.build();
      window.clipParts.limits().then((limits) => this.bound(limits), () => {});
    }

    get value() {
      this.build();
      return this.record ? { id: this.record.id } : this.text.value;
    }

    set value(value) {
      this.build();
      this.errors = {};
      const id = value && value.id;
      if (id !== undefined && id !== null && id !== "") {
        if (!this.record || String(this.record.id) !== String(id)) this.find(Number(id));
        return;
      }
      this.choose(null, false);
      if (value) this.show("text");
      this.text.value = value;
    }

    set errors(errors) {
      this.build();
      const told = errors || {};
      this.text.error([...(told.text || []), ...(told.gender || []), ...(told.language || [])]);
      show(this.wrong, Object.entries(told).filter(([field]) => !["text", "gender", "language"].includes(field)).flatMap(([, texts]) => texts));
      if ((told.text || told.gender || told.language) && !this.record) this.show("text");
    }

    // What a new record is called; "" is after its file.
    set named(named) {
      this.build();
      this.upload.named = this.file.upload.named = named;
    }

    build() {
      if (this.built) return;
      this.built = true;
      this.id ||= `clip-picker-${number()}`;
      this.text = new ClipText(() => this.typed());
      this.upload = new ClipUpload((record) => this.stored(record));
      this.microphone = new Microphone((blob, ending) => this.recorded(blob, ending), 300);
      this.file = new ClipFile((record) => this.stored(record));
      this.saved = new ClipSaved((record) => this.choose(record));
      this.send = element("button", { type: "button", class: "main", hidden: true, onclick: () => this.sendRecorded() }, icon("upload"), say("Save the recording"));
      const parts = {
        text: this.text.node,
        microphone: element("div", { class: "stack" }, this.microphone.node, this.send, this.upload.node),
        file: this.file.node,
        saved: this.saved.node,
      };
      const sources = (this.getAttribute("sources") || Object.keys(SOURCES).join(" ")).split(/\s+/);
      this.tabs = element("div", { class: "tabs", role: "tablist", "aria-label": say("Where the clip comes from"), onkeydown: (event) => this.key(event) });
      this.panels = {};
      this.strip = element("div", { class: "clip-chosen", hidden: true });
      this.wrong = element("p", { class: "error", role: "alert", hidden: true });
      for (const source of sources) this.add(source, parts[source]);
      this.append(this.strip, this.wrong, this.tabs, ...Object.values(this.panels));
      this.show(sources[0]);
    }

    add(source, part) {
      const [words, sign] = SOURCES[source];
      const tab = `${this.id}-${source}-tab`, panel = `${this.id}-${source}`;
      this.tabs.append(element("button", { type: "button", role: "tab", id: tab, "aria-controls": panel, "data-source": source, onclick: () => this.show(source) }, icon(sign), words()));
      this.panels[source] = element("div", { role: "tabpanel", id: panel, "aria-labelledby": tab, class: "clip-panel" }, part);
    }

    show(source) {
      for (const tab of this.tabs.children) {
        const here = tab.dataset.source === source;
        tab.setAttribute("aria-selected", String(here));
        tab.tabIndex = here ? 0 : -1;
        this.panels[tab.dataset.source].hidden = !here;
      }
      this.setAttribute("source", source);
      if (source !== "microphone") this.microphone.stop();
      if (source === "saved" && !this.listed) {
        this.listed = true;
        this.saved.load();
      }
    }

    key(event) {
      const tabs = [...this.tabs.children];
      const at = tabs.indexOf(document.activeElement);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
      if (at < 0 || to === undefined) return;
      event.preventDefault();
      const next = tabs[(to + tabs.length) % tabs.length];
      this.show(next.dataset.source);
      next.focus();
    }

    bound(limits) {
      this.text.bound(limits);
      this.file.bound(limits);
      this.microphone.maxSeconds = limits.max_s;
    }

    typed() {
      if (this.record) this.choose(null, false);
      this.changed();
    }

    recorded(blob, ending) {
      this.blob = blob;
      this.ending = ending;
      this.send.hidden = !blob;
    }

    sendRecorded() {
      const when = new Date().toLocaleString(zvonar.language, { dateStyle: "short", timeStyle: "short" });
      this.upload.send(this.blob, `recording.${this.ending}`, say("Recording of {when}", { when }));
    }

    async stored(told) {
      this.microphone.clear();
      this.recorded(null);
      this.listed = false;
      await this.find(told.id);
      this.changed();
    }

    async find(id) {
      this.choose({ id, name: say("Record {number}", { number: id }), bare: true }, false);
      try {
        const reply = await zvonar.fetch(`/records/list?id=${id}`, { headers: { Accept: "application/json" } });
        const { records } = await reply.json();
        if (!this.record || this.record.id !== id) return;  // another one was chosen meanwhile
        if (records.length) this.choose(records[0], false);
        else show(this.wrong, say("There is no record {number}", { number: id }));
      } catch {
        if (this.record && this.record.id === id) show(this.wrong, say("The service cannot be reached"));
      }
    }

    choose(record, tell = true) {
      const { state, comment, player } = window.clipParts;
      this.record = record;
      show(this.wrong, "");
      this.strip.hidden = !record;
      this.strip.replaceChildren();
      if (record) {
        this.strip.append(
          element("div", { class: "clip-row-name" }, icon("check"), element("b", {}, record.name || String(record.id)), " ",
            ...(record.bare ? [] : [state(record), comment(record) || ""])),
          record.bare ? "" : player(record),
          element("button", { type: "button", class: "quiet", title: say("Choose another"), onclick: () => this.unchoose() },
            icon("close"), element("span", { class: "unseen" }, say("Choose another"))));
      }
      if (tell) this.changed();
    }

    unchoose() {
      this.choose(null);
      this.tabs.querySelector('[aria-selected="true"]').focus();
    }

    changed() {
      this.dispatchEvent(new CustomEvent("changed", { bubbles: true, detail: this.value }));
    }
  }

  customElements.define("clip-picker", ClipPicker);
}
