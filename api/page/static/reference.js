// The reference: finds methods and fields by what one types, opens what a link leads to, marks where one is.
"use strict";

(() => {
  const field = document.getElementById("find");
  const found = document.getElementById("found");
  const entries = [...document.querySelectorAll(".entry")].map((entry) => ({
    entry,
    head: [entry.querySelector("h3").textContent, entry.querySelector(".way").textContent].join(" ").toLowerCase(),
    rows: [...entry.querySelectorAll("tr.one")].map((row) => ({ row, text: row.textContent.toLowerCase() })),
    link: document.querySelector(`[data-entry="${entry.id}"]`),
  }));

  function find() {
    const wanted = field.value.trim().toLowerCase();
    let count = 0;
    for (const { entry, head, rows, link } of entries) {
      const whole = !wanted || head.includes(wanted);
      const hits = whole ? [] : rows.filter(({ text }) => text.includes(wanted)).map(({ row }) => row);
      const shown = whole || hits.length > 0;
      if (shown) count += 1;
      entry.hidden = !shown;
      link.parentElement.hidden = !shown;
      const kept = new Set();
      for (const hit of hits) {
        for (let at = hit; at && at !== entry; at = at.parentElement) {
          kept.add(at);
          if (at.tagName === "DETAILS") at.open = true;
          if (at.classList.contains("inner")) kept.add(at.previousElementSibling);
        }
      }
      for (const { row } of rows) row.hidden = !whole && !kept.has(row);
      for (const row of entry.querySelectorAll("tr.inner")) row.hidden = !whole && !kept.has(row);
      for (const part of entry.querySelectorAll(".sample, .reply")) part.hidden = !whole && !kept.has(part);
    }
    for (const group of document.querySelectorAll("section.group")) {
      group.hidden = !group.querySelector(".entry:not([hidden])");
    }
    for (const id of ["basics", "webhooks", "signature"]) document.getElementById(id).hidden = wanted !== "";
    found.textContent = !wanted ? "" : count ? say("Methods found: {count}", { count }) : say("Nothing is found");
  }
  field.addEventListener("input", find);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      field.focus();
    } else if (event.key === "Escape" && event.target === field) {
      field.value = "";
      find();
    }
  });

  function lead() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let at = target.parentElement; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", lead);
  lead();

  if (matchMedia("(max-width: 75rem)").matches) document.querySelector(".contents .fold").open = false;
  const seen = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      const link = document.querySelector(`[data-entry="${target.id}"]`);
      if (isIntersecting) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const { entry } of entries) seen.observe(entry);
})();
