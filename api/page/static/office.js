// The rooms of the office: parts that follow what happens, dialogs, webhooks that are sent again.
"use strict";

(() => {
  // A part of the page is asked for again while somebody looks. What did not change is not touched, so that nobody
  // loses a selection, the focus or a fold; after ten minutes of silence it is asked for five times more seldom.
  const IDLE_MS = 600000;
  const held = new WeakMap();  // part -> its HTML as it came from the service

  async function fetched(part) {
    if (part.dataset.newest) {
      const reply = await fetch(part.dataset.newest, { headers: { Accept: "application/json" } });
      if (!reply.ok || String((await reply.json()).newest) === part.dataset.seen) return null;
    }
    const reply = await fetch(location.href);
    if (!reply.ok || reply.redirected) return null;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    return page.getElementById(part.id);
  }

  function renew(part, fresh) {
    if (fresh.innerHTML === held.get(part)) return false;
    const known = new Map([...part.querySelectorAll("details[id]")].map((fold) => [fold.id, fold.open]));
    const focused = part.contains(document.activeElement) ? document.activeElement.closest("[id]") : null;
    held.set(part, fresh.innerHTML);
    part.replaceChildren(...fresh.childNodes);
    for (const fold of part.querySelectorAll("details[id]")) if (known.has(fold.id)) fold.open = known.get(fold.id);
    if (fresh.dataset.seen) part.dataset.seen = fresh.dataset.seen;
    if (!fresh.dataset.refresh) delete part.dataset.refresh;
    reveal(part);
    const again = focused && document.getElementById(focused.id);
    if (again) (again.querySelector("summary") || again).focus();
    return true;
  }

  function follow(part) {
    let changed_at = Date.now();
    held.set(part, part.innerHTML);
    async function look() {
      if (!part.dataset.refresh || !part.isConnected) return;
      if (!document.hidden) {
        try {
          const fresh = await fetched(part);
          if (fresh && renew(part, fresh)) changed_at = Date.now();
        } catch { /* the service is away for a moment: it is asked again */ }
      }
      setTimeout(look, Number(part.dataset.refresh) * 1000 * (Date.now() - changed_at > IDLE_MS ? 5 : 1));
    }
    setTimeout(look, Number(part.dataset.refresh) * 1000);
  }

  // What works by scripts only is shown by them.
  function reveal(root) {
    for (const control of root.querySelectorAll("[data-shown]")) control.hidden = false;
  }

  async function resend(numbers, key) {
    const { status, data } = await zvonar.ask("/webhooks/resend", numbers, { "Idempotency-Key": key });
    if (status !== 200) { zvonar.notice(data.data.message, "bad"); return false; }
    zvonar.notice(say("Sent again: {count}", { count: data.data.length }));
    return true;
  }

  function refresh_now() {
    for (const part of document.querySelectorAll("#deliveries, #delivery")) {
      if (!part.dataset.refresh) { part.dataset.refresh = "2"; follow(part); }
    }
  }

  // The dialog that says how many: each choice of a time is counted, and what was counted last may be sent, once.
  function ask_how_many(form) {
    const told = form.querySelector("[data-count]"), button = form.querySelector("[type=submit]");
    let key = "", since = 0;
    async function count() {
      button.disabled = true;
      key = "page-" + Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");
      since = Math.floor(Date.now() / 1000) - Number(form.elements.since.value);
      try {
        const reply = await fetch("/webhooks/failed?since=" + since, { headers: { Accept: "application/json" } });
        const { count: many, more } = await reply.json();
        told.textContent = more ? say("{count} will be sent, the oldest first; there are more.", { count: many })
          : many ? say("{count} will be sent.", { count: many }) : say("None failed in this time.");
        button.disabled = !many;
      } catch { told.textContent = say("The service cannot be reached"); }
    }
    form.elements.since.addEventListener("change", count);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      if (await resend({ failedSince: since }, key)) { form.closest("dialog").close(); refresh_now(); } else button.disabled = false;
    });
    return count;
  }

  document.addEventListener("click", async (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.open);
      dialog.showModal();
      if (dialog.counted) dialog.counted();
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
    const again = event.target.closest("[data-resend]");
    if (again) {
      again.disabled = true;
      const done = await resend({ idList: [Number(again.dataset.resend)] }, "page-" + Date.now() + "-" + again.dataset.resend);
      again.disabled = false;
      if (done) refresh_now();
    }
  });

  for (const part of document.querySelectorAll("[data-refresh]")) follow(part);
  reveal(document);
  for (const form of document.querySelectorAll("[data-again]")) form.closest("dialog").counted = ask_how_many(form);
})();
