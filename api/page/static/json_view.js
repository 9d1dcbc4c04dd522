// JSON as people read it: coloured by elements, never by markup of strings; and what two values differ in.
"use strict";
{
  const dom = (...given) => zvonar.dom(...given);
  const isTree = (value) => value !== null && typeof value === "object";
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

  function leaf(value) {
    const kind = value === null ? "null" : typeof value;
    return dom("span", { class: `j-${kind}`, text: JSON.stringify(value) });
  }

  // `other` is what it is compared with; undefined at the top: with nothing.
  function draw(into, value, indent, compare, other) {
    if (!isTree(value)) return into.append(leaf(value));
    const list = Array.isArray(value);
    const entries = list ? value.map((item, index) => [index, item]) : Object.entries(value);
    if (!entries.length) return into.append(list ? "[]" : "{}");
    into.append(list ? "[\n" : "{\n");
    entries.forEach(([name, item], index) => {
      const beside = isTree(other) ? other[name] : undefined;
      const differs = compare && !same(item, beside);
      const line = dom(differs && !(isTree(item) && isTree(beside)) ? "mark" : "span");
      line.append("  ".repeat(indent + 1));
      if (!list) line.append(dom("span", { class: "j-name", text: JSON.stringify(name) }), ": ");
      draw(line, item, indent + 1, differs && isTree(item) && isTree(beside), beside);
      line.append(index < entries.length - 1 ? ",\n" : "\n");
      into.append(line);
    });
    into.append("  ".repeat(indent), list ? "]" : "}");
  }

  zvonar.json = {
    text: (value) => JSON.stringify(value, null, 2),

    // Put the value into an element; with `beside`, mark what that one has not, or has otherwise.
    show(element, value, beside = undefined) {
      element.replaceChildren();
      draw(element, value, 0, beside !== undefined, beside);
    },
  };
}
