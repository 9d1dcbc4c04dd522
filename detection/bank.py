"""The bank of ears: all rows of one media process, a tick at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detection.ears import Ears, Heard
from detection.level import energies
from detection.voice import Voice

LISTENERS = frozenset({"voice"})
ECHO_FRAMES = 25  # what we sent in the last 500 ms may come back as an echo


class Bank(Ears):
    """Ears for rows 0 to `rows` - 1, each by itself: no row's events depend on the others. Not thread-safe."""

    def __init__(self, rows: int) -> None:
        self._voices: list[Voice | None] = [None] * rows
        # What was sent lately: a ring of energies a row, each row with its own place in it.
        self._sent = np.zeros((rows, ECHO_FRAMES), np.int64)
        self._place = np.zeros(rows, np.intp)

    def open(self, row: int, listens: frozenset[str]) -> None:
        """Start to hear the row from nothing. ValueError for a listener or a row that does not exist."""
        unknown = sorted(listens - LISTENERS)
        if unknown:
            raise ValueError(f"there is no listener {unknown[0]!r}; there is: {', '.join(sorted(LISTENERS))}")
        if not 0 <= row < len(self._voices):
            raise ValueError(f"there is no row {row}; there are {len(self._voices)}")
        self._voices[row] = Voice() if "voice" in listens else None
        self._sent[row] = 0

    def close(self, row: int) -> None:
        """Stop hearing it; idempotent."""
        if 0 <= row < len(self._voices):
            self._voices[row] = None

    def step(
        self,
        rows: NDArray[np.intp],
        rx: NDArray[np.int16],
        tx: NDArray[np.int16],
        present: NDArray[np.bool_],
    ) -> list[Heard]:
        """One tick for the rows given; rows that are not open hear nothing. `t_ms` counts frames since `open`."""
        places = self._place[rows]
        self._sent[rows, places] = energies(tx)
        self._place[rows] = (places + 1) % ECHO_FRAMES
        sent = self._sent[rows].max(axis=1).tolist()
        energy = energies(rx).tolist()
        here = present.tolist()
        heard: list[Heard] = []
        for index, row in enumerate(rows.tolist()):
            voice = self._voices[row]
            if voice is None:
                continue
            change = voice.hear(rx[index], energy[index], sent[index]) if here[index] else voice.miss()
            if change is not None:
                kind = "speech_started" if change.started else "speech_ended"
                heard.append(Heard(row, change.t_ms, kind, change.level_dbm0))
        return heard
