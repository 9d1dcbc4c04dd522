// What the engine makes of a block, in words; and what the server tells of menus (menu_facts.html).
"use strict";

zvonar.menuFacts = (() => {
  let facts = null;
  return () => (facts ||= JSON.parse(document.getElementById("menu-facts").textContent));
})();

zvonar.menuWords = (() => {
  const short = (text, most = 60) => {
    const letters = Array.from(text);
    return letters.length > most ? letters.slice(0, most - 1).join("").trimEnd() + "…" : text;
  };

  const quoted = (text) => (zvonar.language === "ru" ? `«${text}»` : `“${text}”`);

  // What a clip says or is called; "" of none.
  function clip(record, names = {}) {
    if (!record) return "";
    if (record.text) return quoted(short(record.text.replace(/<->|<<<|>>>|\+/g, "").replace(/\s+/g, " ").trim()));
    return record.name || names[record.id] || say("Record {number}", { number: record.id });
  }

  function title(node, names = {}) {
    if (node.tag) return node.tag;
    return clip(node.record, names) || (node.parent ? say("Block {block}", { block: way(node) }) : say("First clip"));
  }

  const way = (node) => zvonar.menuTree.way(node).join(" → ");

  function waits(node, facts) {
    const values = { seconds: facts.wait_s.toLocaleString(zvonar.language), tries: facts.tries };
    if (facts.tries === 2) {
      return node.record ? say("plays the clip, waits {seconds} s for a digit, twice; then hangs up", values)
        : say("plays nothing, waits {seconds} s for a digit, twice; then hangs up", values);
    }
    return node.record ? say("plays the clip, waits {seconds} s for a digit, {tries} times; then hangs up", values)
      : say("plays nothing, waits {seconds} s for a digit, {tries} times; then hangs up", values);
  }

  // A sentence: all that happens in the block, in order.
  function does(node, facts) {
    const acts = [];
    if (node.webhookUrl.trim()) acts.push(say("calls the webhook"));
    if (node.needBlock) acts.push(say("puts the callee on the stop list"));
    if (node.managerPhone.trim()) acts.push(node.record ? say("plays the clip and connects to the manager") : say("connects to the manager"));
    else if (node.children.length) acts.push(waits(node, facts));
    else acts.push(node.record ? say("plays the clip and hangs up") : say("hangs up at once"));
    const told = acts.join("; ");
    return told[0].toLocaleUpperCase(zvonar.language) + told.slice(1);
  }

  // For the drawing: [icon, word] of each thing that the block does.
  function acts(node) {
    const told = [];
    if (node.record) told.push(["play", say("clip")]);
    if (node.children.length) told.push(["menu", say("menu")]);
    if (node.needBlock) told.push(["stop", say("stop list")]);
    if (node.webhookUrl.trim() && node.parent) told.push(["hook", say("webhook")]);
    if (node.managerPhone.trim()) told.push(["people", say("manager")]);
    if (!node.children.length && !node.managerPhone.trim()) told.push(["exit", say("the end")]);
    return told;
  }

  return { short, clip, title, way, does, acts };
})();
