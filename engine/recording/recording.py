"""One call's recording: from both directions to a file that has its name when it is finished.

While it grows the file is called `NAME.part`, and can be played too. What a disk refuses ends the recording only.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.media.rtp import CLOCK_HZ, FRAME_MS, FRAME_SAMPLES
from engine.media.wire import Recorded, Saved
from engine.recording import wav
from engine.recording.channels import Channels, Linear

SUFFIXES: Final = (".wav", ".ogg")
PART: Final = ".part"
NOTHING: Final = np.zeros((0, FRAME_SAMPLES), np.int16)
_WORDS: Final = {errno.ENOSPC: "no space left on the disk"}


class SoundFile(Protocol):
    """A file that grows. OSError where the disk refuses."""

    def write(self, samples: Linear) -> None: ...
    def close(self) -> None: ...


class Recording:
    """Of one use of a slot. Each method that may end it returns what became of it, once."""

    def __init__(self, path: str, started_at: float) -> None:
        self.path = Path(path)
        self._started_at = started_at
        self._channels = Channels()
        self._tail = NOTHING
        self._file: SoundFile | None = None

    def open(self) -> Recorded | None:
        """Make the file."""
        try:
            self._file = _create(self.path)
        except OSError as error:
            return self._failed(error)
        return None

    def take(self, numbers: NDArray[np.uint32], sent: Linear, came: Linear) -> Recorded | None:
        """Frames (n, 160), with their numbers (n,)."""
        return self._write(self._channels.take(numbers, sent, came))

    def keep_tail(self, came: Linear) -> None:
        """Frames (k, 160) that lagged when the call ended."""
        self._tail = came

    def finish(self, frames: int) -> Recorded:
        """The call is over, after so many frames."""
        refused = self._write(self._channels.finish(frames, self._tail))
        if refused is not None:
            return refused
        lost_ms = self._channels.lost * FRAME_MS
        return self._over(f"{lost_ms} ms are missing, for the disk was too slow" if lost_ms else "")

    def forsake(self, why: str) -> Recorded:
        """No more frames come, and nothing says how many there should have been."""
        return self._over(why)

    def _write(self, samples: Linear) -> Recorded | None:
        assert self._file is not None
        try:
            self._file.write(samples)
        except OSError as error:
            return self._over(_words(error))
        return None

    def _over(self, why: str) -> Recorded:
        assert self._file is not None
        try:
            try:
                self._file.close()
            except OSError as error:  # a full disk refuses the end of it too
                why = why or _words(error)
            samples = _name(self.path, why)
        except OSError as error:
            return self._failed(error)
        return _told(self.path, samples, why, self._started_at)

    def _failed(self, error: OSError) -> Recorded:
        return Recorded(str(self.path), 0, Saved.FAILED.value, _words(error), self._started_at)


def recover(path: str, started_at: float, why: str) -> Recorded:
    """Finish what a writer left that died; it is incomplete, and `why` says so."""
    try:
        samples = _name(Path(path), why)
    except OSError:
        samples = 0
    return _told(Path(path), samples, why, started_at)


def part_of(path: Path) -> Path:
    """What a recording is called while it grows."""
    return path.with_name(path.name + PART)


def duration_ms(samples: int) -> int:
    """How long so many samples are."""
    return samples * 1000 // CLOCK_HZ


def _create(path: Path) -> SoundFile:
    file = part_of(path).open("wb", buffering=0)
    try:
        if path.suffix == ".ogg":
            from engine.recording.ogg import OggFile  # libav takes time to load, and is not always wanted

            return OggFile(file)
        return wav.WavFile(file)
    except OSError:
        file.close()
        part_of(path).unlink(missing_ok=True)
        raise


def _told(path: Path, samples: int, why: str, started_at: float) -> Recorded:
    state = Saved.SAVED if not why else Saved.INCOMPLETE if samples else Saved.FAILED
    return Recorded(str(path), duration_ms(samples), state.value, why, started_at)


def _name(path: Path, why: str) -> int:
    """The file grows no more: put it right, and give it its name, unless nothing is in it for some reason.

    Returns how many samples it has. OSError.
    """
    part = part_of(path)
    if path.suffix == ".ogg":
        from engine.recording.ogg import samples_of

        samples = samples_of(part)
    else:
        samples = wav.mend(part)
    if samples or not why:
        os.replace(part, path)
    else:
        part.unlink()
    return samples


def _words(error: OSError) -> str:
    return _WORDS.get(error.errno or 0) or (error.strerror or str(error)).lower()
