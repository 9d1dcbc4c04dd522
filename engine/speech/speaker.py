"""Speaks texts: chooses the voice, runs it, and keeps what it said by text and voice."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.clips import wav
from engine.clips.cache import MAX_S
from engine.config import SpeechConfig
from engine.media.rtp import CLOCK_HZ
from engine.speech import child, languages, marks, spoken
from engine.speech.error import SpeechError
from engine.speech.espeak import Espeak
from engine.speech.languages import Language
from engine.speech.marks import Pause, Piece
from engine.speech.piper import Piper
from engine.speech.rhvoice import RHVoice
from engine.speech.spoken import Kept, Spoken
from engine.speech.voice import DROPPED, Gender, Synthesiser, Voice, primary

VERSION: Final = 1  # to be raised when the same text comes to sound otherwise
MAX_CHILDREN: Final = 2  # at once; the media process wants its core
MAX_QUEUE_S: Final = 120.0  # how long a text waits for others
MS_A_CHARACTER: Final = 20  # added to the time limit for each
PEAK: Final = 0.98  # of full scale: resampling overshoots

_Part = tuple[NDArray[np.float32], list[str]]  # samples from -1 to 1, and the words whose mark was dropped
_Made = tuple[NDArray[np.int16], tuple[str, ...]]


class Speaker:
    """Texts to clips, in `folder`. Its calls block; any thread may use it, and many processes the same folder.

    ConfigError where a voice file of piper describes none.
    """

    def __init__(self, config: SpeechConfig, folder: Path) -> None:
        self._folder = folder
        self._timeout_s = config.timeout_s
        made: dict[str, Synthesiser] = {"piper": Piper(config.piper_voices), "rhvoice": RHVoice(), "espeak": Espeak()}
        self._synthesisers = [made[name] for name in config.voices]
        self._children = threading.BoundedSemaphore(MAX_CHILDREN)
        self._making: dict[Path, tuple[threading.Lock, int]] = {}
        self._lock = threading.Lock()

    def speak(self, text: str, gender: Gender, language: str | None = None, voice: str | None = None) -> Spoken:
        """The clip of a text; made the first time. Voices are looked for once. Raises SpeechError.

        `language` is a BCP 47 tag; None asks the text. `voice` names one voice, whatever its language and gender.
        """
        pieces = marks.read(text)
        chosen, synthesiser = self._choose(marks.plain(pieces), gender, language, voice)
        path = self._folder / f"{_key(pieces, chosen)}.wav"
        with self._one_at_a_time(path):
            kept = spoken.read(path)
            if kept is None:
                samples, dropped = self._make(pieces, chosen, synthesiser)
                self._keep(path, spoken.build(samples, dropped))
                kept = Kept(round(samples.size * 1000 / CLOCK_HZ), dropped)
        return Spoken(path, chosen.name, chosen.language, chosen.gender, kept.dropped, kept.duration_ms)

    def say(self, text: str, gender: Gender, language: str | None = None) -> tuple[bytes, Spoken]:
        """The file of a text, not kept: for one who wants to listen first. As `speak`."""
        pieces = marks.read(text)
        chosen, synthesiser = self._choose(marks.plain(pieces), gender, language, None)
        path = self._folder / f"{_key(pieces, chosen)}.wav"
        kept = spoken.read(path)
        if kept is not None:
            file = path.read_bytes()
        else:
            samples, dropped = self._make(pieces, chosen, synthesiser)
            file, kept = spoken.build(samples, dropped), Kept(round(samples.size * 1000 / CLOCK_HZ), dropped)
        return file, Spoken(path, chosen.name, chosen.language, chosen.gender, kept.dropped, kept.duration_ms)

    def languages(self) -> list[Language]:
        """What can be spoken here, Russian first."""
        return languages.listed({voice.language for voice, _ in self._voices})

    @property
    def voices(self) -> list[Voice]:
        """All voices, best first."""
        return [voice for voice, _ in self._voices]

    @cached_property
    def _voices(self) -> list[tuple[Voice, Synthesiser]]:
        return [(voice, synthesiser) for synthesiser in self._synthesisers for voice in synthesiser.voices()]

    def _choose(self, text: str, gender: Gender, language: str | None, name: str | None) -> tuple[Voice, Synthesiser]:
        if name is not None:
            for voice, synthesiser in self._voices:
                if voice.name == name:
                    return voice, synthesiser
            known = ", ".join(voice.name for voice in self.voices[:6]) or "none"
            raise SpeechError("unknown_voice", voice=name[:100], known=known)
        wanted = (language or languages.of_text(text)).replace("_", "-").lower()
        speaking = [
            (voice.gender != gender, voice.language.lower() != wanted and "-" in wanted, rank)
            for rank, (voice, _) in enumerate(self._voices)
            if primary(voice.language) == primary(wanted)
        ]
        if not speaking:
            raise SpeechError("no_voice", language=(language or wanted)[:40])
        return self._voices[min(speaking)[-1]]

    def _make(self, pieces: tuple[Piece, ...], voice: Voice, synthesiser: Synthesiser) -> _Made:
        if not self._children.acquire(timeout=MAX_QUEUE_S):
            raise SpeechError("speech_busy", seconds=MAX_QUEUE_S)
        try:
            with tempfile.TemporaryDirectory(prefix="zvonar-speech-") as folder:
                parts = [self._part(piece, voice, synthesiser, Path(folder)) for piece in pieces]
        except OSError as error:
            raise SpeechError("speech_not_kept", folder=tempfile.gettempdir(), reason=error.strerror) from error
        finally:
            self._children.release()
        sound = np.concatenate([part for part, _ in parts])
        dropped = tuple(word for _, words in parts for word in words)
        if sound.size > MAX_S * CLOCK_HZ:
            raise SpeechError("speech_too_long", seconds=sound.size / CLOCK_HZ, limit=MAX_S)
        peak = float(np.abs(sound).max())
        return np.rint(sound * 32767 * (PEAK / peak if peak > PEAK else 1.0)).astype(np.int16), dropped

    def _part(self, piece: Piece, voice: Voice, synthesiser: Synthesiser, folder: Path) -> _Part:
        if isinstance(piece, Pause):
            return np.zeros(piece.ms * CLOCK_HZ // 1000, np.float32), []
        target, later = folder / "part.wav", folder / DROPPED
        for file in (target, later):
            file.unlink(missing_ok=True)
        timeout_s = self._timeout_s + len(piece.text) * MS_A_CHARACTER / 1000
        child.run(synthesiser.command(voice, piece, target), voice.name, timeout_s, folder)
        try:
            sound = wav.read(target.read_bytes())
        except FileNotFoundError as error:
            raise SpeechError("voice_cannot_say", voice=voice.name) from error
        except wav.WavError as error:
            raise SpeechError("speech_failed", voice=voice.name, reason=f"its file {error}") from error
        import soxr  # slow to load, and what is kept needs none of it

        samples: NDArray[np.float32] = soxr.resample(sound.samples, sound.rate_hz, CLOCK_HZ, "HQ")
        if not samples.any():
            raise SpeechError("voice_cannot_say", voice=voice.name)
        dropped = [*voice.dropped(piece), *(json.loads(later.read_text()) if later.exists() else ())]
        return samples, [marks.marked_word(piece, at) for at in sorted(dropped)]

    def _keep(self, path: Path, file: bytes) -> None:
        """The file appears whole or not at all."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(prefix=".speech-", dir=self._folder, delete=False) as writer:
                try:
                    writer.write(file)
                    writer.flush()
                    os.replace(writer.name, path)
                except BaseException:
                    os.unlink(writer.name)
                    raise
        except OSError as error:
            raise SpeechError("speech_not_kept", folder=self._folder, reason=error.strerror) from error

    @contextlib.contextmanager
    def _one_at_a_time(self, path: Path) -> Iterator[None]:
        """Threads that ask for the same clip make it once."""
        with self._lock:
            lock, asking = self._making.get(path, (threading.Lock(), 0))
            self._making[path] = lock, asking + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, asking = self._making.pop(path)
                if asking > 1:
                    self._making[path] = lock, asking - 1


def _key(pieces: tuple[Piece, ...], voice: Voice) -> str:
    return hashlib.sha256(repr((VERSION, voice, pieces)).encode()).hexdigest()
