// Creating a clip: the text with its marks, the preview, and the file that goes along.
"use strict";
{
  zvonar.recordForm = function recordForm(form, changed) {
    const text = form.querySelector('[data-name="text"]');
    const file = form.querySelector('[type="file"]');
    const drop = form.querySelector("[data-drop]");
    const named = form.querySelector("[data-file-name]");
    const player = form.querySelector("audio");
    const preview = form.querySelector("[data-preview]");
    let heard = "";

    for (const button of form.querySelectorAll("[data-mark]")) {
      button.addEventListener("click", () => {
        text.setRangeText(button.dataset.mark, text.selectionStart, text.selectionEnd, "end");
        text.focus();
        changed();
      });
    }

    const show = () => {
      named.textContent = file.files.length ? file.files[0].name : "";
      const name = form.querySelector('[data-name="name"]');
      if (file.files.length && !name.value) name.value = file.files[0].name.replace(/\.[^.]*$/, "").slice(0, 200);
      changed();
    };
    file.addEventListener("change", show);
    for (const kind of ["dragover", "dragleave", "drop"]) {
      drop.addEventListener(kind, (event) => {
        event.preventDefault();
        drop.classList.toggle("over", kind === "dragover");
        if (kind !== "drop" || !event.dataTransfer.files.length) return;
        const given = new DataTransfer();
        given.items.add(event.dataTransfer.files[0]);
        file.files = given.files;
        show();
      });
    }

    preview.addEventListener("click", async () => {
      const place = form.querySelector('[data-error="text"]');
      place.textContent = "";
      preview.disabled = true;
      try {
        const { text: words = "", gender = 0, language } = new zvonar.RequestForm(form).body;
        const reply = await zvonar.fetch("/records/preview", {
          method: "POST",
          headers: { "Content-Type": "application/json", "Accept-Language": zvonar.language },
          body: JSON.stringify({ text: words, gender, ...(language ? { language } : {}) }),
        });
        if (!reply.ok) {
          const told = await reply.json().catch(() => null);
          place.textContent = (told && told.data && told.data.message) || say("It cannot be listened to just now");
          return;
        }
        URL.revokeObjectURL(heard);
        heard = URL.createObjectURL(await reply.blob());
        player.src = heard;
        player.hidden = false;
        player.play().catch(() => {});
      } catch {
        place.textContent = say("The service cannot be reached");
      } finally {
        preview.disabled = false;
      }
    });

    const studio = form.querySelector("[data-microphone]");
    let recorded = null;
    studio.append(new Microphone((blob, ending) => {
      recorded = blob && new File([blob], `recording.${ending}`, { type: blob.type });
      changed();
    }, 300).node);

    const shown = (part) => !part.closest("[hidden]:not(form)");
    return { file: () => (shown(file) ? file.files[0] || null : shown(studio) ? recorded : null) };
  };
}
