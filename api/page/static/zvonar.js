// What all pages share: texts, notices, requests to our own service, the menu on small screens. No build step:
// scripts are classic, loaded in order with `defer`, and what they share hangs on `zvonar`.
"use strict";

// A text in the reader's language; {name} is filled in. Only literal texts: they are found in the scripts.
function say(text, values = {}) {
  const said = (window.TEXTS || {})[text] || text;
  return said.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
}

const zvonar = {
  say,
  language: document.documentElement.lang,

  // Tell something that happened; it is read out and goes away by itself. kind: "good" or "bad".
  notice(text, kind = "good") {
    const note = document.createElement("p");
    note.className = "notice " + kind;
    note.textContent = text;
    document.getElementById("notices").append(note);
    setTimeout(() => note.remove(), kind === "bad" ? 12000 : 5000);
  },

  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    zvonar.notice(say("Copied"));
  },

  // A request of the contract with the session of this page: {status, data, took_ms}. status 0: nothing came back.
  async ask(path, body, headers = {}) {
    const form = body instanceof FormData;
    const began = performance.now();
    try {
      const reply = await zvonar.fetch(path, {
        method: "POST",
        headers: { "Accept-Language": zvonar.language, ...(form ? {} : { "Content-Type": "application/json" }), ...headers },
        body: form ? body : JSON.stringify(body),
      });
      const text = await reply.text();
      let data = null;
      try { data = JSON.parse(text); } catch { data = { status: "error", data: { message: text.slice(0, 300) } }; }
      return { status: reply.status, data, took_ms: Math.round(performance.now() - began) };
    } catch {
      return { status: 0, data: { status: "error", data: { message: say("The service cannot be reached") } },
        took_ms: Math.round(performance.now() - began) };
    }
  },
};
window.zvonar = zvonar;

document.addEventListener("click", (event) => {
  const toggle = event.target.closest("[data-toggle]");
  if (toggle) {
    const open = toggle.getAttribute("aria-expanded") !== "true";
    toggle.setAttribute("aria-expanded", String(open));
    document.getElementById(toggle.dataset.toggle).classList.toggle("open", open);
  }
  const copied = event.target.closest("[data-copy]");
  if (copied) zvonar.copy(copied.dataset.copy);
});
