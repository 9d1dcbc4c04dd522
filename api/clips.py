"""Where uploaded clips lie: by content, so the same file is kept once."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import NamedTuple

from engine.clips.cache import ClipCache, ClipError


class BadClip(Exception):
    """The upload cannot be played; the text says why, and what would help."""


class Kept(NamedTuple):
    """An upload that is kept: its name in the store, and how long it plays."""

    name: str
    duration_ms: int


class ClipStore:
    """Files of records. Safe to use from any thread; its calls block."""

    def __init__(self, folder: Path, cache: ClipCache) -> None:
        self._folder = folder
        self._cache = cache

    def add(self, content: bytes, given_name: str) -> Kept:
        """Keep a file if it can be played. Raises BadClip, and then keeps nothing; OSError of the disk."""
        name = hashlib.sha256(content).hexdigest()
        path = self.path(name)
        self._folder.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: it gets its name when it is written and found to be good.
        draft = self._folder / f".{secrets.token_hex(8)}.wav"
        try:
            draft.write_bytes(content)
            clip = self._cache.prepare(draft)
            draft.replace(path)
        except ClipError as error:
            # Our folders are nobody's business.
            reason = str(error).replace(str(draft), given_name).replace(draft.name, given_name)
            raise BadClip(reason) from error
        finally:
            draft.unlink(missing_ok=True)
        return Kept(name, clip.duration_ms)

    def path(self, name: str) -> Path:
        """The file of that name in the store."""
        return self._folder / f"{name}.wav"
