// Elements made without any markup of strings: zvonar.dom("p", {class: "hint", text: "..."}, child, ...).
"use strict";
{
  zvonar.dom = function dom(tag, given = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (name === "text") made.textContent = value;
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (typeof value === "boolean") made.toggleAttribute(name, value);
      else if (value !== undefined && value !== null) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };

  let count = 0;
  zvonar.newId = (beginning) => `${beginning}-${++count}`;

  zvonar.changed = (element) => element.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
}
