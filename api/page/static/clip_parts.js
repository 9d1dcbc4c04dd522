// What the parts of the clip picker share: elements, icons, times, the server's limits. Texts of others are text nodes.
"use strict";

window.clipParts = (() => {
  const ICONS = {
    play: "M7 4l13 8-13 8z",
    pause: "M7 5v14M17 5v14",
    text: "M4 6h16M4 12h16M4 18h10",
    mic: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11a6 6 0 0 0 12 0M12 17v4",
    stop: "M6 6h12v12H6z",
    upload: "M12 16V5M7 9l5-5 5 5M5 20h14",
    saved: "M4 10v4M8 6v12M12 3v18M16 7v10M20 10v4",
    close: "M6 6l12 12M18 6L6 18",
    refresh: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
    check: "M5 12l5 5 9-11",
  };
  let numbers = 0;
  let limits = null;

  // element("p", {class: "hint", hidden: true, onclick: f}, child, "text")
  function element(tag, given = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  return {
    element,
    icon,
    number: () => ++numbers,
    clock(ms) {
      const seconds = Math.round(ms / 1000);
      return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    },
    // Once a page; asked again where it failed.
    limits() {
      limits ||= fetch("/records/limits", { headers: { Accept: "application/json" } })
        .then((reply) => (reply.ok ? reply.json() : Promise.reject(new Error(String(reply.status)))))
        .catch((error) => { limits = null; throw error; });
      return limits;
    },
    show(place, texts) {
      place.textContent = [].concat(texts || []).join(" ");
      place.hidden = !place.textContent;
    },
    // What went wrong, in words, from a reply of the contract.
    problem(data) {
      const told = (data && data.data) || {};
      const first = Object.values(told.errors || {}).flat()[0];
      return first || told.message || say("Something went wrong. Try again.");
    },
  };
})();
