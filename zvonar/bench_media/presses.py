"""When each call's far end presses a key: every five seconds, each call at its own moment. Pure.

A press is RFC 4733 as telephones send it: five packets of 20 ms each while the key is down, then three ends.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from zvonar.bench_media.pacing import FRAME_SAMPLES

DIGIT_TYPE: Final = 101
EVERY: Final = 250  # ticks of 20 ms
DOWN: Final = 5  # ticks
PACKETS: Final = DOWN + 3
BEFORE_THE_END: Final = 25  # ticks in which no press begins: what is sent shall be found in the same window
NEVER: Final = 1 << 60
KEYS: Final = 12
_EVENT: Final = struct.Struct("!BBH")


class Presses:
    """The presses of all calls."""

    def __init__(self, calls: int) -> None:
        self._offset = np.arange(calls) * 97 % EVERY
        self._begin = np.full(calls, NEVER)
        self._number = np.zeros(calls, np.int64)
        self._end = 0
        self.begun = 0

    def begin(self, tick: int, ticks: int) -> None:
        """From this tick on, for so many of them."""
        self._end = tick + ticks - BEFORE_THE_END
        self._begin = self._within(tick + self._offset)
        self.begun = 0

    def ages(self, first: int, last: int, tick: int) -> NDArray[np.int64]:
        """In the ticks since its press began, for the calls from `first` to before `last`: 0 to 7 while it lasts."""
        return tick - self._begin[first:last]

    def event(self, call: int, age: int) -> bytes:
        """The payload of this tick's packet."""
        if age == 0:
            self._number[call] += 1
            self.begun += 1
        payload = self._payload(call, age)
        if age == PACKETS - 1:
            self._begin[call] = self._within(np.array([self._begin[call] + EVERY]))[0]
        return payload

    def _payload(self, call: int, age: int) -> bytes:
        key = (call + int(self._number[call])) % KEYS
        return _EVENT.pack(key, 0x8A if age >= DOWN else 0x0A, min(age + 1, DOWN) * FRAME_SAMPLES)

    def _within(self, begin: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(begin < self._end, begin, NEVER)
