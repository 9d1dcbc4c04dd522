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

  // An icon of the service's own set; what is beside it must have words.
  const SVG = "http://www.w3.org/2000/svg";
  zvonar.icon = function icon(name) {
    const made = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
    made.setAttribute("class", "icon");
    made.setAttribute("viewBox", "0 0 24 24");
    made.setAttribute("aria-hidden", "true");
    path.setAttribute("d", window.ICONS[name]);
    made.append(path);
    return made;
  };

  let count = 0;
  zvonar.newId = (beginning) => `${beginning}-${++count}`;

  zvonar.changed = (element) => element.dispatchEvent(new CustomEvent("changed", { bubbles: true }));
}
