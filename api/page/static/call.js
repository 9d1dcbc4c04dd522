// One call's page: the drawing of its menu follows the call, and the page is made anew when that is over.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const graph = document.getElementById("graph");
  if (graph) {
    graph.menu = JSON.parse(graph.dataset.menu);
    if (graph.dataset.lit) graph.lit = graph.dataset.lit;
  }
  const watch = document.getElementById("watch");
  if (!watch) return;
  watch.addEventListener("block", (event) => { if (graph) graph.lit = event.detail; });
  watch.addEventListener("over", () => setTimeout(() => location.reload(), 1500));
});
