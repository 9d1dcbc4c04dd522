"""What a stream was like: interarrival jitter, and an estimate of how it sounded. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.media.rtp import CLOCK_HZ, FRAME_MS

GAIN_SAMPLES: Final = 16  # RFC 3550, section 6.4.1: the estimate moves by 1/16 of what is new
JUMP_UNITS: Final = float(CLOCK_HZ)  # a second: no jitter, but timestamps that begin anew
WRAP: Final = float(1 << 32)

# The E-model (ITU-T G.107) with its default values, in the form of Cole and Rosenbluth, "Voice over IP performance
# monitoring" (2001): R = 93.2 - Id - Ie_eff.
R_BEST: Final = 93.2
DELAY_FELT_MS: Final = 177.3
BPL: Final = 4.3  # G.711 without concealment of loss (G.113, appendix I); with it the burst ratio is about the same
BPL_CONCEALED: Final = 25.1  # G.711 with concealment (G.711, appendix I), as telephones have it
IE_LOST_ALL: Final = 95.0

Units = NDArray[np.float64]


def jitter_step(
    transit: Units, before: Units, jitter: Units, samples: NDArray[np.int64]
) -> tuple[Units, NDArray[np.int64]]:
    """One sample more for each stream: its estimate of jitter and number of samples, in units of the timestamp.

    `transit` is time of arrival less timestamp, both in units (RFC 3550, appendix A.8), `before` that of the sample
    before. The RFC takes each packet; here it is one of several. The estimate is the mean of |D|, D the difference of
    two transit times: of any two packets whose delays are independent it is the same, neighbours or not, and what
    clocks drift apart in between (a third of a second, 100 ppm) is less than one unit. Fewer samples make it only
    slower, so the first ones are averaged evenly rather than each by a sixteenth.
    """
    moved = np.remainder(transit - before + WRAP / 2, WRAP) - WRAP / 2
    valid = (samples > 0) & (np.abs(moved) <= JUMP_UNITS)
    gain = 1.0 / np.clip(samples, 1, GAIN_SAMPLES)
    stepped = np.where(valid, jitter + (np.abs(moved) - jitter) * gain, jitter)
    return stepped, np.where(valid | (samples == 0), samples + 1, samples)


def milliseconds(units: float) -> float:
    """Of units of the timestamp."""
    return units * 1000 / CLOCK_HZ


def mos(loss: float, delay_ms: float, bpl: float = BPL) -> float:
    """Mean opinion score, 1 to 4.4, of G.711 that loses this share of its packets and takes so long one way."""
    delayed = 0.024 * delay_ms + 0.11 * max(0.0, delay_ms - DELAY_FELT_MS)
    percent = 100 * min(max(loss, 0.0), 1.0)
    r = R_BEST - delayed - IE_LOST_ALL * percent / (percent + bpl)
    # Below R = 6.5 the formula falls under the scale's end.
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6) if r > 0 else 1.0


def mouth_to_ear_ms(round_trip_ms: float, jitter_ms: float) -> float:
    """One way: half the round trip, a packet's length, and a jitter buffer of twice the jitter."""
    return round_trip_ms / 2 + FRAME_MS + 2 * jitter_ms
