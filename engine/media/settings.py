"""What the control side tells the media process at its start."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Where RTP is bound, for how many calls, and what time it is."""

    host: str
    low: int
    high: int
    calls: int
    anchor: float  # Unix seconds minus monotonic ones
    line: int  # descriptors of `engine.recording.recorder`: a socket, and memory
    ring: int

    def dump(self) -> str:
        """As an argument of the command line."""
        return json.dumps(asdict(self))


def restore(text: str) -> Settings:
    """The settings in an argument."""
    return Settings(**json.loads(text))
