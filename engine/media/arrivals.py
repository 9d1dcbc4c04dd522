"""When packets really came: by the kernel's stamps, since the tick reads once in 20 ms and knows nothing finer.

A stamp costs a system call, so it is taken of every sixteenth packet only.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.media.columns import Columns
from engine.media.rtp import CLOCK_HZ
from engine.media.sockets import Wire
from engine.media.statistics import jitter_step

EVERY: Final = 16  # packets; a power of two
_AUDIO: Final = 0x77  # of the payload type: none of these bits is set in 0 (mu-law) and 8 (A-law)


class Arrivals:
    """Keeps the columns of jitter. Owned by the tick."""

    def __init__(self, columns: Columns, wire: Wire) -> None:
        self._columns = columns
        self._wire = wire

    def sample(self, rows: NDArray[np.intp], came: NDArray[np.bool_]) -> None:
        """Rows that were read just now; `came` where a packet is in the inbox. Before anything else is read."""
        columns = self._columns
        due = rows[came & ((columns.received[rows] + rows) & (EVERY - 1) == 0)]
        if due.size == 0:
            return
        header = columns.inbox_header
        due = due[(header["ssrc"][due] == columns.rx_ssrc[due]) & (header["second"][due] & _AUDIO == 0)]
        if due.size == 0:
            return
        arrived = self._wire.arrivals(due)
        due, arrived = due[arrived > 0], arrived[arrived > 0]
        transit = arrived * CLOCK_HZ - header["timestamp"][due]
        columns.jitter[due], columns.jitter_samples[due] = jitter_step(
            transit, columns.transit[due], columns.jitter[due], columns.jitter_samples[due]
        )
        columns.transit[due] = transit
