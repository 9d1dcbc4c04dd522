// Uploads a clip as `createRecord`, with the part that is sent already; and the place where a file is chosen or dropped.
"use strict";

{
  const { element, icon, show, problem, number } = window.clipParts;

  class ClipUpload {
    // stored(record) is called with what the contract tells of the new record. `named` gives its name, "" for its file's.
    constructor(stored, named = () => "") {
      this.stored = stored;
      this.named = named;
      this.bar = element("progress", { max: "100", "aria-label": say("Upload") });
      this.told = element("span", { class: "soft number", role: "status" });
      this.cancel = element("button", { type: "button", class: "quiet", onclick: () => this.request.abort() }, icon("close"), say("Cancel"));
      this.wrong = element("p", { class: "error", role: "alert", hidden: true });
      this.going = element("div", { class: "row clip-progress", hidden: true }, this.bar, this.told, this.cancel);
      this.node = element("div", {}, this.going, this.wrong);
    }

    send(blob, fileName, name = "") {
      if (this.request) this.request.abort();
      const request = this.request = new XMLHttpRequest();
      const form = new FormData();
      form.append("source", "file");
      if (this.named() || name) form.append("name", this.named() || name);
      form.append("file", blob, fileName);
      show(this.wrong, "");
      this.going.hidden = false;
      this.bar.value = 0;
      this.told.textContent = "";
      request.upload.addEventListener("progress", (event) => this.progress(event));
      request.addEventListener("load", () => this.finish(request));
      request.addEventListener("error", () => this.fail(say("The service cannot be reached")));
      request.addEventListener("abort", () => this.fail(""));
      request.open("POST", "/apiCalls/createRecord");
      request.setRequestHeader("Accept-Language", zvonar.language);
      request.send(form);
    }

    progress(event) {
      const percent = Math.round((event.loaded / event.total) * 100);
      if (percent < 100) {
        this.bar.value = percent;
        this.told.textContent = `${percent} %`;
      } else {
        this.bar.removeAttribute("value");
        this.told.textContent = say("Sent; it is being converted…");
      }
    }

    finish(request) {
      let data = null;
      try { data = JSON.parse(request.responseText); } catch { /* told below */ }
      if (request.status !== 200 || !data) return this.fail(problem(data));
      this.going.hidden = true;
      this.stored(data.data);
    }

    fail(text) {
      this.going.hidden = true;
      show(this.wrong, text);
    }
  }

  class ClipFile {
    constructor(stored, named) {
      this.upload = new ClipUpload(stored, named);
      const id = `clip-file-${number()}`;
      this.limits = element("span", { class: "hint" });
      this.input = element("input", {
        type: "file", id, class: "unseen clip-file-input", accept: "audio/*,video/webm,video/mp4,.wav,.mp3,.ogg,.opus,.flac,.webm,.m4a,.aac,.amr",
      });
      this.zone = element("label", { class: "clip-drop", for: id }, icon("upload"),
        element("span", {}, say("Choose a file or drop it here")), this.limits);
      this.node = element("div", { class: "stack" }, this.input, this.zone, this.upload.node);
      this.input.addEventListener("change", () => {
        this.take(this.input.files);
        this.input.value = "";  // the same file may be chosen again
      });
      for (const event of ["dragenter", "dragover"]) this.zone.addEventListener(event, (drag) => this.over(drag, true));
      for (const event of ["dragleave", "drop"]) this.zone.addEventListener(event, (drag) => this.over(drag, false));
      this.zone.addEventListener("drop", (drag) => this.take(drag.dataTransfer.files));
    }

    bound(limits) {
      this.most = limits;
      this.limits.textContent = say("WAV, MP3, OGG, Opus, FLAC, WebM, M4A, AAC or AMR; up to {mb} MB and {seconds} s", { mb: limits.max_mb, seconds: limits.max_s });
    }

    over(event, over) {
      event.preventDefault();
      this.zone.classList.toggle("over", over);
    }

    take(files) {
      if (files.length > 1) return this.upload.fail(say("One file at a time, please"));
      const [file] = files;
      if (!file) return;
      if (this.most && file.size > this.most.max_bytes) {
        return this.upload.fail(say("{name} has {size} MB; at most {mb} MB can be sent. Save it as MP3 or cut it.",
          { name: file.name, size: (file.size / 1048576).toFixed(1), mb: this.most.max_mb }));
      }
      this.upload.send(file, file.name);
    }
  }

  Object.assign(window, { ClipUpload, ClipFile });
}
