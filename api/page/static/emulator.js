// The room: which request, its form, what it looks like as JSON and code, and what came back.
"use strict";
{
  const dom = (...given) => zvonar.dom(...given);
  const room = document.getElementById("emulator");
  const find = (selector) => room.querySelector(selector);
  const forms = {};
  for (const form of room.querySelectorAll("form[data-method]")) forms[form.dataset.method] = new zvonar.RequestForm(form);
  const clip = zvonar.recordForm(forms.createRecord.form, () => grown());
  const conflict = find("[data-conflict]");
  const hand = find("[data-hand]");
  let method = "create";
  let view = "json";
  let busy = false;
  let shortKey = room.dataset.key;

  // --- the draft -----------------------------------------------------------------------------------------------
  let other = null;
  const draft = new zvonar.Draft(room.dataset.account, (kept) => { other = kept; conflict.hidden = false; });
  const state = () => ({
    method, view, hand: hand.hidden ? null : hand.value,
    forms: Object.fromEntries(Object.entries(forms).map(([name, form]) => [name, form.state])),
  });

  function restore(kept) {
    if (!kept) return;
    for (const [name, form] of Object.entries(forms)) if (kept.forms && kept.forms[name]) form.state = kept.forms[name];
    choose(kept.method in forms ? kept.method : "create");
    if (kept.view) look(kept.view);
    if (typeof kept.hand === "string") edit(kept.hand);
  }

  find("[data-take-theirs]").addEventListener("click", () => {
    conflict.hidden = true;
    restore(other.state);
    draft.prefer(state());
  });
  find("[data-keep-mine]").addEventListener("click", () => { conflict.hidden = true; draft.prefer(state()); });
  find("[data-clear]").addEventListener("click", () => {
    if (!confirm(say("Clear everything that you typed here?"))) return;
    draft.clear();
    for (const form of Object.values(forms)) { form.reset(); form.showErrors({}); }
    leaveHand();
    grown();
  });

  // --- the request, as it grows ----------------------------------------------------------------------------------
  const form = () => forms[method];
  const url = () => `${location.origin}/apiCalls/${method}`;

  function body() {
    if (hand.hidden) return form().body;
    try {
      const { apiKey, apikey, ...known } = JSON.parse(hand.value);
      return known;
    } catch { return null; }
  }

  const withKey = (given, key = shortKey) => ({ apiKey: key, ...given });
  const file = () => (method === "createRecord" && hand.hidden ? clip.file() : null);

  function code(key) {
    const given = file();
    return zvonar.samples[view]({ url: url(), body: withKey(body() || {}, key), file: given ? given.name : undefined });
  }

  let saving = 0;
  function grown() {
    form().follow();
    const shown = find("[data-shown]");
    shown.classList.toggle("code", view !== "json");
    if (view === "json") {
      zvonar.json.show(shown, withKey({ ...(body() || {}), ...(file() ? { file: file().name } : {}) }));
    } else {
      shown.textContent = code(shortKey);
    }
    clearTimeout(saving);
    saving = setTimeout(() => { draft.save(state()); names(); }, 250);
  }
  addEventListener("pagehide", () => { draft.save(state()); });

  // Names that nobody knows; asked when the typing pauses.
  let asked = "";
  async function names() {
    const given = hand.hidden ? JSON.stringify(form().body) : hand.value;
    if (asked === method + given) return;
    asked = method + given;
    const reply = await zvonar.fetch("/emulator/check", {
      method: "POST", body: new URLSearchParams({ method, body: given }), headers: { Accept: "application/json" },
    }).catch(() => null);
    if (!reply || !reply.ok || asked !== method + given) return;
    const told = await reply.json();
    const lines = told.unknown.map(({ path, meant }) => dom("li", { text: meant
      ? say("{field}: no such field; {meant} is meant?", { field: path, meant })
      : say("{field}: no such field; it is ignored", { field: path }) }));
    if (told.message) lines.push(dom("li", { text: told.message }));
    find("[data-unknown]").replaceChildren(...lines);
    find("[data-unknown]").hidden = !lines.length;
  }

  room.addEventListener("input", grown);
  room.addEventListener("change", grown);
  room.addEventListener("changed", grown);

  function choose(next) {
    if (next !== method) leaveHand();
    method = next;
    for (const [name, one] of Object.entries(forms)) one.form.hidden = name !== method;
    for (const tab of room.querySelectorAll("[data-kind-of-request]")) {
      tab.setAttribute("aria-pressed", String(tab.dataset.kindOfRequest === method));
    }
    find("[data-reference]").href = `/reference#apiCalls_${method}`;
    find("[data-warning]").hidden = method !== "create";
    find("[data-dry]").hidden = method !== "create";
    if (method === "get") latest();
    grown();
  }
  for (const tab of room.querySelectorAll("[data-kind-of-request]")) {
    tab.addEventListener("click", () => choose(tab.dataset.kindOfRequest));
  }

  function look(next) {
    if (next !== "json") leaveHand();
    view = next;
    for (const tab of room.querySelectorAll("[data-view]")) tab.setAttribute("aria-pressed", String(tab.dataset.view === view));
    find("[data-with-key]").hidden = view === "json";
    find("[data-by-hand]").hidden = view !== "json";
    grown();
  }
  for (const tab of room.querySelectorAll("[data-view]")) tab.addEventListener("click", () => look(tab.dataset.view));

  find("[data-copy-shown]").addEventListener("click", async () => {
    if (view === "json") return zvonar.copy(zvonar.json.text(withKey(body() || {})));
    const key = await wholeKey();
    if (key) zvonar.copy(code(key));
  });

  // --- by hand ---------------------------------------------------------------------------------------------------
  function edit(text) {
    hand.value = text;
    hand.hidden = false;
    find("[data-shown]").hidden = true;
    find("[data-by-hand]").textContent = say("Back to the form");
    grown();
  }

  function leaveHand() {
    if (hand.hidden) return;
    hand.hidden = true;
    find("[data-shown]").hidden = false;
    find("[data-by-hand]").textContent = say("Edit by hand");
  }

  find("[data-by-hand]").addEventListener("click", () => {
    if (hand.hidden) {
      edit(zvonar.json.text(form().body));
      hand.focus();
      return;
    }
    const known = body();
    if (known === null) return zvonar.notice(say("This is not JSON yet; mend it, and the form takes it over"), "bad");
    leaveHand();
    form().body = known;
    grown();
  });

  // --- the key ---------------------------------------------------------------------------------------------------
  async function wholeKey() {
    const reply = await zvonar.fetch("/emulator/key", { method: "POST", headers: { Accept: "application/json" } }).catch(() => null);
    if (reply && reply.ok) return (await reply.json()).key;
    zvonar.notice(reply && reply.status === 401 ? say("Your session has ended") : say("The service cannot be reached"), "bad");
    return null;
  }

  find("[data-copy-key]").addEventListener("click", async () => {
    const key = await wholeKey();
    if (key) zvonar.copy(key);
  });
  const question = document.getElementById("renew");
  find("[data-renew]").addEventListener("click", () => question.showModal());
  question.addEventListener("close", async () => {
    if (question.returnValue !== "yes") return;
    question.returnValue = "";
    const reply = await zvonar.fetch("/emulator/key/renew", { method: "POST", headers: { Accept: "application/json" } }).catch(() => null);
    if (!reply || !reply.ok) return zvonar.notice(say("The service cannot be reached"), "bad");
    const told = await reply.json();
    shortKey = told.shortened;
    find("[data-key]").textContent = shortKey;
    grown();
    zvonar.copy(told.key);
    zvonar.notice(say("The new key is in force; the old one is dead"));
  });

  // --- sending ---------------------------------------------------------------------------------------------------
  // One content, one key: a second click, or a try after a lost connection, is the same request to the service.
  const newKey = () => (crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`);
  function idempotencyKey(content) {
    let kept = null;
    try { kept = JSON.parse(sessionStorage.getItem("zvonar.sending")); } catch { /* none */ }
    if (!kept || kept.content !== content) kept = { content, key: newKey() };
    try { sessionStorage.setItem("zvonar.sending", JSON.stringify(kept)); } catch { /* full: only a reload would need it */ }
    return kept.key;
  }

  async function send(what, given, attached = null, { dry = false } = {}) {
    if (busy) return;
    busy = true;
    const buttons = room.querySelectorAll("[data-send]");
    for (const button of buttons) button.disabled = true;
    const sent = dry ? { ...given, dryRun: 1 } : given;
    const key = idempotencyKey(JSON.stringify([what, sent, attached ? [attached.name, attached.size, attached.lastModified] : 0]));
    let payload = sent;
    if (attached) {
      payload = new FormData();
      for (const [name, value] of Object.entries(sent)) payload.append(name, typeof value === "object" ? JSON.stringify(value) : value);
      payload.append("file", attached);
    }
    try {
      const reply = await zvonar.ask(`/apiCalls/${what}`, payload, { "Zvonar-Emulator": "1", "Idempotency-Key": key });
      if (reply.status > 0 && reply.status < 500) sessionStorage.removeItem("zvonar.sending");
      const homeless = what === method ? form().showErrors(reply.data && reply.data.data ? reply.data.data.errors : {}) : [];
      show(what, attached ? { ...sent, file: attached.name } : sent, reply, homeless);
      room.querySelector("request-history").load();
    } finally {
      setTimeout(() => {
        busy = false;
        for (const button of buttons) button.disabled = false;
      }, 400);
    }
  }

  function press(event, dry) {
    if (event.detail > 1) return; // the second click of a double one
    const given = body();
    if (given === null) {
      zvonar.notice(say("This is not JSON yet; mend it, and the form takes it over"), "bad");
      hand.focus();
      return;
    }
    draft.save(state());
    send(method, given, file(), { dry });
  }
  find("[data-generate]").addEventListener("click", (event) => press(event, false));
  find("[data-dry]").addEventListener("click", (event) => press(event, true));
  for (const one of Object.values(forms)) one.form.addEventListener("submit", (event) => event.preventDefault());

  function show(what, sent, reply, homeless) {
    const place = find("[data-result]");
    const good = reply.status >= 200 && reply.status < 300;
    const state = find("[data-status]");
    state.textContent = reply.status ? String(reply.status) : say("no reply");
    state.className = "state " + (good ? "good" : "bad");
    find("[data-took]").textContent = say("{n} ms", { n: reply.took_ms });
    zvonar.json.show(find("[data-sent]"), withKey(sent));
    zvonar.json.show(find("[data-reply]"), reply.data);
    find("[data-copy-sent]").dataset.copy = zvonar.json.text(withKey(sent));
    find("[data-copy-reply]").dataset.copy = zvonar.json.text(reply.data);
    const said = find("[data-said]");
    said.replaceChildren();
    said.hidden = good;
    if (reply.status === 401) {
      said.append(say("Your session has ended. Nothing is lost:"), " ", dom("a", { href: "/sign-in", text: say("sign in and go on") }));
    } else if (reply.status === 0) {
      said.append(say("Nothing came back. Send it again without worry: it will be one call."));
    } else if (!good) {
      said.append(((reply.data || {}).data || {}).message || "", ...homeless.map((line) => dom("div", { text: line })));
    }
    place.hidden = false;
    watch(what, sent, reply);
    const errors = good ? null : form().form.querySelector('[aria-invalid="true"]');
    if (!errors) {
      place.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      place.focus({ preventScroll: true });
    }
  }

  const WATCHED = 4;
  function watch(what, sent, reply) {
    const elements = what === "create" && !sent.dryRun && reply.data && Array.isArray(reply.data.data) ? reply.data.data : [];
    const calls = elements.filter((one) => one.status === undefined && one.id);
    const watched = calls.slice(0, WATCHED).map((one) => dom("call-watch", { call: String(one.id) }));
    if (calls.length > WATCHED) watched.push(dom("p", {}, dom("a", { href: "/calls", text: say("and {n} more", { n: calls.length - WATCHED }) })));
    find("[data-watch]").replaceChildren(...watched);
  }
  room.addEventListener("block", (event) => {
    const graph = room.querySelector("menu-graph");
    if (graph) graph.lit = event.detail;
  });

  // --- small things ----------------------------------------------------------------------------------------------
  for (const button of room.querySelectorAll("[data-call]")) {
    button.addEventListener("click", () => {
      forms.create.control("phone").value = [button.dataset.call];
      grown();
      zvonar.notice(say("{phone} is chosen", { phone: zvonar.phones.masked(button.dataset.call) }));
    });
  }

  // Another room sent a request, or an address for webhooks, along.
  function takeGiven() {
    const given = JSON.parse(room.dataset.given);
    if (!Object.keys(given).length) return;
    history.replaceState(null, "", "/");
    const whole = room.dataset.from !== "";
    if (whole && !forms.create.untouched
      && !confirm(say("Replace what you typed here by the request of call {id}?", { id: room.dataset.from }))) return;
    choose("create");
    leaveHand();
    forms.create.body = whole ? given : { ...forms.create.body, ...given };
    forms.create.reveal(forms.create.control("webhookUrl"), Boolean(given.webhookUrl));
    grown();
  }

  async function latest() {
    const place = find("[data-latest]");
    const reply = await zvonar.fetch("/emulator/calls", { headers: { Accept: "application/json" } }).catch(() => null);
    if (!reply || !reply.ok) return;
    const { calls } = await reply.json();
    place.replaceChildren(...calls.map((call) => dom("button", {
      type: "button", class: "quiet", text: `${call.id} · ${zvonar.phones.masked(call.phone)}`,
      onclick: () => forms.get.control("apiCallIdList").toggle(call.id),
    })));
    find("[data-latest-of]").hidden = !calls.length;
  }

  room.addEventListener("send-again", (event) => send(event.detail.method, event.detail.body));
  room.addEventListener("take-over", (event) => {
    if (!forms[event.detail.method]) return;
    choose(event.detail.method);
    form().body = event.detail.body;
    grown();
    form().form.scrollIntoView({ block: "start" });
  });

  choose("create");
  restore(draft.load());
  draft.mark(state());
  takeGiven();
}
