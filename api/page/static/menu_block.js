// One block of the voice menu on the page: its head, its fields (made when they are first seen), the menu below it.
"use strict";

zvonar.MenuBlock = (() => {
  const make = zvonar.dom, icon = zvonar.icon, tree = zvonar.menuTree, words = zvonar.menuWords;
  let numbers = 0;

  class MenuBlock {
    // `menu` is the <voice-menu>: act(what, view) and typed(view) tell it what is done here.
    constructor(node, menu) {
      this.node = node;
      this.menu = menu;
      this.number = ++numbers;
      this.open = false;
      this.told = {};
      this.build();
    }

    id(part) { return `menu-block-${this.number}-${part}`; }

    build() {
      this.digit = make("span", { class: "menu-digit" });
      this.title = make("span", { class: "menu-title" });
      this.unsure = make("span", { class: "state bad", hidden: true }, say("has an error"));
      this.fold = make("button", { type: "button", class: "quiet menu-fold", "aria-expanded": "false", "aria-controls": this.id("body"), onclick: () => this.show(!this.open) },
        make("span", { class: "menu-arrow", "aria-hidden": "true" }), this.digit, this.title, this.unsure);
      this.tools = {};
      const tool = (what, sign) => {
        this.tools[what] = make("button", { type: "button", class: "quiet", "data-act": what, onclick: () => this.menu.act(what, this) }, icon(sign));
        return this.tools[what];
      };
      const tools = make("div", { class: "menu-tools" }, tool("up", "up"), tool("down", "down"), tool("copy", "copy"), tool("move", "link"), tool("remove", "trash"));
      this.does = make("p", { class: "hint menu-does", id: this.id("does") });
      this.wrong = make("p", { class: "error", role: "alert" });
      this.fields = make("div", { class: "menu-fields" });
      this.list = make("ol", { class: "menu-list" });
      this.add = make("button", { type: "button", class: "menu-add", onclick: () => this.menu.act("add", this) }, icon("plus"), make("span"));
      this.why = make("p", { class: "hint", id: this.id("why"), hidden: true });
      this.body = make("div", { class: "menu-body", id: this.id("body"), hidden: true }, this.fields, this.list, this.add, this.why);
      this.root = make("li", { class: "menu-block", onkeydown: (event) => this.key(event) }, make("div", { class: "menu-head" }, this.fold, tools), this.does, this.wrong, this.body);
    }

    show(open) {
      this.open = open;
      if (open && !this.built) this.makeFields();
      this.fold.setAttribute("aria-expanded", String(open));
      this.body.hidden = !open;
    }

    key(event) {
      const what = { ArrowUp: "up", ArrowDown: "down" }[event.key];
      if (!event.altKey || !what || event.target.closest("li") !== this.root) return;
      event.preventDefault();
      if (!this.tools[what].disabled) this.menu.act(what, this);
    }

    // Label, control, hint, error; the error stands under its field's name in the contract.
    field(name, label, control, hint = "") {
      const id = this.id(name);
      control.id = id;
      const said = make("p", { class: "error", id: `${id}-error`, role: "alert" });
      const told = hint ? make("p", { class: "hint", id: `${id}-hint` }, hint) : null;
      control.setAttribute("aria-describedby", `${told ? `${id}-hint ` : ""}${id}-error`);
      this.told[name] = { control, said };
      return make("div", { class: "field" }, make("label", { for: id }, label), control, told, said);
    }

    text(name, given = {}, tag = "input") {
      const control = make(tag, { ...(tag === "input" ? { type: "text" } : {}), autocomplete: "off", ...given });
      control.value = this.node[name];
      control.addEventListener("input", () => {
        this.node[name] = control.value;
        this.right(name);
        this.menu.typed(this);
      });
      return control;
    }

    makeFields() {
      const facts = zvonar.menuFacts(), node = this.node;
      this.built = true;
      this.select = make("select", { onchange: () => this.menu.renamed(this, this.select.value) });
      const block = make("input", { type: "checkbox", id: this.id("needBlock") });
      block.checked = node.needBlock;
      block.addEventListener("change", () => {
        node.needBlock = block.checked;
        this.right("needBlock");
        this.menu.typed(this);
      });
      const wrong = make("p", { class: "error", id: this.id("needBlock-error"), role: "alert" });
      block.setAttribute("aria-describedby", wrong.id);
      this.told.needBlock = { control: block, said: wrong };
      const manager = this.text("managerPhone", { type: "tel", inputmode: "tel", placeholder: "74951234567" });
      this.fields.append(
        make("div", { class: "menu-pair" },
          this.field("digit", say("Digit"), this.select),
          this.field("tag", say("Tag"), this.text("tag", { maxlength: facts.most_tag, placeholder: "yes" }))),
        this.clipField(),
        make("div", { class: "field" }, make("label", { class: "check" }, block, make("span", {}, say("Put the callee on the stop list"))), wrong),
        this.webhook(),
        this.field("managerPhone", say("The manager's telephone"), manager,
          say("After the clip the callee is connected to the manager. Several numbers, with commas between, are called in order until one answers. Which number the manager sees, an option below the menu says.")));
      this.update();
    }

    webhook() {
      const parameters = this.text("webhookParameters", { rows: 3, spellcheck: "false", class: "menu-json", placeholder: '{"order": 15, "who": "{phone}"}' }, "textarea");
      const part = make("details", { class: "menu-hook" }, make("summary", {}, say("Webhook when the callee gets here")),
        this.field("webhookUrl", say("Address of the webhook"), this.text("webhookUrl", { type: "url", inputmode: "url", placeholder: "https://example.com/hook" })),
        this.field("webhookParameters", say("Parameters, a JSON object"), parameters,
          say("They are merged into what is sent; {phone} in a text stands for the callee's number.")));
      part.open = Boolean(this.node.webhookUrl || this.node.webhookParameters);
      this.told.webhookUrl.part = this.told.webhookParameters.part = part;
      return part;
    }

    // The picker itself is made when it is asked for: a hundred of them would be slow, and long.
    clipField() {
      const label = make("span", { class: "label", id: this.id("record-label") }, say("Clip"));
      this.clipName = make("span", { class: "menu-clip-name" });
      this.clipOpen = make("button", { type: "button", "aria-expanded": "false", onclick: () => this.pick(!this.picker || this.picker.hidden, true) });
      this.clipGone = make("button", { type: "button", class: "quiet", onclick: () => this.noClip() }, icon("close"), say("Without a clip"));
      this.clipPlace = make("div", { class: "menu-clip" });
      const said = make("p", { class: "error", role: "alert" });
      this.told.record = { control: this.clipOpen, said };
      return make("div", { class: "field" }, label, make("div", { class: "row" }, this.clipName, this.clipOpen, this.clipGone), this.clipPlace, said);
    }

    pick(open, focus = false) {
      if (open && !this.picker) {
        this.picker = make("clip-picker", { name: "record", "aria-labelledby": this.id("record-label") });
        this.clipPlace.append(this.picker);
        this.picker.value = this.node.record;
        this.picker.addEventListener("changed", (event) => {
          event.stopPropagation();
          this.node.record = this.picker.value;
          this.right("record");
          this.menu.typed(this);
        });
      }
      if (this.picker) this.picker.hidden = !open;
      this.updateClip();
      if (open && focus) this.picker.querySelector("button, input, textarea, select")?.focus();
    }

    noClip() {
      this.node.record = null;
      if (this.picker) this.picker.value = null;
      this.right("record");
      this.pick(false);
      this.menu.typed(this);
      this.clipOpen.focus();
    }

    updateClip() {
      const open = Boolean(this.picker && !this.picker.hidden), has = this.node.record;
      this.clipName.textContent = has ? words.clip(has, this.menu.names) : say("none: nothing is played");
      this.clipName.classList.toggle("soft", !has);
      this.clipOpen.textContent = open ? say("Done") : has ? say("Change the clip") : say("Choose a clip");
      this.clipOpen.setAttribute("aria-expanded", String(open));
      this.clipGone.hidden = !has;
    }

    // All that follows from the node and its neighbours.
    update() {
      const { node } = this, facts = zvonar.menuFacts(), block = words.way(node);
      const siblings = node.parent.children, at = siblings.indexOf(node);
      this.digit.textContent = node.digit;
      const named = words.title(node, this.menu.names);
      this.title.textContent = node.parent.parent ? `${block} · ${named}` : named;
      if (!node.tag && !node.record) this.title.textContent = named;
      this.does.textContent = words.does(node, facts);
      const label = (what, text) => { this.tools[what].setAttribute("aria-label", text); this.tools[what].title = text; };
      label("up", say("Move block {block} up", { block }));
      label("down", say("Move block {block} down", { block }));
      label("copy", say("Copy block {block}", { block }));
      label("move", say("Move block {block} to another menu", { block }));
      label("remove", say("Remove block {block}", { block }));
      this.tools.up.disabled = at === 0;
      this.tools.down.disabled = at === siblings.length - 1;
      this.bar(this.add, this.why, zvonar.MenuBlock.why(tree.bar(node, facts), facts));
      this.add.lastChild.textContent = node.children.length ? say("Add a block to menu {block}", { block }) : say("Add a menu below block {block}", { block });
      if (!this.built) return;
      const free = tree.free(node.parent, facts.keys, node);
      const offered = free.includes(node.digit) ? free : [node.digit, ...free];
      this.select.replaceChildren(...offered.map((key) => make("option", { value: key }, key)));
      this.select.value = node.digit;
      this.updateClip();
    }

    bar(button, place, why) {
      button.disabled = Boolean(why);
      if (why) button.setAttribute("aria-describedby", place.id);
      else button.removeAttribute("aria-describedby");
      place.textContent = why;
      place.hidden = !why;
    }

    right(name) {
      const told = this.told[name];
      if (!told) return;
      told.said.textContent = "";
      told.control.removeAttribute("aria-invalid");
      if (name === "record" && this.picker) this.picker.errors = {};
      this.unsure.hidden = !this.root.querySelector(':scope > .menu-body > .menu-fields [aria-invalid="true"]');
      this.wrong.textContent = "";
    }

    // What the API says of a field of this block: beside its control, which is opened.
    error(field, texts) {
      const name = field.split(".")[0], said = texts.join("; ");
      this.show(true);
      this.unsure.hidden = false;
      const told = this.told[name];
      if (!told) {
        this.wrong.textContent = [this.wrong.textContent, field ? `${field}: ${said}` : said].filter(Boolean).join("; ");
        return this.fold;
      }
      told.control.setAttribute("aria-invalid", "true");
      if (told.part) told.part.open = true;
      if (name === "record") this.pick(true);
      if (name === "record" && this.picker.build) {
        (this.wrongClip ||= {})[field.slice("record".length).replace(/^\./, "")] = texts;
        this.picker.errors = this.wrongClip;
      } else told.said.textContent = [told.said.textContent, said].filter(Boolean).join("; ");
      return told.control;
    }

    noErrors() {
      this.wrongClip = {};
      for (const name of Object.keys(this.told)) this.right(name);
      this.wrong.textContent = "";
      this.unsure.hidden = true;
    }
  }

  MenuBlock.why = (bar, facts) => {
    if (bar === "manager") return say("The manager takes over here: no menu can follow");
    if (bar === "full") return say("All {count} digits of this menu are taken", { count: facts.keys.length });
    if (bar === "deep") return say("Menus go at most {most} deep", { most: facts.most_deep });
    if (bar === "many") return say("A menu has at most {most} blocks", { most: facts.most_blocks });
    return "";
  };
  return MenuBlock;
})();
