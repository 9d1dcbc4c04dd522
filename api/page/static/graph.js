// <menu-graph>: a drawing of a voice menu. `.menu` = {record, ivrs, tag} as a request has them; `.lit` = the name of the
// block that a call is in (facts name it): lights it, and keeps the trail. A click sends up `choose`, detail: the name.
"use strict";

{
  const SIZE = { width: 172, height: 52, across: 46, between: 12 };
  const EDGE = 10; // around the whole
  const LETTERS = 15; // wide ones fit too
  const { title, acts, clip } = zvonar.menuWords;

  const svg = (tag, given = {}, ...children) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  class MenuGraph extends HTMLElement {
    connectedCallback() {
      if (this.box) return;
      this.box = document.createElement("div");
      this.box.className = "graph-box";
      this.box.tabIndex = 0;
      this.box.setAttribute("role", "region");
      this.box.setAttribute("aria-label", say("The drawing of the voice menu"));
      this.list = document.createElement("ul");
      this.list.className = "unseen";
      this.box.addEventListener("click", (event) => {
        const node = event.target.closest("[data-block]");
        if (node) this.dispatchEvent(new CustomEvent("choose", { bubbles: true, detail: node.dataset.block }));
      });
      this.append(this.box, this.list);
      this.draw();
    }

    get menu() { return this.told || {}; }

    set menu(menu) {
      this.told = menu || {};
      this.draw();
    }

    // Names of stored clips by number, where the menu does not tell them.
    set names(names) {
      this.known = names;
      this.draw();
    }

    get lit() { return this.here || null; }

    set lit(name) {
      this.passed ||= new Set();
      if (name === zvonar.menuFacts().root) this.passed.clear(); // a call begins
      else if (this.here) this.passed.add(this.here);
      this.here = name || null;
      if (name) this.passed.delete(name);
      this.light(true);
    }

    // What is typed quickly is drawn once a frame.
    draw() {
      if (!this.box || this.due) return;
      this.due = requestAnimationFrame(() => {
        this.due = 0;
        this.redraw();
      });
    }

    redraw() {
      const facts = zvonar.menuFacts();
      const tree = zvonar.menuTree.read(this.menu);
      const { nodes, width, height } = zvonar.graphLayout(tree, SIZE);
      const places = new Map(nodes.map((one) => [one.node, one]));
      const names = new Map(nodes.map(({ node }) => [node, zvonar.menuTree.name(node, facts.root)]));
      const edges = svg("g", { class: "graph-edges" });
      const blocks = svg("g", { class: "graph-blocks" });
      for (const one of nodes) {
        const name = names.get(one.node);
        if (one.parent) edges.append(this.edge(places.get(one.parent), one, name));
        blocks.append(this.block(one, name, facts));
      }
      const whole = { width: width + 2 * EDGE, height: height + 2 * EDGE };
      this.box.replaceChildren(svg("svg", { ...whole, viewBox: `${-EDGE} ${-EDGE} ${whole.width} ${whole.height}`, "aria-hidden": "true", focusable: "false" }, edges, blocks));
      this.list.replaceChildren(this.item(tree, names));
      this.light(false);
    }

    edge(from, to, name) {
      const x = from.x + SIZE.width, y = from.y + SIZE.height / 2, end = to.y + SIZE.height / 2;
      const bend = x + SIZE.across * 0.45;
      const path = svg("path", { d: `M${x} ${y}C${bend} ${y} ${bend - 6} ${end} ${to.x - 26} ${end}H${to.x}` });
      const digit = svg("text", { x: to.x - 17, y: end + 4.5, "text-anchor": "middle" });
      digit.textContent = to.node.digit;
      return svg("g", { class: "graph-edge", "data-to": name }, path, svg("circle", { cx: to.x - 17, cy: end, r: 11 }), digit);
    }

    block({ node, x, y }, name, facts) {
      const told = acts(node);
      const head = svg("text", { x: 37, y: 22, class: "graph-title" });
      head.textContent = zvonar.menuWords.short(title(node, this.known), LETTERS);
      const what = svg("text", { x: 37, y: 39, class: "graph-acts" });
      what.textContent = zvonar.menuWords.short(told.map(([, word]) => word).join(" · "), LETTERS + 5);
      const whole = svg("title");
      whole.textContent = [title(node, this.known), node.tag && clip(node.record, this.known), told.map(([, word]) => word).join(", ")].filter(Boolean).join(" — ");
      const kind = node.parent ? (told.find(([sign]) => !["play", "exit"].includes(sign)) || told[0])[0] : "phone";
      return svg("g", { class: "graph-block", "data-block": name, transform: `translate(${x} ${y})` }, whole,
        svg("rect", { width: SIZE.width, height: SIZE.height, rx: 10 }),
        svg("g", { class: `graph-sign ${kind}`, transform: "translate(10 16) scale(.83)" }, svg("path", { d: window.ICONS[kind] })),
        head, what);
    }

    // The same for those who do not see it.
    item(node, names) {
      const item = document.createElement("li");
      item.dataset.block = names.get(node);
      const told = [title(node, this.known), ...acts(node).map(([, word]) => word)].join(", ");
      item.append(node.parent ? say("Digit {digit}: {what}", { digit: node.digit, what: told }) : told);
      if (node.children.length) {
        const below = document.createElement("ul");
        below.append(...node.children.map((child) => this.item(child, names)));
        item.append(below);
      }
      return item;
    }

    light(follow) {
      if (!this.box) return;
      const passed = this.passed || new Set();
      for (const one of this.box.querySelectorAll("[data-block], [data-to]")) {
        const name = one.dataset.block || one.dataset.to;
        one.classList.toggle("lit", name === this.here);
        one.classList.toggle("passed", passed.has(name));
      }
      for (const one of this.list.querySelectorAll("li")) {
        if (one.dataset.block === this.here) one.setAttribute("aria-current", "step");
        else one.removeAttribute("aria-current");
      }
      const lit = follow && this.box.querySelector(".graph-block.lit");
      if (!lit) return;
      const box = this.box.getBoundingClientRect(), at = lit.getBoundingClientRect();
      this.box.scrollBy(at.left + at.width / 2 - box.left - box.width / 2, at.top + at.height / 2 - box.top - box.height / 2);
    }
  }
  customElements.define("menu-graph", MenuGraph);
}
