// The voice menu as a tree of nodes, and back to the contract's `ivrs`. Pure: no DOM. The root is the first clip.
"use strict";

zvonar.menuTree = (() => {
  const OURS = new Set(["digit", "record", "tag", "needBlock", "managerPhone", "webhookUrl", "webhookParameters", "ivrs"]);
  const word = (value) => (value === null || value === undefined || typeof value === "object" ? "" : String(value));
  const flag = (value) => value === true || ["1", "1.0", "true", "on", "yes", "y"].includes(word(value).trim().toLowerCase());

  function list(value) {
    if (typeof value === "string") { try { value = JSON.parse(value); } catch { return []; } }
    return Object.values(value && typeof value === "object" ? value : {}).filter((one) => one && typeof one === "object");
  }

  // {id} | {text, gender, ...} | null from what a request or our own store says of a clip.
  function clip(value) {
    if (value === null || value === undefined || value === "") return null;
    if (typeof value !== "object") return { id: value };
    if (value.id) return { id: value.id, ...(value.name ? { name: value.name } : {}) };
    if (!value.text) return null;
    return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null && part !== undefined));
  }

  function node(block, parent) {
    const parameters = block.webhookParameters;
    const made = {
      parent, digit: word(block.digit), record: clip(block.record), tag: word(block.tag), needBlock: flag(block.needBlock),
      managerPhone: Array.isArray(block.managerPhone) ? block.managerPhone.map(word).join(", ") : word(block.managerPhone), webhookUrl: word(block.webhookUrl),
      webhookParameters: parameters && typeof parameters === "object" ? JSON.stringify(parameters) : word(parameters),
      rest: Object.fromEntries(Object.entries(block).filter(([name, value]) => !OURS.has(name) && value !== null)),
      children: [],
    };
    made.children = list(block.ivrs).map((child) => node(child, made));
    return made;
  }

  // {record, ivrs, tag} -> the root.
  const read = (menu) => node({ ...menu, digit: "" }, null);

  // A node as an element of `ivrs`; what is empty is left out.
  function block(from) {
    const told = { digit: from.digit };
    if (from.record) told.record = from.record;
    if (from.tag) told.tag = from.tag;
    if (from.needBlock) told.needBlock = 1;
    if (from.managerPhone.trim()) told.managerPhone = from.managerPhone;
    if (from.webhookUrl.trim()) told.webhookUrl = from.webhookUrl;
    if (from.webhookParameters.trim()) told.webhookParameters = from.webhookParameters;
    Object.assign(told, from.rest);
    if (from.children.length) told.ivrs = from.children.map(block);
    return told;
  }

  const depth = (from) => (from.parent ? 1 + depth(from.parent) : 0);
  const height = (from) => from.children.reduce((most, child) => Math.max(most, 1 + height(child)), 0);
  const all = (from) => [from, ...from.children.flatMap(all)];
  const within = (from, above) => from === above || (from.parent !== null && within(from.parent, above));
  const taken = (parent, but) => new Set(parent.children.filter((child) => child !== but).map((child) => child.digit));
  // As ivr/menu.py names blocks for facts: "menu.1.2".
  const name = (from, root) => (from.parent ? `${name(from.parent, root)}.${from.digit}` : root);
  const way = (from) => (from.parent ? [...way(from.parent), from.digit] : []);

  // The digits of `keys` that no other block of this menu has.
  function free(parent, keys, but = null) {
    const used = taken(parent, but);
    return keys.filter((key) => !used.has(key));
  }

  // The next digit to offer: 1 to 9 before the others.
  const next = (parent, keys) => free(parent, [...keys].sort((a, b) => Number(a < "1" || a > "9") - Number(b < "1" || b > "9") || (a < b ? -1 : 1)))[0];

  // Hang a node below `parent` before its child `at`; it gets another digit where its own is taken.
  function hang(from, parent, at, keys) {
    if (!from.digit || taken(parent, from).has(from.digit)) from.digit = next(parent, keys) || "";
    from.parent = parent;
    parent.children.splice(at, 0, from);
  }

  function cut(from) {
    const at = from.parent.children.indexOf(from);
    from.parent.children.splice(at, 1);
    return at;
  }

  // Why no (further) block can be hung below `parent`: "manager", "full", "deep", "many" or "" where it can.
  function bar(parent, facts, what = null) {
    const { keys, most_deep, most_blocks } = facts;
    if (what && within(parent, what)) return "inside";
    if (parent.managerPhone.trim()) return "manager";
    if (!free(parent, keys, what).length) return "full";
    if (depth(parent) + 1 + (what ? height(what) : 0) > most_deep) return "deep";
    let top = parent;
    while (top.parent) top = top.parent;
    const inside = what && within(what, top);
    if (!inside && all(top).length - 1 + (what ? all(what).length : 1) > most_blocks) return "many";
    return "";
  }

  const copy = (from) => node({ ...block(from) }, null);

  // "ivrs[0].ivrs.2.record.id" -> {node, field: "record.id"}; node is the root, or the last that there is.
  function find(root, field) {
    let here = root;
    const parts = field.replace(/\[(\w*)\]/g, ".$1").split(".");
    while (parts[0] === "ivrs" && /^\d+$/.test(parts[1] || "") && here.children[parts[1]]) {
      here = here.children[parts[1]];
      parts.splice(0, 2);
    }
    return { node: here, field: parts.join(".") };
  }

  return { read, node, block, depth, all, within, name, way, free, next, hang, cut, bar, copy, find };
})();
