"""RTP packets made beforehand."""

from __future__ import annotations

import struct
from typing import Final

from zvonar.bench_media.clip import Frames
from zvonar.bench_media.pacing import FRAME_SAMPLES

COUNT: Final = 1 << 13  # 164 s; longer than any window
_HEADER: Final = struct.Struct("!BBHII")


def packets(clip: Frames, payload_type: int) -> list[bytes]:
    """One after another, as one call sends them."""
    payloads = [frame.tobytes() for frame in clip]
    return [
        _HEADER.pack(0x80, payload_type, number, number * FRAME_SAMPLES, 0x7A766F6E) + payloads[number % len(payloads)]
        for number in range(COUNT)
    ]
