"""The child that speaks with espeak-ng's library: `python -m engine.speech.espeak_child`, a job as JSON on stdin.

Started by `engine.speech.espeak`, never by hand. Whatever the library does to its process, it does to this one. The
numbers are those of espeak-ng's `speak_lib.h`.
"""

from __future__ import annotations

import ctypes
import json
import sys
import wave
from pathlib import Path
from typing import Any, Final

from engine.speech import stress
from engine.speech.marks import Words, word_bounds
from engine.speech.voice import DROPPED

AUDIO_OUTPUT_SYNCHRONOUS: Final = 2
INITIALIZE_DONT_EXIT: Final = 0x8000
CHARS_UTF8: Final = 1
PHONEMES: Final = 0x100  # `[[...]]` in a text are phonemes; no text of others has brackets, see `engine.speech.marks`
PHONEME_SEPARATOR_BITS: Final = 8
RATE, PITCH = 1, 3  # parameters
WORDS_A_MINUTE: Final = 150  # a telephone line and a surprised listener want it slower than the default of 175
PITCH_PERCENT: Final = 50
SEED: Final = 1  # the same text sounds the same, to the last bit

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Library:
    """The loaded library, its voice set."""

    def __init__(self, file: str, data: str, voice: str) -> None:
        self._speak: Any = ctypes.CDLL(file)
        self.rate_hz = self._speak.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, data.encode(), INITIALIZE_DONT_EXIT)
        if self.rate_hz <= 0:
            raise OSError(f"espeak-ng cannot read its data in {data}")
        if self._speak.espeak_SetVoiceByName(voice.encode()):
            raise OSError(f"espeak-ng has no voice {voice}")
        self._speak.espeak_SetParameter(RATE, WORDS_A_MINUTE, 0)
        self._speak.espeak_SetParameter(PITCH, PITCH_PERCENT, 0)
        self._sound = bytearray()
        self._callback = _Callback(self._take)  # kept, since the library keeps only its address
        self._speak.espeak_SetSynthCallback(self._callback)

    def phonemes(self, word: str) -> str:
        """How the dictionary has a word spoken, by espeak-ng's own names of phonemes."""
        spell: Any = self._speak.espeak_TextToPhonemes
        spell.restype = ctypes.c_char_p
        text = ctypes.create_string_buffer(word.encode())
        rest = ctypes.c_void_p(ctypes.addressof(text))
        mode = ord(stress.SEPARATOR) << PHONEME_SEPARATOR_BITS
        clauses: list[bytes] = []
        while rest.value:
            clauses.append(spell(ctypes.byref(rest), CHARS_UTF8, mode) or b"")
        return b" ".join(clauses).decode()

    def say(self, text: str) -> bytes:
        """16-bit samples of `rate_hz`."""
        spoken = text.encode()
        self._sound.clear()
        if hasattr(self._speak, "espeak_ng_SetRandSeed"):  # from 1.52: its breath is noise, seeded by the time of day
            self._speak.espeak_ng_SetRandSeed(ctypes.c_long(SEED))
        size = ctypes.c_size_t(len(spoken) + 1)
        failed = self._speak.espeak_Synth(spoken, size, 0, 0, 0, CHARS_UTF8 | PHONEMES, None, None)
        if failed:
            raise OSError(f"espeak-ng does not speak: error {failed}")
        return bytes(self._sound)

    def _take(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._sound += ctypes.string_at(samples, count * 2)
        return 0


def stress_moved(words: Words, library: Library) -> tuple[str, list[int]]:
    """The text with phonemes for each word that has its one mark, and the marks that could not be honoured."""
    text = words.text
    dropped: list[int] = []
    for at in reversed(words.stressed):  # from behind, so that what stands before keeps its place
        begin, end = word_bounds(words.text, at)
        word = words.text[begin:end]
        moved = stress.move(word, library.phonemes(word), at - begin)
        if moved is None:
            dropped.append(at)
        else:
            text = f"{text[:begin]} [[{moved}]] {text[end:]}"  # without the blanks quotation marks swallow them
    return text, dropped


def main() -> None:
    """Do the job; an error is one line on stderr."""
    job = json.load(sys.stdin)
    try:
        library = Library(job["library"], job["data"], job["voice"])
        text, dropped = stress_moved(Words(job["text"], tuple(job["stressed"])), library)
        sound = library.say(text)
    except OSError as error:
        sys.exit(str(error))
    Path(DROPPED).write_text(json.dumps(dropped))
    with wave.open(job["target"], "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(2)
        target.setframerate(library.rate_hz)
        target.writeframes(sound)


if __name__ == "__main__":
    main()
