"""The pacer of RTP: absolute deadlines, so that errors do not add up, and slipping instead of bursts. Pure."""

from __future__ import annotations

FRAME_S = 0.020


class Pacer:
    """Turn n is due at `T0 + n * 20 ms / phases`. Times are seconds of a monotonic clock."""

    def __init__(self, origin: float, phases: int = 1) -> None:
        self.phases = phases
        self.turn = 0
        self._origin = origin

    @property
    def phase(self) -> int:
        """Which of the phases the coming turn serves."""
        return self.turn % self.phases

    @property
    def deadline(self) -> float:
        """When the coming turn is due."""
        return self._origin + self.turn * FRAME_S / self.phases

    def begin(self, now: float) -> tuple[int, bool]:
        """A turn begins: whole frames that are given up after a stall, and whether it is late by a phase.

        What was given up is not sent afterwards: every deadline from now on moves by as much.
        """
        behind = now - self.deadline
        slipped = max(0, int(behind / FRAME_S))
        self._origin += slipped * FRAME_S
        self.turn += 1
        return slipped, behind > FRAME_S / self.phases
