"""The bank of ears: all rows of one media process, a tick at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detection.ears import Ears, Heard
from detection.key_press import KeyPresses
from detection.level import energies
from detection.voice import Voice

LISTENERS = frozenset({"voice", "digits"})
ECHO_FRAMES = 25  # what we sent in the last 500 ms may come back as an echo


class Bank(Ears):
    """Ears for rows 0 to `rows` - 1, each by itself: no row's events depend on the others. Not thread-safe."""

    def __init__(self, rows: int) -> None:
        self._voices: list[Voice | None] = [None] * rows
        # What was sent lately: a ring of energies a row, each row with its own place in it.
        self._sent = np.zeros((rows, ECHO_FRAMES), np.int64)
        self._place = np.zeros(rows, np.intp)
        self._key_presses = KeyPresses(rows)

    def open(self, row: int, listens: frozenset[str]) -> None:
        """Start these listeners from nothing; others go on. ValueError for a listener or a row that does not exist."""
        unknown = sorted(listens - LISTENERS)
        if unknown:
            raise ValueError(f"there is no listener {unknown[0]!r}; there is: {', '.join(sorted(LISTENERS))}")
        if not 0 <= row < len(self._voices):
            raise ValueError(f"there is no row {row}; there are {len(self._voices)}")
        if "voice" in listens:
            self._voices[row] = Voice()
            self._sent[row] = 0
        if "digits" in listens:
            self._key_presses.open(row)

    def close(self, row: int, listens: frozenset[str] = LISTENERS) -> None:
        """Stop these listeners; idempotent."""
        if not 0 <= row < len(self._voices):
            return
        if "voice" in listens:
            self._voices[row] = None
        if "digits" in listens:
            self._key_presses.close(row)

    def step(
        self,
        rows: NDArray[np.intp],
        rx: NDArray[np.int16],
        tx: NDArray[np.int16],
        present: NDArray[np.bool_],
        hurry: bool = False,
    ) -> list[Heard]:
        """One tick for the rows given; rows that are not open hear nothing. `t_ms` counts frames since `open`.

        In a hurry only keys are heard: for voices the frame has not come.
        """
        places = self._place[rows]
        self._sent[rows, places] = energies(tx)
        self._place[rows] = (places + 1) % ECHO_FRAMES
        sent = self._sent[rows].max(axis=1).tolist()
        energy = energies(rx).tolist()
        here = present.tolist()
        heard = self._keys(rows, rx, tx, present)
        for index, row in enumerate(rows.tolist()):
            voice = self._voices[row]
            if voice is None:
                continue
            change = voice.hear(rx[index], energy[index], sent[index]) if here[index] and not hurry else voice.miss()
            if change is not None:
                kind = "speech_started" if change.started else "speech_ended"
                heard.append(Heard(row, change.t_ms, kind, change.level_dbm0))
        return heard

    def _keys(
        self, rows: NDArray[np.intp], rx: NDArray[np.int16], tx: NDArray[np.int16], present: NDArray[np.bool_]
    ) -> list[Heard]:
        hears = self._key_presses.hears(rows)
        if not hears.any():
            return []
        pressed = self._key_presses.step(rows[hears], rx[hears], tx[hears], present[hears])
        return [Heard(press.row, press.t_ms, "digit", press.key) for press in pressed]
