// <voice-menu>: the blocks behind the first clip, with a drawing that follows. `.value` is the contract's `ivrs`;
// `.errors` are the API's, by field; `.lit` is for the drawing; `changed` bubbles. The first clip and its tag are read
// from the form around it (data-name="record" and "tag").
"use strict";

{
  const make = zvonar.dom, icon = zvonar.icon, tree = zvonar.menuTree, words = zvonar.menuWords;
  const MANY = 2; // blocks that are set at once and stay folded

  class VoiceMenu extends HTMLElement {
    connectedCallback() {
      this.build();
      const form = this.closest("form");
      if (!form || this.form === form) return;
      this.form = form;
      for (const kind of ["changed", "input"]) form.addEventListener(kind, (event) => { if (!this.contains(event.target)) this.draw(); });
    }

    build() {
      if (this.root) return;
      this.names = {};
      this.views = new Map();
      this.heard = make("p", { class: "unseen", role: "status" });
      this.wrong = make("p", { class: "error", role: "alert" });
      this.notes = make("div", { class: "menu-notes" });
      this.graph = make("menu-graph");
      this.graph.addEventListener("choose", (event) => this.choose(event.detail));
      this.drawing = make("details", { class: "menu-drawing", open: true }, make("summary", {}, say("Drawing")), this.graph);
      this.list = make("ol", { class: "menu-list menu-top" });
      this.add = make("button", { type: "button", class: "menu-add", onclick: () => this.hang(this.root) }, icon("plus"), make("span"));
      this.why = make("p", { class: "hint", id: "menu-why", hidden: true });
      this.unfold = make("button", { type: "button", class: "quiet", onclick: () => this.all(true) }, say("Unfold all"));
      this.foldAll = make("button", { type: "button", class: "quiet", onclick: () => this.all(false) }, say("Fold all"));
      const top = make("div", { class: "row apart menu-bar" }, this.examples(), make("div", { class: "row" }, this.unfold, this.foldAll));
      this.moving = new zvonar.MenuMove((view, parent) => this.move(view, parent));
      this.append(top, this.wrong, this.notes, make("div", { class: "menu-desk" }, make("div", { class: "menu-blocks" }, this.list, this.add, this.why), this.drawing), this.moving.dialog, this.heard);
      this.root = tree.read({});
      this.refresh();
    }

    get value() {
      this.build();
      return this.root.children.map(tree.block);
    }

    set value(ivrs) {
      this.build();
      const open = new Map([...this.views.values()].map((view) => [tree.name(view.node, ""), view.open]));
      this.fill(ivrs, open);
    }

    fill(ivrs, open = new Map()) {
      this.root = tree.read({ ivrs: ivrs || [] });
      this.views.clear();
      this.notes.replaceChildren();
      this.wrong.textContent = "";
      this.list.replaceChildren(...this.root.children.map((child) => this.viewed(child).root));
      const all = [...this.views.values()];
      for (const view of all) view.show(open.get(tree.name(view.node, "")) ?? all.length <= MANY);
      this.refresh();
      if (all.some(({ node }) => node.record?.id)) this.learn();
    }

    // The view of a node and of all below it.
    viewed(node) {
      const view = new zvonar.MenuBlock(node, this);
      this.views.set(node, view);
      view.list.append(...node.children.map((child) => this.viewed(child).root));
      return view;
    }

    set lit(name) {
      this.build();
      this.graph.lit = name;
    }

    set errors(errors) {
      this.build();
      this.wrong.textContent = "";
      for (const view of this.views.values()) view.noErrors();
      let first = null;
      for (const [field, texts] of Object.entries(errors || {})) {
        const { node, field: name } = tree.find(this.root, field);
        if (node === this.root) {
          const said = texts.join("; ");
          this.wrong.textContent = [this.wrong.textContent, name === "ivrs" ? said : `${field}: ${said}`].filter(Boolean).join("; ");
          continue;
        }
        for (let above = node.parent; above.parent; above = above.parent) this.views.get(above).show(true);
        const control = this.views.get(node).error(name, texts);
        first ||= control;
      }
      if (first) first.focus();
    }

    // ---- what is done ----------------------------------------------------------------------------------

    act(what, view) {
      ({ up: () => this.shift(view, -1), down: () => this.shift(view, 1), copy: () => this.copy(view), move: () => this.moving.ask(view, this.root, this.names), remove: () => this.remove(view), add: () => this.hang(view.node) })[what]();
    }

    listOf(parent) { return parent.parent ? this.views.get(parent).list : this.list; }

    // Show a node where it stands among its siblings. Where the browser can, what is inside keeps its state.
    place(view) {
      const { node } = view, list = this.listOf(node.parent), siblings = node.parent.children;
      const after = siblings[siblings.indexOf(node) + 1];
      const before = after ? this.views.get(after).root : null;
      if (view.root.isConnected && list.moveBefore) list.moveBefore(view.root, before);
      else list.insertBefore(view.root, before);
    }

    hang(parent, from = null, at = parent.children.length) {
      if (tree.bar(parent, zvonar.menuFacts(), from)) return null;
      const node = from || tree.read({});
      tree.hang(node, parent, at, zvonar.menuFacts().keys);
      const view = this.viewed(node);
      this.place(view);
      if (parent.parent) this.views.get(parent).show(true);
      view.show(true);
      this.done(say("Block {block} is added", { block: words.way(node) }));
      view.select.focus();
      return view;
    }

    copy(view) {
      const { node } = view, parent = node.parent, copied = tree.copy(node);
      const why = zvonar.MenuBlock.why(tree.bar(parent, zvonar.menuFacts(), copied), zvonar.menuFacts());
      if (why) return zvonar.notice(why, "bad");
      this.hang(parent, copied, parent.children.indexOf(node) + 1);
    }

    shift(view, by) {
      const { node } = view, siblings = node.parent.children, at = siblings.indexOf(node);
      const other = siblings[at + by];
      siblings[at] = other;
      siblings[at + by] = node;
      this.place(this.views.get(other)); // the neighbour goes round: what has the focus stays
      const focused = document.activeElement;
      this.done(say("Block {block}: now {place} of {count}", { block: words.way(node), place: at + by + 1, count: siblings.length }));
      if (focused?.disabled) (by < 0 ? view.tools.down : view.tools.up).focus();
    }

    move(view, parent) {
      const { node } = view, before = words.way(node);
      if (tree.bar(parent, zvonar.menuFacts(), node)) return;
      tree.cut(node);
      tree.hang(node, parent, parent.children.length, zvonar.menuFacts().keys);
      this.place(view);
      for (let above = parent; above.parent; above = above.parent) this.views.get(above).show(true);
      this.done(say("Block {before} is now block {after}", { before, after: words.way(node) }));
      view.fold.focus();
    }

    remove(view) {
      const { node } = view, parent = node.parent, block = words.way(node), name = words.title(node, this.names);
      const at = tree.cut(node);
      const line = make("li", { class: "menu-gone" });
      const back = () => {
        if (parent.parent && !this.views.has(parent)) return;
        if (tree.bar(parent, zvonar.menuFacts(), node)) return zvonar.notice(say("There is no room for it any more"), "bad");
        tree.hang(node, parent, Math.min(at, parent.children.length), zvonar.menuFacts().keys);
        for (const one of tree.all(node)) this.views.set(one, one === node ? view : gone.get(one));
        line.replaceWith(view.root);
        this.place(view);
        this.done(say("Block {block} is back", { block: words.way(node) }));
        view.fold.focus();
      };
      const gone = new Map(tree.all(node).map((one) => [one, this.views.get(one)]));
      for (const one of gone.keys()) this.views.delete(one);
      const told = name === say("Block {block}", { block }) ? say("Block {block} is removed", { block }) : say("Block {block} is removed: {name}", { block, name });
      const undo = make("button", { type: "button", onclick: back }, say("Undo"));
      line.append(make("span", {}, told), undo, make("button", { type: "button", class: "quiet", "aria-label": say("Close"), onclick: () => { line.remove(); this.add.focus(); } }, icon("close")));
      view.root.replaceWith(line);
      this.done(told);
      undo.focus();
    }

    renamed(view, digit) {
      view.node.digit = digit;
      view.right("digit");
      this.done(say("The digit is now {digit}", { digit }));
    }

    all(open) { for (const view of this.views.values()) view.show(open); }

    // A click on the drawing: to the block in the form; the first clip is outside.
    choose(name) {
      const node = tree.all(this.root).find((one) => tree.name(one, zvonar.menuFacts().root) === name);
      if (!node?.parent) return this.first("record")?.scrollIntoView({ block: "center" });
      for (let here = node; here.parent; here = here.parent) this.views.get(here).show(true);
      const { root, fold } = this.views.get(node);
      root.scrollIntoView({ block: "nearest" });
      fold.focus();
    }

    // ---- what follows ----------------------------------------------------------------------------------

    // Something was typed into a block.
    typed(view) {
      view.update();
      this.draw();
      zvonar.menuChanged(this);
    }

    // The tree itself is another one.
    done(told) {
      this.heard.textContent = told;
      this.refresh();
      zvonar.menuChanged(this);
    }

    refresh() {
      const facts = zvonar.menuFacts(), has = this.root.children.length > 0;
      for (const view of this.views.values()) view.update();
      const why = zvonar.MenuBlock.why(tree.bar(this.root, facts), facts);
      this.add.disabled = Boolean(why);
      this.why.textContent = why;
      this.why.hidden = !why;
      this.add.lastChild.textContent = has ? say("Add a block") : say("Add the first block");
      this.unfold.hidden = this.foldAll.hidden = !has;
      this.drawing.hidden = !has;
      this.classList.toggle("menu-has", has);
      this.draw();
    }

    first(name) { return this.closest("form")?.querySelector(`[data-name="${name}"]`); }

    draw() {
      if (!this.root || !this.root.children.length) return;
      this.graph.menu = { record: this.first("record")?.value || null, tag: this.first("tag")?.value || "", ivrs: this.value };
    }

    // Names of stored clips, once.
    async learn() {
      if (this.learning) return;
      this.learning = true;
      const { status, data } = await zvonar.ask("/apiCalls/getRecords", {});
      if (status !== 200) return;
      this.names = Object.fromEntries(data.data.map(({ id, name }) => [id, name]));
      this.graph.names = this.names;
      for (const view of this.views.values()) view.update();
    }

    examples() {
      const part = make("details", { class: "menu-examples" }, make("summary", { class: "button" }, say("Examples")));
      const box = make("div", { class: "card" });
      for (const example of zvonar.menuExamples()) {
        box.append(make("button", { type: "button", class: "quiet", onclick: () => { part.open = false; this.take(example); } }, example.name));
      }
      part.append(box);
      part.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || !part.open) return;
        part.open = false;
        part.querySelector("summary").focus();
      });
      return part;
    }

    // An example in place of what is there; its first clip too, if none is chosen yet.
    take(example) {
      const before = this.value, first = this.first("record");
      this.fill(example.ivrs);
      if (first && first.value === null) {
        first.value = example.record;
        zvonar.menuChanged(first);
      }
      const told = say("The menu is now the example: {name}", { name: example.name });
      const note = make("p", { class: "menu-gone" }, make("span", {}, told));
      if (before.length) {
        note.append(make("button", { type: "button", onclick: () => { this.fill(before); this.done(say("The menu is as it was")); this.add.focus(); } }, say("Undo")));
      }
      this.notes.replaceChildren(note);
      this.done(told);
      (note.querySelector("button") || this.views.get(this.root.children[0]).fold).focus();
    }
  }

  zvonar.menuChanged = (element) => element.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
  customElements.define("voice-menu", VoiceMenu);
}
