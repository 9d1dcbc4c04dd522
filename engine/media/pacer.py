"""The pacer of RTP: absolute deadlines, so that errors do not add up, and slipping instead of bursts. Pure.

The 20 ms of a frame have four turns, 5 ms apart. As long as calls are few all of them are served in the first one: a
turn has a cost of its own, which is felt where others have used the caches meanwhile. Then they are served in two, then
in four, so that no turn is longer than it must be. A call keeps its turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

FRAME_S: Final = 0.020
PHASES: Final = 4
TURN_S: Final = FRAME_S / PHASES

_PHASES_BY_CALLS: Final = ((2000, (0, 1, 2, 3)), (500, (0, 2)), (0, (0,)))  # from so many calls on


class Pacer:
    """Turn n is due at `T0 + n * 5 ms`. Times are seconds of a monotonic clock."""

    def __init__(self, origin: float) -> None:
        self.turn = 0
        self._origin = origin

    @property
    def phase(self) -> int:
        """Which of the phases the coming turn serves."""
        return self.turn % PHASES

    @property
    def deadline(self) -> float:
        """When the coming turn is due."""
        return self._origin + self.turn * TURN_S

    def skip(self, calls: Sequence[int]) -> None:
        """Pass over turns that would serve nobody; `calls` counts by phase. The first phase always has its turn."""
        while self.phase != 0 and calls[self.phase] == 0:
            self.turn += 1

    def begin(self, now: float) -> tuple[int, float]:
        """A turn begins: whole frames that are given up after a stall, and by how many seconds it is late.

        What was given up is not sent afterwards: every deadline from now on moves by as much.
        """
        behind = now - self.deadline
        slipped = max(0, int(behind / FRAME_S))
        self._origin += slipped * FRAME_S
        self.turn += 1
        return slipped, behind


def phases_of(calls: int) -> tuple[int, ...]:
    """The phases in use for so many calls."""
    return next(phases for least, phases in _PHASES_BY_CALLS if calls >= least)


def phase_of_next(calls: Sequence[int]) -> int:
    """The phase of a call that begins, where so many (by phase) go on: the emptiest of those in use."""
    return min(phases_of(sum(calls)), key=lambda phase: (calls[phase], phase))
