// The table of calls keeps itself fresh on its newest page, while somebody can see it.
"use strict";

(() => {
  const rows = document.getElementById("rows");
  if (!rows || !("lively" in rows.dataset)) return;
  let timer = 0;
  // What goes on moves often; otherwise only new calls are looked for. Unchanged rows come as an empty answer.
  const pause = () => (rows.querySelector("[data-open]") ? 3000 : 10000);
  const later = () => { clearTimeout(timer); if (!document.hidden) timer = setTimeout(look, pause()); };

  async function look() {
    try {
      const reply = await fetch(location.href, { headers: { "HX-Request": "true", "If-None-Match": rows.dataset.etag }, cache: "no-store" });
      if (reply.status === 401) return location.reload();
      if (reply.status === 200) {
        const part = new DOMParser().parseFromString(await reply.text(), "text/html");
        const held = rows.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
        rows.replaceChildren(...part.body.childNodes);
        rows.dataset.etag = reply.headers.get("etag");
        if (held) [...rows.querySelectorAll("a")].find((link) => link.getAttribute("href") === held)?.focus();
      }
    } catch { /* the service is away: the next look may find it */ }
    later();
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
  later();
})();
