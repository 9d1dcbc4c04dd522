// Plans: nothing is cancelled without a question that says what.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const dialog = document.getElementById("ask");
  for (const button of document.querySelectorAll("[data-ask]")) {
    button.hidden = false; // all at once only where the question can be asked
    button.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.querySelector("p").textContent = button.dataset.ask;
      dialog.querySelector("[data-yes]").onclick = () => document.getElementById(button.dataset.form).submit();
      dialog.showModal();
    });
  }
  dialog.querySelector("[data-no]").addEventListener("click", () => dialog.close());
});
