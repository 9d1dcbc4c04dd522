// The room Records: a new record in place, renaming and deleting in a dialog.
"use strict";

{
  const spoken = { "Accept-Language": zvonar.language, Accept: "application/json" };
  const by = (id) => document.getElementById(id);
  const { problem } = window.clipParts;

  const picker = document.querySelector("clip-picker");
  const save = by("new-save");
  by("new").hidden = false;
  picker.named = () => by("new-name").value.trim();
  picker.addEventListener("changed", () => {
    const value = picker.value;
    if (value && value.id) location.assign("/records");
    save.disabled = !value;
  });
  save.addEventListener("click", async () => {
    const value = picker.value;
    if (!value) return;
    save.disabled = true;
    const { status, data } = await zvonar.ask("/apiCalls/createRecord", { source: "text", name: by("new-name").value, ...value }, spoken);
    if (status === 200) return location.assign("/records");
    save.disabled = false;
    picker.errors = (data.data && data.data.errors) || { "": [problem(data)] };
  });

  let row = null;
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-rename], [data-delete]");
    if (opener && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      row = opener.closest("[data-record]");
      open("rename" in opener.dataset ? "rename" : "delete");
    }
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  });

  function open(what) {
    by(`${what}-error`).textContent = "";
    by("rename-name").value = row.dataset.name;
    by("delete-name").textContent = row.dataset.name;
    by(`${what}-dialog`).showModal();
    if (what === "rename") by("rename-name").select();
  }

  async function send(what, form) {
    const button = by(`${what}-dialog`).querySelector('[value="do"]');
    button.disabled = true;
    const { status, data } = await zvonar.ask(`/records/${row.dataset.record}/${what}`, form, spoken);
    button.disabled = false;
    if (status === 200) {
      by(`${what}-dialog`).close();
      return data;
    }
    by(`${what}-error`).textContent = problem(data);
    return null;
  }

  by("rename-dialog").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = new FormData();
    form.append("name", by("rename-name").value);
    if (!(await send("rename", form))) return;
    location.reload();
  });

  by("delete-dialog").addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = new FormData();
    form.append("sure", "1");
    if (!(await send("delete", form))) return;
    const next = row.nextElementSibling || row.previousElementSibling;
    row.remove();
    zvonar.notice(say("The record is deleted"));
    if (next) next.querySelector("a").focus();
    else location.reload();
  });
}
