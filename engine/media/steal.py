"""How much time the host of a virtual machine took from it: `/proc/stat`, Linux."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_STAT: Final = Path("/proc/stat")
_STEAL_FIELD: Final = 8  # of the line `cpu`, in clock ticks, all CPUs together


class Steal:
    """A meter that tells what came since it was last read."""

    def __init__(self, stat: Path = _STAT) -> None:
        self._stat = stat
        self._read = self._ticks()

    def any(self) -> bool:
        """Some time was taken since the last question; False where the system does not tell."""
        before, self._read = self._read, self._ticks()
        return self._read > before

    def _ticks(self) -> int:
        try:
            return int(self._stat.read_text("ascii").split("\n", 1)[0].split()[_STEAL_FIELD])
        except (OSError, ValueError, IndexError):
            return 0
