// What the parts of the clip picker share: elements, icons, times, the server's limits. Texts of others are text nodes.
"use strict";

window.clipParts = (() => {
  let numbers = 0;
  let limits = null;

  return {
    element: zvonar.dom,
    icon: zvonar.icon,
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
