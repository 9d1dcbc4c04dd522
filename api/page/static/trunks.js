// Trunks, live: looks again each few seconds, not in a hidden tab. htmx asks and puts in what has changed.
"use strict";

(() => {
  const LOOK_MS = 3000;
  const stale = document.getElementById("stale");
  const look = () => {
    if (!document.hidden) document.getElementById("live").dispatchEvent(new CustomEvent("look"));
  };
  setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", look);
  document.addEventListener("htmx:after:swap", () => { stale.hidden = true; });
  document.addEventListener("htmx:error", () => {
    stale.textContent = say("The service cannot be reached: what you see is old. It comes back by itself.");
    stale.hidden = false;
  });
})();
