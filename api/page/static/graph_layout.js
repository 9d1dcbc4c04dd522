// A tidy tree from left to right (Reingold and Tilford 1981, with outlines as arrays). Pure: no DOM.
// Subtrees of one menu are as near as their outlines allow, and a block stands in the middle of its choices.
"use strict";

// root: {children: [...]}; size: {width, height, across, between}: of a node, and of the gaps between levels and
// siblings. -> {nodes: [{node, parent, x, y}] parents first, width, height}; x, y: of the upper left corner.
zvonar.graphLayout = (root, { width, height, across, between }) => {
  const step = height + between;

  // {below, top, bottom}: offsets of the children against their parent, and the outline per level against the node.
  function shape(node) {
    const parts = node.children.map(shape);
    const at = [];
    const top = [], bottom = [];
    parts.forEach((part, index) => {
      let offset = 0;
      if (index) {
        offset = -Infinity;
        for (let level = 0; level < Math.min(bottom.length, part.top.length); level++) {
          offset = Math.max(offset, bottom[level] + step - part.top[level]);
        }
      }
      at.push(offset);
      part.top.forEach((y, level) => {
        if (level >= top.length) top[level] = y + offset;
        bottom[level] = part.bottom[level] + offset;
      });
    });
    const middle = parts.length ? (at[0] + at[at.length - 1]) / 2 : 0;
    return {
      node, parts, at: at.map((offset) => offset - middle),
      top: [0, ...top.map((y) => y - middle)], bottom: [0, ...bottom.map((y) => y - middle)],
    };
  }

  const nodes = [];
  function place(part, parent, level, y) {
    nodes.push({ node: part.node, parent, x: level * (width + across), y });
    part.parts.forEach((child, index) => place(child, part.node, level + 1, y + part.at[index]));
  }
  place(shape(root), null, 0, 0);
  const least = nodes.reduce((y, one) => Math.min(y, one.y), 0);
  for (const one of nodes) one.y -= least;
  return {
    nodes,
    width: nodes.reduce((most, one) => Math.max(most, one.x), 0) + width,
    height: nodes.reduce((most, one) => Math.max(most, one.y), 0) + height,
  };
};
