// <clip-player src="/records/TOKEN.wav" wave="/records/ID/wave" ms="4200" label="Name">: play and pause, the picture of
// the wave in which the position is moved, the time. `.blob` plays a sound that is nowhere yet. One sounds at a time.
"use strict";

{
  const { element, icon, clock } = window.clipParts;
  const BARS = 64;
  let sounding = null;

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        seen.unobserve(entry.target);
        entry.target.drawWave();
      }
    }
  });

  class ClipPlayer extends HTMLElement {
    static observedAttributes = ["src", "wave"];

    connectedCallback() {
      if (!this.audio) this.build();
      seen.observe(this);
    }

    disconnectedCallback() {
      this.audio.pause();
      seen.unobserve(this);
    }

    attributeChangedCallback(name, before, now) {
      if (!this.audio || before === now) return;
      if (name === "src") this.load(now);
      if (name === "wave") seen.observe(this);
    }

    set blob(blob) {
      if (!this.audio) this.build();
      if (this.url) URL.revokeObjectURL(this.url);
      this.url = blob ? URL.createObjectURL(blob) : null;
      this.load(this.url);
      if (blob) this.decode(blob);
    }

    play() {
      return this.audio.play().catch(() => {});  // `error` tells what is to be told
    }

    toggle() {
      if (this.audio.paused) this.play();
      else this.audio.pause();
    }

    build() {
      const name = this.getAttribute("label") || "";
      this.textContent = "";
      this.ms = Number(this.getAttribute("ms")) || 0;
      this.audio = new Audio();
      this.audio.preload = "none";
      this.button = element("button", { type: "button", class: "clip-play" });
      this.button.addEventListener("click", () => this.toggle());
      this.slider = element("div", { role: "slider", tabindex: "0", class: "clip-wave", "aria-valuemin": "0" });
      this.slider.setAttribute("aria-label", name ? say("Position in {name}", { name }) : say("Position"));
      this.slider.append(bars([], "clip-all"), bars([], "clip-heard"));
      this.time = element("span", { class: "clip-time number" });
      this.wrong = element("span", { class: "error", role: "alert" });
      this.append(this.button, this.slider, this.time, this.wrong);
      this.listen();
      this.face();
      this.load(this.getAttribute("src"));
    }

    listen() {
      const audio = this.audio;
      audio.addEventListener("play", () => {
        if (sounding && sounding !== audio) sounding.pause();
        sounding = audio;
        this.wrong.textContent = "";
        this.face();
        this.follow();
      });
      for (const event of ["pause", "ended"]) audio.addEventListener(event, () => this.face());
      for (const event of ["timeupdate", "seeked", "loadedmetadata"]) audio.addEventListener(event, () => this.move());
      audio.addEventListener("error", () => {
        if (audio.getAttribute("src")) this.wrong.textContent = say("This clip cannot be played");
        this.face();
      });
      this.slider.addEventListener("keydown", (event) => this.key(event));
      this.slider.addEventListener("pointerdown", (event) => {
        this.slider.setPointerCapture(event.pointerId);
        this.point(event);
      });
      this.slider.addEventListener("pointermove", (event) => {
        if (this.slider.hasPointerCapture(event.pointerId)) this.point(event);
      });
    }

    load(src) {
      this.audio.pause();
      this.wrong.textContent = "";
      if (src) this.audio.src = src;
      else this.audio.removeAttribute("src");
      this.move();
    }

    get length() {
      return this.ms || (Number.isFinite(this.audio.duration) ? this.audio.duration * 1000 : 0);
    }

    face() {
      const playing = !this.audio.paused && !this.audio.ended;
      const name = this.getAttribute("label");
      const words = playing ? (name ? say("Pause {name}", { name }) : say("Pause"))
        : (name ? say("Play {name}", { name }) : say("Play"));
      this.button.replaceChildren(icon(playing ? "pause" : "play"));
      this.button.setAttribute("aria-label", words);
      this.toggleAttribute("playing", playing);
      this.move();
    }

    follow() {
      if (this.audio.paused) return;
      this.move();
      requestAnimationFrame(() => this.follow());
    }

    move() {
      const at = Math.min(this.audio.currentTime * 1000, this.length || Infinity);
      const part = this.length ? Math.min(1, at / this.length) : 0;
      this.slider.lastChild.style.clipPath = `inset(0 ${100 - part * 100}% 0 0)`;
      this.slider.setAttribute("aria-valuemax", String(Math.round(this.length)));
      this.slider.setAttribute("aria-valuenow", String(Math.round(at)));
      this.slider.setAttribute("aria-valuetext", say("{at} of {length}", { at: clock(at), length: clock(this.length) }));
      this.time.textContent = `${clock(at)} / ${clock(this.length)}`;
    }

    seek(ms) {
      this.audio.currentTime = Math.max(0, Math.min(ms, this.length)) / 1000;
      this.move();
    }

    key(event) {
      const at = this.audio.currentTime * 1000;
      const to = {
        ArrowRight: at + 1000, ArrowUp: at + 1000, ArrowLeft: at - 1000, ArrowDown: at - 1000,
        PageUp: at + 10000, PageDown: at - 10000, Home: 0, End: this.length,
      }[event.key];
      if (event.key === " " || event.key === "Enter") this.button.click();
      else if (to === undefined) return;
      else this.seek(to);
      event.preventDefault();
    }

    point(event) {
      const box = this.slider.getBoundingClientRect();
      this.seek(((event.clientX - box.left) / box.width) * this.length);
    }

    async drawWave() {
      const wave = this.getAttribute("wave");
      if (!wave || wave === this.drawn) return;
      this.drawn = wave;
      try {
        const reply = await fetch(wave, { headers: { Accept: "application/json" } });
        if (!reply.ok) return;
        const { peaks, ms } = await reply.json();
        this.ms = ms;
        this.draw(peaks);
      } catch {
        this.drawn = null;  // it can be played without its picture
      }
    }

    async decode(blob) {
      this.ms = 0;
      this.draw([]);
      try {
        const sound = await new OfflineAudioContext(1, 1, 8000).decodeAudioData(await blob.arrayBuffer());
        const samples = sound.getChannelData(0);
        const part = Math.max(1, Math.floor(samples.length / BARS));
        this.ms = sound.duration * 1000;
        this.draw(Array.from({ length: BARS }, (_, bar) => {
          let peak = 0;
          for (let at = bar * part; at < (bar + 1) * part; at++) peak = Math.max(peak, Math.abs(samples[at] || 0));
          return peak;
        }));
      } catch {
        this.move();  // as above
      }
    }

    draw(peaks) {
      this.slider.replaceChildren(bars(peaks, "clip-all"), bars(peaks, "clip-heard"));
      this.move();
    }
  }

  // At most BARS bars, as high as the loudest peak of their part.
  function bars(peaks, kind) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", kind);
    svg.setAttribute("viewBox", `0 0 ${BARS * 4} 32`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const most = Math.max(0.05, ...peaks);
    let lines = "";
    for (let bar = 0; bar < BARS; bar++) {
      const part = peaks.slice(Math.floor(bar * peaks.length / BARS), Math.ceil((bar + 1) * peaks.length / BARS));
      const half = Math.max(0.75, 15 * Math.max(0, ...part) / most);
      lines += `M${bar * 4 + 2} ${(16 - half).toFixed(1)}V${(16 + half).toFixed(1)}`;
    }
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", lines);
    svg.append(path);
    return svg;
  }

  customElements.define("clip-player", ClipPlayer);
  window.ClipPlayer = ClipPlayer; // recording_player.js builds on it
}
