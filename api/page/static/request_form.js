// A form of the emulator: its state (what has to survive), the body of the request that it means, and the way back.
// Controls bear data-name (a field of the contract) or data-ui (how the form stands); what the form has no control for
// is kept as it came, so that a request of the history or one edited by hand loses nothing.
"use strict";
{
  const OWN = ["PHONE-LIST", "ID-LIST", "PAIR-ROWS", "BLOCK-TAGS", "CLIP-PICKER", "VOICE-MENU"];

  const pad = (number) => String(number).padStart(2, "0");
  const asLocal = (seconds) => {
    const at = new Date(seconds * 1000);
    return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`;
  };
  const asSeconds = (local) => (local ? Math.floor(new Date(local).getTime() / 1000) : NaN);
  const on = (value) => value === true || ["1", "true", "on", "yes", "y"].includes(String(value).trim().toLowerCase());

  function get(control) {
    if (OWN.includes(control.tagName)) return ("raw" in control ? control.raw : control.value) ?? null;
    if (control.dataset.kind === "days") return [...control.querySelectorAll("input:checked")].map((day) => Number(day.value));
    if (control.dataset.kind === "choice") return (control.querySelector("input:checked") || {}).value || "";
    if (control.type === "checkbox") return control.checked;
    return control.value;
  }

  function set(control, value) {
    if (OWN.includes(control.tagName)) {
      if (!customElements.get(control.tagName.toLowerCase())) return;
      if ("raw" in control) control.raw = value ?? undefined;
      else control.value = value;
    } else if (control.dataset.kind === "days") {
      for (const day of control.querySelectorAll("input")) day.checked = (String(value ?? "").match(/[1-7]/g) || []).includes(day.value);
    } else if (control.dataset.kind === "choice") {
      const inputs = [...control.querySelectorAll("input")];
      (inputs.find((one) => one.value === String(value)) || inputs[0]).checked = true;
    } else if (control.type === "checkbox") {
      control.checked = on(value);
    } else {
      control.value = value ?? "";
    }
  }

  class RequestForm {
    constructor(form) {
      this.form = form;
      this.method = form.dataset.method;
      this.extras = {};
      this.fresh = this.state;
    }

    control(name) {
      return this.controls.find((one) => one.dataset.name === name || one.dataset.ui === name) || null;
    }

    // Ours, not those within the parts of other rooms.
    get controls() {
      return [...this.form.querySelectorAll("[data-name], [data-ui]")]
        .filter((one) => !one.disabled && !one.parentElement.closest("clip-picker, voice-menu"));
    }

    // Nobody has typed anything.
    get untouched() { return JSON.stringify(this.state) === JSON.stringify(this.fresh); }

    get state() {
      const state = {};
      for (const one of this.controls) state[one.dataset.name || one.dataset.ui] = get(one);
      return { ...state, "": this.extras || {} };
    }

    set state(state) {
      for (const one of this.controls) {
        const name = one.dataset.name || one.dataset.ui;
        if (name in state) set(one, state[name]);
      }
      this.extras = state[""] || {};
      this.follow();
    }

    reset() { this.state = { ...this.fresh, phone: {}, ids: [], record: null, ivrs: [] , "": {} }; }

    // Parts that only count when something else is chosen.
    follow() {
      for (const part of this.form.querySelectorAll("[data-when]")) {
        const [name, value] = part.dataset.when.split("=");
        const now = get(this.control(name));
        part.hidden = value === undefined ? !now : now !== value;
      }
    }

    shown(control) { return !control.closest("[hidden]:not(form)"); }

    get body() {
      const body = {};
      for (const one of this.controls) if (one.dataset.name && this.shown(one)) this.put(body, one);
      return { ...body, ...this.extras };
    }

    put(body, control) {
      const name = control.dataset.name;
      const value = OWN.includes(control.tagName) ? control.value : get(control);
      if (name === "phone") {
        if (value.length === 1) body.phone = value[0];
        else if (value.length) body.phones = value;
      } else if (name === "outgoingPhone") {
        if (value === "duty") body.dutyPhone = 1;
        else if (value) body.outgoingPhone = value;
      } else if (name === "webhookParameters") {
        if (value) body[name] = JSON.stringify(value);
      } else if (control.dataset.kind === "moment") {
        if (value) body[name] = asSeconds(value);
      } else if (control.dataset.kind === "number") {
        if (value.trim()) body[name] = /^\d{1,15}$/.test(value.trim()) ? Number(value) : value.trim();
      } else if (control.dataset.kind === "choice") {
        if (value) body[name] = /^\d+$/.test(value) ? Number(value) : value.replace("microphone", "file");
      } else if (typeof value === "boolean") {
        if (value) body[name] = 1;
      } else if (value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && !value.length)) {
        body[name] = value;
      }
    }

    // Fill the form from a request.
    set body(body) {
      const { apiKey, apikey, dryRun, ...left } = body || {};
      const take = (name) => { const value = left[name]; delete left[name]; return value; };
      const has = (...names) => names.some((name) => left[name] !== undefined && left[name] !== null && left[name] !== "");
      if (this.control("when")) set(this.control("when"), has("plannedAt") ? "at" : "now");
      if (this.control("window")) set(this.control("window"), has("startTime", "endTime", "weekdays"));
      if (this.control("redial")) set(this.control("redial"), has("smartDelay"));
      for (const one of this.controls) {
        const name = one.dataset.name;
        if (!name) continue;
        if (name === "phone") {
          const single = take("phone"), several = take("phones");
          one.value = [single, several].flat().filter((value) => value !== undefined && value !== null);
        } else if (name === "outgoingPhone") {
          const any = on(take("dutyPhone")), number = take("outgoingPhone");
          set(one, number ? zvonar.phones.meant("+" + number) : any ? "duty" : "");
          if (one.selectedIndex < 0) { left.outgoingPhone = number; one.selectedIndex = 0; }
        } else if (OWN.includes(one.tagName)) {
          one.value = take(name) ?? null;
        } else if (one.dataset.kind === "moment") {
          const at = take(name);
          set(one, at ? asLocal(Number(at)) : "");
        } else {
          const value = take(name);
          set(one, value !== null && typeof value === "object" && one.dataset.kind !== "days" ? JSON.stringify(value) : value);
        }
      }
      this.extras = left;
      this.follow();
    }

    // data.errors of a refusal, beside the fields; what belongs to none comes back.
    showErrors(errors) {
      for (const place of this.form.querySelectorAll("[data-error]")) place.textContent = "";
      for (const one of this.controls) {
        one.removeAttribute("aria-invalid");
        if (["CLIP-PICKER", "VOICE-MENU"].includes(one.tagName)) one.errors = {};
      }
      const homeless = [];
      const parts = { record: {}, ivrs: {} };
      let first = null;
      for (const [field, texts] of Object.entries(errors || {})) {
        const top = field.split(/[.[]/)[0];
        const name = { phones: "phone", dutyPhone: "outgoingPhone", apiCallIdList: "apiCallIdList" }[top] || top;
        const control = this.control(name);
        if (!control || control.disabled) { homeless.push(`${field}: ${texts.join("; ")}`); continue; }
        this.reveal(control);
        if (control.tagName in { "CLIP-PICKER": 1, "VOICE-MENU": 1 } && customElements.get(control.tagName.toLowerCase())) {
          parts[name][name === "record" ? field.slice("record".length).replace(/^\./, "") : field] = texts;
        } else {
          const place = this.form.querySelector(`[data-error="${name}"]`);
          const said = texts.map((text) => (field === name || field === "phones" ? text : `${field}: ${text}`)).join("; ");
          if (place) place.textContent = [place.textContent, said].filter(Boolean).join("; ");
          else homeless.push(`${field}: ${said}`);
        }
        const input = control.input || (control.matches("input, select, textarea") ? control : control.querySelector("input"));
        if (input) input.setAttribute("aria-invalid", "true");
        first = first || input || control;
      }
      for (const [name, told] of Object.entries(parts)) {
        if (Object.keys(told).length && this.control(name)) this.control(name).errors = told;
      }
      if (first && first.scrollIntoView) {
        first.scrollIntoView({ block: "center" });
        if (first.focus) first.focus({ preventScroll: true });
      }
      return homeless;
    }

    reveal(control, wanted = true) {
      if (!wanted) return;
      const closed = control.closest("details:not([open])");
      if (closed) closed.open = true;
    }
  }
  zvonar.RequestForm = RequestForm;
}
