// What an open page does when its session has ended, or the service is away: people sign in where they are and go on,
// and nothing that was typed is lost. `zvonar.fetch` is `fetch` with both; requests of htmx go through it.
"use strict";

(() => {
  const owner = document.querySelector(".who")?.textContent.trim() || "";
  const LOOK_EVERY_MS = [1000, 2000, 3000, 5000];

  // --- the service is away ---
  let line = null;

  async function look(turn) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS[Math.min(turn, LOOK_EVERY_MS.length - 1)]));
    const there = await fetch("/readyz", { method: "HEAD", cache: "no-store" }).then((reply) => reply.ok, () => false);
    if (!there) return look(turn + 1);
    line.remove();
    line = null;
    document.dispatchEvent(new CustomEvent("zvonar:back"));
  }

  // Somebody could not reach the service: say so until it is back; then `zvonar:back` is told to the document.
  function lost() {
    if (line) return;
    line = document.createElement("p");
    line.className = "notice bad away";
    line.textContent = say("The service is not reachable, trying again ...");
    document.getElementById("notices").append(line);
    look(0);
  }

  // --- the session has ended ---
  let asking = null; // the promise of an open dialog: true when somebody has signed in

  async function isOver(reply) {
    if (reply.status !== 401 || !owner) return false;
    if (reply.headers.get("Signed-Out")) return true;
    const told = await reply.clone().json().catch(() => null); // of the API: a wrong key is another matter
    return told?.data?.code === "key_missing";
  }

  const element = zvonar.dom;

  function signInAgain() {
    asking ??= new Promise((resolve) => {
      const focused = document.activeElement;
      const problem = element("p", { class: "error", id: "door-problem", role: "alert" });
      const name = element("input", { name: "name", value: owner, readonly: true, autocomplete: "username" });
      const password = element("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
      password.setAttribute("aria-describedby", problem.id);
      const enter = element("button", { class: "main", text: say("Sign in and go on") });
      const elsewhere = element("button", { type: "button", text: say("I have signed in in another tab") });
      const later = element("button", { type: "button", class: "quiet", text: say("Not now") });
      const title = element("h2", { id: "door-title", text: say("You were signed out: sign in, and go on") });
      const form = element("form", { class: "stack" },
        title,
        element("p", { class: "hint", text: say("What you typed is still there.") }),
        element("label", { class: "field" }, element("span", { text: say("Name of the account") }), name),
        element("label", { class: "field" }, element("span", { text: say("Password") }), password),
        problem, element("div", { class: "row" }, enter, elsewhere, later));
      form.dataset.free = ""; // it needs no session itself
      const dialog = element("dialog", {}, form);
      dialog.setAttribute("aria-labelledby", title.id);

      let signedIn = false;
      dialog.addEventListener("close", () => {
        dialog.remove();
        asking = null;
        focused?.focus?.();
        resolve(signedIn);
      });
      later.addEventListener("click", () => dialog.close());
      const goOn = () => { signedIn = true; dialog.close(); };
      elsewhere.addEventListener("click", async () => {
        const now = await session().catch(() => null);
        if (now === owner) goOn();
        else problem.textContent = now ? say("Another account is signed in there") : say("Nobody is signed in");
      });
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        enter.disabled = true;
        problem.textContent = "";
        try {
          const reply = await fetch("/sign-in", { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form)) });
          const told = await reply.json().catch(() => ({}));
          if (reply.ok) return goOn();
          problem.textContent = told.message || told.data?.message || "";
        } catch {
          problem.textContent = say("The service cannot be reached");
          lost();
        }
        enter.disabled = false;
        password.select();
      });
      document.body.append(dialog);
      dialog.showModal();
      password.focus();
    });
    return asking;
  }

  // The name of the account that is signed in in this browser; null if nobody is. Throws when the service is away.
  async function session() {
    const reply = await fetch("/session", { cache: "no-store", headers: { Accept: "application/json" } });
    if (!reply.ok) throw new Error(reply.statusText);
    return (await reply.json()).name;
  }

  // Like `fetch`; where the session has ended one may sign in, and the request is made again.
  zvonar.fetch = async (path, options = {}) => {
    for (;;) {
      let reply;
      try {
        reply = await fetch(path, options);
      } catch (error) {
        if (error.name !== "AbortError") lost();
        throw error;
      }
      if (!(await isOver(reply)) || !(await signInAgain())) return reply;
    }
  };
  zvonar.lost = lost;

  document.addEventListener("htmx:before:request", (event) => { event.detail.ctx.fetch = zvonar.fetch; });
  window.addEventListener("offline", lost);

  // A form that is sent the plain way would be lost with its page: first it is seen to that it can arrive.
  const sure = new WeakSet();
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const plain = form.method === "post" && !form.closest("[hx-post]") && !("free" in form.dataset);
    if (event.defaultPrevented || !owner || !plain || sure.delete(form)) return;
    event.preventDefault();
    const { submitter } = event;
    try {
      const now = await session();
      if (now === null && !(await signInAgain())) return;
      if (now !== null && now !== owner) return location.reload(); // the page of an account that is signed in no more
    } catch {
      return lost();
    }
    sure.add(form);
    form.requestSubmit(submitter);
  });

  // --- passwords are shown to who asks ---
  for (const button of document.querySelectorAll("[data-reveal]")) {
    const fields = button.dataset.reveal.split(" ").map((id) => document.getElementById(id));
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = fields[0].type === "password";
      for (const field of fields) field.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
    });
  }
})();
