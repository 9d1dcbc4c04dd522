// <block-tags menu="ivrs">: the tags of all blocks in one place. value: that of the first block; those of the menu's
// blocks are kept by the menu itself, and written there.
"use strict";
{
  const dom = (...given) => zvonar.dom(...given);

  // [digits, block] of every block, the way to it in front.
  function walk(blocks, way = []) {
    return (Array.isArray(blocks) ? blocks : []).flatMap((block) => {
      const here = [...way, String(block.digit ?? "?")];
      return [[here.join(" → "), block], ...walk(block.ivrs, here)];
    });
  }

  class BlockTags extends HTMLElement {
    connectedCallback() {
      if (this.input) return;
      this.input = dom("input", {
        id: this.getAttribute("field"), type: "text", maxlength: "200", placeholder: "welcome",
        "aria-describedby": this.getAttribute("describedby"),
      });
      this.rows = dom("div", { class: "tag-rows" });
      const add = dom("button", { type: "button", title: say("A tag for one more block"), onclick: () => this.offer() },
        dom("span", { "aria-hidden": "true", text: "+" }), dom("span", { class: "unseen", text: say("A tag for one more block") }));
      this.append(dom("div", { class: "with-button" }, this.input, add), this.rows);
      this.input.addEventListener("input", () => zvonar.changed(this));
      this.form = this.closest("form");
      this.form.addEventListener("changed", (event) => { if (event.target === this.menu) this.draw(); });
    }

    get menu() { return this.form.querySelector("voice-menu"); }

    get blocks() { return structuredClone((this.menu && this.menu.value) || []); }

    offer() {
      const free = walk(this.blocks).filter(([, block]) => !block.tag).map(([name]) => name);
      if (!free.length) {
        zvonar.notice(say("Every block has a tag, or the menu has no blocks yet"));
        return;
      }
      const name = free[0];
      const row = this.row(name, "", free);
      this.rows.append(row);
      row.querySelector("input").focus();
    }

    row(name, tag, free) {
      const select = dom("select", { "aria-label": say("Block") }, ...free.map((one) => dom("option", { value: one, text: one })));
      select.value = name;
      const field = dom("input", { type: "text", maxlength: "200", "aria-label": say("Tag of block {what}", { what: name }) });
      field.value = tag;
      const write = () => this.write(select.value, field.value);
      field.addEventListener("change", write);
      select.addEventListener("change", () => { if (field.value) write(); });
      return dom("div", { class: "pair" }, free.length > 1 ? select : dom("span", { class: "chip", text: name }), field,
        dom("button", { type: "button", class: "quiet", "aria-label": say("Remove"), text: "×", onclick: () => this.write(name, "") }));
    }

    write(name, tag) {
      const blocks = this.blocks;
      for (const [way, block] of walk(blocks)) {
        if (way !== name) continue;
        if (tag) block.tag = tag;
        else delete block.tag;
      }
      this.menu.value = blocks;
      this.draw();
      zvonar.changed(this.menu);
    }

    draw() {
      const tagged = walk(this.blocks).filter(([, block]) => block.tag);
      this.rows.replaceChildren(...tagged.map(([name, block]) => this.row(name, block.tag, [name])));
    }

    get value() { return this.input.value; }

    set value(tag) {
      this.input.value = tag ?? "";
      this.draw();
    }

    get raw() { return this.value; }

    set raw(tag) { this.value = tag; }
  }
  customElements.define("block-tags", BlockTags);
}
