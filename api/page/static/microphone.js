// The microphone of the clip picker: asks for it, shows how loud it is, records; what stands in the way is told in words.
"use strict";

{
  const { element, icon, clock } = window.clipParts;
  const KINDS = [["audio/webm;codecs=opus", "webm"], ["audio/mp4", "mp4"], ["audio/ogg;codecs=opus", "ogg"]];

  // Why there is no microphone, and what to do.
  function obstacle(error) {
    if (!window.isSecureContext || !navigator.mediaDevices || !window.MediaRecorder) {
      return window.isSecureContext
        ? say("This browser cannot record. Use a current Chrome, Firefox, Edge or Safari, or upload a file.")
        : say("Browsers give the microphone only to pages with https:// or on localhost. Open this page so, or upload a file.");
    }
    switch (error && error.name) {
      case "NotAllowedError":
      case "SecurityError":
        return say("The microphone is not allowed. Click the icon to the left of the page's address, allow the microphone, and press “Record” again. If nothing is asked there, allow the browser to use the microphone in the settings of your system.");
      case "NotFoundError":
      case "OverconstrainedError":
        return say("No microphone was found. Connect one, or switch it on in the settings of your system, and press “Record” again.");
      case "NotReadableError":
      case "AbortError":
        return say("The microphone is there but does not answer. Close other programs that use it, and press “Record” again.");
      default:
        return say("The microphone cannot be used: {error}", { error: (error && error.message) || String(error) });
    }
  }

  class Microphone {
    // done(blob, ending, ms) is called with what was recorded, or with null where it is taken back.
    constructor(done, maxSeconds) {
      this.done = done;
      this.maxSeconds = maxSeconds;
      this.build();
    }

    build() {
      this.start = element("button", { type: "button", class: "main", onclick: () => this.record() }, icon("mic"), say("Record"));
      this.end = element("button", { type: "button", class: "danger", hidden: true, onclick: () => this.stop() }, icon("square"), say("Stop"));
      this.again = element("button", { type: "button", hidden: true, onclick: () => this.record() }, icon("refresh"), say("Record again"));
      this.level = element("canvas", { class: "clip-level", width: "600", height: "64", hidden: true, "aria-hidden": "true" });
      this.time = element("span", { class: "clip-time number" });
      this.told = element("span", { class: "soft", role: "status" });
      this.wrong = element("p", { class: "callout warn", role: "alert", hidden: true });
      this.player = element("clip-player", { label: say("the recording"), hidden: true });
      this.node = element("div", { class: "stack" },
        element("div", { class: "row" }, this.start, this.end, this.again, this.time, this.told),
        this.level, this.player, this.wrong);
    }

    async record() {
      window.clipParts.show(this.wrong, "");
      this.done(null);
      this.player.hidden = true;
      if (!window.isSecureContext || !navigator.mediaDevices || !window.MediaRecorder) return this.fail(null);
      this.start.disabled = this.again.disabled = true;
      this.told.textContent = say("Allow the microphone in the window of the browser…");
      try {
        // With the browser's own suppression of echo and noise: without it, laptops are often overdriven.
        this.stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
        this.begin();
      } catch (error) {
        this.fail(error);
      }
    }

    begin() {
      const [kind, ending] = KINDS.find(([type]) => MediaRecorder.isTypeSupported(type)) || ["", "webm"];
      const parts = [];
      this.recorder = new MediaRecorder(this.stream, kind ? { mimeType: kind, audioBitsPerSecond: 64000 } : {});
      this.recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
      this.recorder.addEventListener("error", (event) => this.fail(event.error));
      this.recorder.addEventListener("stop", () => this.finish(new Blob(parts, { type: kind.split(";")[0] }), ending));
      for (const track of this.stream.getTracks()) track.addEventListener("ended", () => this.stop());  // unplugged
      this.began = performance.now();
      this.recorder.start(500);
      this.told.textContent = say("Recording");
      this.face(true);
      this.end.focus();
      this.listen();
    }

    listen() {
      this.context = new AudioContext();
      const ear = this.context.createAnalyser();
      ear.fftSize = 1024;
      this.context.createMediaStreamSource(this.stream).connect(ear);
      const samples = new Float32Array(ear.fftSize);
      const levels = [];
      const look = () => {
        if (!this.recorder || this.recorder.state !== "recording") return;
        ear.getFloatTimeDomainData(samples);
        levels.push(samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0));
        this.draw(levels);
        const ms = performance.now() - this.began;
        this.time.textContent = clock(ms);
        if (ms > this.maxSeconds * 1000 - 500) this.stop();
        else requestAnimationFrame(look);
      };
      look();
    }

    draw(levels) {
      const { width, height } = this.level;
      const pen = this.level.getContext("2d");
      const shown = levels.slice(-width / 4);
      pen.clearRect(0, 0, width, height);
      pen.fillStyle = getComputedStyle(this.level).color;
      shown.forEach((level, at) => {
        const high = Math.max(2, Math.sqrt(level) * height);
        pen.fillRect(width - (shown.length - at) * 4, (height - high) / 2, 3, high);
      });
    }

    stop() {
      if (this.recorder && this.recorder.state !== "inactive") this.recorder.stop();
    }

    finish(blob, ending) {
      const ms = performance.now() - this.began;
      this.close();
      this.face(false, true);
      this.told.textContent = "";
      this.player.hidden = false;
      this.player.blob = blob;
      this.done(blob, ending, ms);
    }

    fail(error) {
      this.close();
      this.face(false);
      this.told.textContent = this.time.textContent = "";
      window.clipParts.show(this.wrong, obstacle(error));
    }

    // Back to the beginning; nothing is recorded any more.
    clear() {
      if (this.recorder) this.recorder.ondataavailable = null;
      this.close();
      this.face(false);
      this.player.hidden = true;
      this.time.textContent = "";
    }

    face(recording, recorded = false) {
      const focused = document.activeElement;
      this.start.hidden = recording || recorded;
      this.end.hidden = this.level.hidden = !recording;
      this.again.hidden = !recorded;
      this.start.disabled = this.again.disabled = false;
      if (focused === this.end && !recording) (recorded ? this.again : this.start).focus();
    }

    close() {
      for (const track of this.stream ? this.stream.getTracks() : []) track.stop();
      if (this.context && this.context.state !== "closed") this.context.close();
      this.stream = null;
    }
  }

  window.Microphone = Microphone;
}
