"""Where the clips of records lie: by the content of what is played, so the same sound is kept once."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import NamedTuple

from engine.clips.cache import ClipCache, ClipError
from engine.clips.refusal import ClipRefused
from engine.clips.upload import Limits, Prepared, prepare, prepare_own


class BadClip(Exception):
    """The upload cannot be played; the text says which and why, and what would help.

    `refused` has the code, and the words apart from what fills them, for a translation.
    """

    def __init__(self, given_name: str, refused: ClipRefused) -> None:
        super().__init__(f"{given_name}: {refused}")
        self.given_name = given_name
        self.refused = refused


class Kept(NamedTuple):
    """A clip that is kept: its name in the store, and how long it plays."""

    name: str
    duration_ms: int


class ClipStore:
    """Files of records: WAV, 8 kHz, one channel, at one loudness. Safe to use from any thread; its calls block."""

    def __init__(self, folder: Path, cache: ClipCache, limits: Limits) -> None:
        self._folder = folder
        self._cache = cache
        self._limits = limits

    @property
    def limits(self) -> Limits:
        """What an upload may be at most."""
        return self._limits

    def add(self, content: bytes, given_name: str) -> Kept:
        """Keep what a stranger sent, a file of any known format. BadClip, and then nothing is kept; OSError."""
        try:
            prepared = prepare(content, self._limits)
        except ClipRefused as refused:
            raise BadClip(given_name, refused) from refused
        return self._keep(prepared)

    def adopt(self, file: bytes, given_name: str) -> Kept:
        """Keep a WAV file of our own making (speech), trimmed and levelled as uploads are. As `add`."""
        try:
            prepared = prepare_own(file, self._limits)
        except ClipRefused as refused:
            raise BadClip(given_name, refused) from refused
        return self._keep(prepared)

    def prepare_own(self, file: bytes, given_name: str) -> bytes:
        """The WAV file that `adopt` would keep. BadClip."""
        try:
            return prepare_own(file, self._limits).wav
        except ClipRefused as refused:
            raise BadClip(given_name, refused) from refused

    def path(self, name: str) -> Path:
        """The file of that name in the store."""
        return self._folder / f"{name}.wav"

    def _keep(self, prepared: Prepared) -> Kept:
        name = hashlib.sha256(prepared.wav).hexdigest()
        self._folder.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: it gets its name when it is written, and encoded, so that the first call need not wait.
        draft = self._folder / f".{secrets.token_hex(8)}.wav"
        try:
            draft.write_bytes(prepared.wav)
            self._cache.prepare(draft)
            draft.replace(self.path(name))
        except ClipError as error:
            # What we prepared can be played: it is the disk that failed, and nobody's upload.
            raise error.__cause__ if isinstance(error.__cause__, OSError) else OSError(str(error)) from error
        finally:
            draft.unlink(missing_ok=True)
        return Kept(name, prepared.duration_ms)
