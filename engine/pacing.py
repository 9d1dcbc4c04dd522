"""How fast a trunk may be given new calls: GCRA (ITU-T I.371), which spaces starts evenly and never bursts."""

from __future__ import annotations

import math


class Gcra:
    """Starts at most `rate` a second, evenly. `rate` None sets no pace."""

    def __init__(self, rate: float | None) -> None:
        self._spacing_s = 1 / rate if rate else 0.0
        self._next = 0.0

    def reserve(self, at: float) -> float:
        """Take the next start slot; returns the time (Unix seconds, >= `at`) when it is."""
        start = max(at, self._next)
        self._next = start + self._spacing_s
        return start

    def free(self, at: float, horizon_s: float) -> int | None:
        """How many slots lie between `at` and `at + horizon_s`; None without a pace."""
        if not self._spacing_s:
            return None
        return max(0, math.floor((at + horizon_s - max(at, self._next)) / self._spacing_s) + 1)
