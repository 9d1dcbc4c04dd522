"""How loud a recording is, for its picture. A call of half an hour is never in memory whole.

Opus is decoded in a child: libav is in no process that others' calls depend on.

    python -m engine.recording.reading FILE.ogg PARTS      -> what `loudest` gives, as JSON
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

import engine
from engine.media.rtp import CLOCK_HZ
from engine.recording.channels import CHANNELS, Linear
from engine.recording.wav import HEADER, SAMPLE_BYTES

PIECE: Final = 1 << 16  # samples of a WAV file
BLOCK: Final = CLOCK_HZ // 50  # samples; what is told of a sound is no finer than 20 ms
CHILD_S: Final = 60.0

Peaks = list[list[float]]


def loudest(path: Path, parts: int) -> Peaks:
    """For each channel the loudest sample of each of so many parts, 0 to 1; fewer parts of a short one.

    Blocks. OSError where it is no recording of ours, or cannot be read.
    """
    return _in_child(path, parts) if path.suffix == ".ogg" else peaks(_wav(path), parts)


def peaks(pieces: Iterable[Linear], parts: int) -> Peaks:
    """The same of samples (n, 2) that come one piece after the other."""
    blocks: list[Any] = []
    rest = np.zeros((0, CHANNELS), np.int16)
    for piece in pieces:
        samples = np.concatenate([rest, piece])
        whole = len(samples) // BLOCK * BLOCK
        blocks.append(np.abs(samples[:whole].astype(np.float32)).reshape(-1, BLOCK, CHANNELS).max(axis=1))
        rest = samples[whole:]
    if len(rest):
        blocks.append(np.abs(rest.astype(np.float32)).max(axis=0, keepdims=True))
    loud = np.concatenate(blocks) / 32768 if blocks else np.zeros((0, CHANNELS))
    count = min(parts, len(loud))
    if not count:
        return [[] for _ in range(CHANNELS)]
    edges = np.arange(count) * len(loud) // count
    return [[round(float(peak), 3) for peak in np.maximum.reduceat(loud[:, side], edges)] for side in range(CHANNELS)]


def _wav(path: Path) -> Iterator[Linear]:
    with path.open("rb") as file:
        file.seek(HEADER.size)
        while piece := file.read(PIECE * SAMPLE_BYTES):
            whole = len(piece) // SAMPLE_BYTES * SAMPLE_BYTES
            yield np.frombuffer(piece[:whole], "<i2").astype(np.int16).reshape(-1, CHANNELS)


def _in_child(path: Path, parts: int) -> Peaks:
    root = str(Path(engine.__path__[0]).parent)
    folders = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-P", "-m", "engine.recording.reading", str(path), str(parts)]
    try:
        told = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=CHILD_S, check=True,
        ).stdout  # fmt: skip
    except subprocess.SubprocessError as error:
        raise OSError(f"{path}: cannot be decoded") from error
    found: Peaks = json.loads(told)
    return found


def _main() -> None:
    from engine.recording.ogg import pieces

    print(json.dumps(peaks(pieces(Path(sys.argv[1])), int(sys.argv[2]))))


if __name__ == "__main__":
    _main()
