// <recording-player src wave ms label>: the recording of a call. Both sides drawn, one above the other; the lists of marks
// that stand in it become lanes of the same time line. A click seeks; what a mark says stands below, on hover and focus.
"use strict";

{
  const { element } = window.clipParts;
  const SVG = "http://www.w3.org/2000/svg";
  const HALF = 24; // of a side's height, in its own units

  class RecordingPlayer extends window.ClipPlayer {
    static observedAttributes = [];

    build() {
      this.lanes = [...this.querySelectorAll(":scope > ul")];
      super.build();
      this.slider.classList.add("recording-waves");
      this.board = element("div", { class: "recording-board" });
      this.head = element("span", { class: "recording-head", "aria-hidden": "true" });
      this.said = element("p", { class: "recording-said hint", "aria-hidden": "true" });
      this.slider.before(this.board);
      this.board.append(this.slider, ...this.lanes, this.head);
      this.board.after(this.said);
      for (const mark of this.board.querySelectorAll(".mark")) this.mark(mark);
      for (const event of ["mouseleave", "focusout"]) this.board.addEventListener(event, () => this.say(null));
      this.say(null);
      this.move();
    }

    mark(mark) {
      const at = Number(mark.dataset.at), until = Number(mark.dataset.until), words = mark.querySelector(".unseen").textContent;
      mark.style.left = `${(100 * at) / this.ms}%`;
      if (until > at) mark.style.width = `${(100 * (until - at)) / this.ms}%`;
      mark.addEventListener("click", () => this.seek(at));
      for (const event of ["mouseenter", "focus"]) mark.addEventListener(event, () => this.say(words));
    }

    say(words) {
      this.said.textContent = words || say("Point at a mark, or go to it with Tab: here it says what happened. A click goes there.");
    }

    move() {
      super.move();
      if (this.head) this.head.style.left = `${this.ms ? Math.min(100, (this.audio.currentTime * 100000) / this.ms) : 0}%`;
    }

    async drawWave() {
      const wave = this.getAttribute("wave");
      if (wave === this.drawn) return;
      this.drawn = wave;
      try {
        const reply = await fetch(wave, { headers: { Accept: "application/json" } });
        if (!reply.ok) return;
        const { callee, us } = await reply.json();
        this.slider.replaceChildren(waves(callee, us, "clip-all"), waves(callee, us, "clip-heard"));
        this.move();
      } catch {
        this.drawn = null; // it can be played without its picture
      }
    }
  }

  // The callee's side above, ours below; both to one measure, so that who is too quiet is seen.
  function waves(callee, us, kind) {
    const svg = document.createElementNS(SVG, "svg"), count = Math.max(1, callee.length, us.length);
    const most = Math.max(0.05, ...callee, ...us);
    svg.setAttribute("class", kind);
    svg.setAttribute("viewBox", `0 0 ${count} ${4 * HALF}`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    for (const [side, peaks, middle] of [["callee", callee, HALF], ["us", us, 3 * HALF]]) {
      const path = document.createElementNS(SVG, "path");
      const height = (peak) => Math.max(0.4, (HALF - 2) * peak / most);
      const above = peaks.map((peak, at) => `${at} ${(middle - height(peak)).toFixed(1)} ${at + 1} ${(middle - height(peak)).toFixed(1)}`);
      const below = peaks.map((peak, at) => `${at + 1} ${(middle + height(peak)).toFixed(1)} ${at} ${(middle + height(peak)).toFixed(1)}`).reverse();
      path.setAttribute("class", side);
      if (peaks.length) path.setAttribute("d", `M${above.join("L")}L${below.join("L")}Z`);
      svg.append(path);
    }
    return svg;
  }

  customElements.define("recording-player", RecordingPlayer);
}
