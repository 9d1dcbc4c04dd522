"""The seam of hearing: a bank of ears, one row a call, fed one tick of 20 ms at a time.

Pure: frames in, events out; time is the number of frames. A row's events are the same fed alone or among 500.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

FRAME_SAMPLES = 160
FRAME_MS = 20


class Heard(NamedTuple):
    """An event of one row. `t_ms` counts from `open`; `kind` is "speech_started", "speech_ended" or "digit".

    `value` is the level in dBm0 of what was spoken, or which key was pressed (index into `key_press.KEYS`).
    """

    row: int
    t_ms: int
    kind: str
    value: float


class Ears(Protocol):
    """What the media tick needs of hearing. Not thread-safe; owned by the tick."""

    def open(self, row: int, listens: frozenset[str]) -> None:
        """Start these listeners ("voice", "digits") of the row from nothing; others go on. ValueError if unknown."""

    def close(self, row: int, listens: frozenset[str] = ...) -> None:
        """Stop these listeners, all of them if none are named; idempotent."""

    def step(
        self,
        rows: NDArray[np.intp],  # (n,) rows that are open
        rx: NDArray[np.int16],  # (n, 160) what came
        tx: NDArray[np.int16],  # (n, 160) what we sent in the same tick
        present: NDArray[np.bool_],  # (n,) false where the packet is missing (rx is then anything)
        hurry: bool = False,  # hear keys only
    ) -> list[Heard]:
        """One tick for the rows given; a row that is not given does not move on."""
