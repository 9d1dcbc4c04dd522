// The question to which menu a block goes: only those that have room for it are offered.
"use strict";

zvonar.MenuMove = (() => {
  const make = zvonar.dom, tree = zvonar.menuTree, words = zvonar.menuWords;
  let numbers = 0;

  return class MenuMove {
    // `moved(view, parent)` is called with the answer.
    constructor(moved) {
      const id = `menu-move-${++numbers}`;
      this.title = make("h2", { id: `${id}-title` });
      this.select = make("select", { id });
      this.none = make("p", { class: "hint" }, say("No other menu has room for it."));
      this.field = make("div", { class: "field" }, make("label", { for: id }, say("To which menu")), this.select);
      this.go = make("button", { type: "button", class: "main", onclick: () => { this.dialog.close(); moved(this.view, this.places[this.select.selectedIndex]); } }, say("Move"));
      this.dialog = make("dialog", { "aria-labelledby": `${id}-title` }, this.title, this.field, this.none,
        make("div", { class: "row" }, this.go, make("button", { type: "button", onclick: () => this.dialog.close() }, say("Cancel"))));
    }

    ask(view, root, names) {
      this.view = view;
      const { node } = view, facts = zvonar.menuFacts();
      this.places = tree.all(root).filter((one) => one !== node.parent && !tree.bar(one, facts, node));
      this.title.textContent = say("Move block {block} to another menu", { block: words.way(node) });
      this.select.replaceChildren(...this.places.map((one) => make("option", {}, one.parent
        ? say("below block {block}: {name}", { block: words.way(one), name: words.title(one, names) }) : say("the first menu"))));
      this.field.hidden = this.go.hidden = !this.places.length;
      this.none.hidden = this.places.length > 0;
      this.dialog.showModal();
    }
  };
})();
