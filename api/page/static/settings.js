// The signing secret stays on the server until somebody wants to see or to copy it.
"use strict";

for (const form of document.querySelectorAll("[data-secret]")) {
  const output = form.querySelector("output");
  const show = form.querySelector("[data-show]");
  const take = form.querySelector("[data-take]");
  const hidden = output.textContent;
  const asked = async () => {
    const reply = await zvonar.fetch("/settings/secret/show", { method: "POST", headers: { Accept: "application/json" } });
    return reply.ok ? (await reply.json()).secret : null;
  };
  take.hidden = false;
  take.addEventListener("click", async () => {
    const secret = await asked().catch(() => null);
    if (secret) zvonar.copy(secret);
  });
  show?.addEventListener("click", async (event) => {
    event.preventDefault();
    const open = output.textContent !== hidden;
    const secret = open ? hidden : await asked().catch(() => null);
    if (!secret) return;
    output.textContent = secret;
    [show.textContent, show.dataset.other] = [show.dataset.other, show.textContent];
  });
}
