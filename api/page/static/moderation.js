// The queue by keyboard: one item is open, the next one comes up by itself. All of it goes by the buttons as well.
"use strict";

(() => {
  const queue = document.getElementById("queue");
  const count = document.getElementById("count");
  const done = document.getElementById("done");
  const LOOK_AGAIN_MS = 10000;
  const FEW = 5;
  let busy = false;
  queue.classList.add("by-keys");

  const now = () => queue.querySelector("li.now");

  function open(item, focused = true) {
    const last = now();
    if (last && last !== item) {
      last.classList.remove("now");
      const sound = soundOf(last);
      if (sound) sound.pause();
    }
    count.textContent = say("Waiting: {count}", { count: queue.children.length });
    done.hidden = queue.children.length > 0;
    if (!item) {
      done.tabIndex = -1;
      if (focused) done.focus();
      return;
    }
    item.classList.add("now");
    if (focused) {
      item.focus({ preventScroll: true });
      item.scrollIntoView({ block: "nearest" });
    }
  }

  // Items that came meanwhile are put behind those that are here; what one types stays.
  async function more() {
    let text;
    try {
      const reply = await fetch("/moderation", { headers: { Accept: "text/html" } });
      if (!reply.ok || reply.redirected) return;
      text = await reply.text();
    } catch {
      return;
    }
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const item of page.querySelectorAll("#queue > li")) {
      const known = queue.querySelector(`[data-kind="${item.dataset.kind}"][data-id="${item.dataset.id}"]`);
      if (!known) queue.append(document.adoptNode(item));
    }
    const focused = document.activeElement === document.body || document.activeElement === done;
    open(now() || queue.firstElementChild, !now() && focused);
  }

  async function decide(item, verdict) {
    if (busy) return;
    busy = true;
    const form = item.querySelector("form");
    const given = new FormData(form);
    given.set("verdict", verdict);
    const wrong = form.querySelector(".error");
    const why = form.querySelector("textarea");
    wrong.textContent = "";
    why.removeAttribute("aria-invalid");
    try {
      const reply = await zvonar.fetch(form.action, { method: "POST", body: given, headers: { Accept: "application/json" } });
      if (reply.status === 401) return location.reload();
      const told = await reply.json();
      if (told.error) {
        wrong.textContent = told.error;
        why.setAttribute("aria-invalid", "true");
        why.focus();
        return;
      }
      if (told.done) zvonar.notice(verdict === "accept" ? say("Accepted") : say("Rejected"));
      else zvonar.notice(told.text, "bad");
      const next = item.nextElementSibling || item.previousElementSibling;
      item.remove();
      open(next);
      if (queue.children.length < FEW) more();
    } catch {
      zvonar.notice(say("The service cannot be reached"), "bad");
    } finally {
      busy = false;
    }
  }

  function soundOf(item) {
    const player = item.querySelector("clip-player");
    return player && (player.audio || player.querySelector("audio"));
  }

  function play(item) {
    const sound = soundOf(item);
    if (!sound) return;
    if (sound.paused) sound.play().catch(() => {}); else sound.pause(); // the player tells why it cannot
  }

  queue.addEventListener("submit", (event) => {
    event.preventDefault();
    decide(event.target.closest("li"), event.submitter ? event.submitter.value : "reject");
  });
  queue.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    if (item && item !== now()) open(item);
  });

  document.addEventListener("keydown", (event) => {
    const item = now();
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !item) return;
    if (event.target.tagName === "TEXTAREA") {
      if (event.key === "Escape") item.focus();
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        decide(item, "reject");
      }
      return;
    }
    if (event.target.closest("input, select, button, a, audio, summary") && event.key === " ") return;
    const step = { j: "next", ArrowDown: "next", k: "previous", ArrowUp: "previous" }[event.key];
    const key = event.code === "KeyA" ? "a" : event.code === "KeyR" ? "r" : event.key; // whatever the layout
    const moved = step || { KeyJ: "next", KeyK: "previous" }[event.code];
    if (moved) {
      const other = moved === "next" ? item.nextElementSibling : item.previousElementSibling;
      if (other) open(other);
    } else if (key === " ") {
      play(item);
    } else if (key === "a") {
      decide(item, "accept");
    } else if (key === "r") {
      item.querySelector("textarea").focus();
    } else {
      return;
    }
    event.preventDefault();
  });

  setInterval(() => { if (!document.hidden && !busy && queue.children.length < FEW) more(); }, LOOK_AGAIN_MS);
  open(queue.querySelector("li:has([aria-invalid])") || queue.firstElementChild);
})();
