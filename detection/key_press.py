"""Keys pressed, heard in the audio (ITU-T Q.23), for far ends that report them in no other way. Rows as columns.

Windows of 20 ms overlap by half. Two neighbours that both hold the same pair of tones tell, by how far the phases moved
from one to the other, what the frequencies are to a few hertz; and a fit of two such sines to the 30 ms of both tells
how much of the energy they are. So short a tone as 40 ms fills one such pair wholly, wherever it begins; one of 23 ms
fills none (ITU-T Q.24, table A-1). Between two presses of a key its tones are gone for two windows (Q.24: 40 ms); what
is gone for less was an interruption. What of our own keys comes back as an echo is none.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detection.ears import FRAME_MS, FRAME_SAMPLES
from detection.key_tone import HIGH_HZ, LOW_HZ, RATE_HZ
from detection.level import energies, energy_of, ratio

KEYS: Final = "0123456789*#ABCD"  # in the order of RFC 4733's events
_PAD: Final = "123A456B789C*0#D"  # row by row

FLOOR_DBM0: Final = -38.0  # below what any of Q.24's administrations wants heard
TOLERANCE: Final = 0.024  # of the frequency: 1.5 % must be heard, 3.5 % must not
SHARE: Final = 0.8  # of the energy of 30 ms
TWIST_DB: Final = (-5.5, 9.5)  # low less high; Q.24: -4 to 8, with something to spare
GLANCE: Final = 0.33  # share at the exact frequencies, which those that are 1.5 % off still have
GONE: Final = 0.12  # of the power of the press
GONE_WINDOWS: Final = 2
LOST_FRAMES: Final = 25  # without any packet nobody holds a key so long
ECHO_FRAMES: Final = 25
ECHO_SHARE: Final = 0.6

HALF: Final = FRAME_SAMPLES // 2
_GRAIN: Final = 1 << 14
# Whole numbers, so that sums of products are exact in floating point, in whatever order BLAS adds them up.
_ANGLES: Final = 2 * np.pi * np.outer(np.arange(FRAME_SAMPLES), LOW_HZ + HIGH_HZ) / RATE_HZ
_WAVES: Final = np.rint(_GRAIN * np.concatenate([np.cos(_ANGLES), -np.sin(_ANGLES)], axis=1))
_ROWS_AT_ONCE: Final = 40  # few enough that BLAS starts no threads
_ADVANCE: Final = 2 * np.pi * np.array(LOW_HZ + HIGH_HZ) * HALF / RATE_HZ
_HZ: Final = np.array(LOW_HZ + HIGH_HZ, np.float64)
_SPAN: Final = np.arange(FRAME_SAMPLES + HALF)
_FLOOR: Final = energy_of(FLOOR_DBM0, FRAME_SAMPLES)

Spectra = NDArray[np.complex128]
Pair = tuple[int, int]  # a low tone, 0 to 3, and a high one, 4 to 7


class Window(NamedTuple):
    """20 ms: its tones, and the sum of its squares."""

    spectrum: Spectra
    energy: int


class KeyPress(NamedTuple):
    """A key went down, `t_ms` after the row was opened."""

    row: int
    t_ms: int
    key: int  # index into KEYS


def spectra(frames: NDArray[np.int16]) -> Spectra:
    """The four low and four high tones in each row of `(n, 160)`, exactly; a full-scale sine is about 80 * 32768."""
    parts = [
        frames[begin : begin + _ROWS_AT_ONCE].astype(np.float64) @ _WAVES
        for begin in range(0, len(frames), _ROWS_AT_ONCE)
    ]
    both = np.concatenate(parts) if parts else np.zeros((0, 16))
    return np.asarray((both[:, :8] + 1j * both[:, 8:]) / _GRAIN, np.complex128)


class KeyPresses:
    """Listens on rows 0 to `rows` - 1, each by itself. Not thread-safe."""

    def __init__(self, rows: int) -> None:
        self._open = np.zeros(rows, bool)
        self._frames = np.zeros(rows, np.int64)  # that have passed
        self._last = np.zeros((rows, FRAME_SAMPLES), np.int16)
        self._whole = np.zeros(rows, bool)  # the last frame came
        self._spectrum = np.zeros((rows, 8), np.complex128)  # of the last frame
        self._energy = np.zeros(rows, np.int64)
        self._sent = np.zeros((rows, ECHO_FRAMES, FRAME_SAMPLES), np.int16)
        # What is held down.
        self._holds = np.zeros(rows, bool)
        self._pair: list[Pair] = [(0, 4)] * rows
        self._power = np.zeros(rows)  # of its tones
        self._gone = np.zeros(rows, np.int64)  # windows without them
        self._lost = np.zeros(rows, np.int64)  # frames that did not come

    def open(self, row: int) -> None:
        """Start to hear the row from nothing."""
        self._open[row] = True
        self._frames[row] = self._lost[row] = 0
        self._whole[row] = self._holds[row] = False
        self._sent[row] = 0

    def close(self, row: int) -> None:
        """Stop hearing it; idempotent."""
        self._open[row] = False

    def hears(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which of the rows are open."""
        result: NDArray[np.bool_] = self._open[rows]
        return result

    def step(
        self, rows: NDArray[np.intp], rx: NDArray[np.int16], tx: NDArray[np.int16], present: NDArray[np.bool_]
    ) -> list[KeyPress]:
        """One tick for the rows given, all of them open; shapes as in `detection.ears`."""
        self._sent[rows, self._frames[rows] % ECHO_FRAMES] = tx
        self._frames[rows] += 1
        between = np.concatenate([self._last[rows, HALF:], rx[:, :HALF]], axis=1)
        energy, energy_between = energies(rx), energies(between)
        busy = np.flatnonzero(present & ((energy > _FLOOR) | (energy_between > _FLOOR) | self._holds[rows]))
        now, middle = np.zeros((rows.size, 8), np.complex128), np.zeros((rows.size, 8), np.complex128)
        now[busy], middle[busy] = spectra(rx[busy]), spectra(between[busy])
        worth = self._holds[rows] | _glance(now, energy) | _glance(middle, energy_between)
        pressed: list[KeyPress] = []
        for index in np.flatnonzero(present & self._whole[rows] & worth).tolist():
            row = int(rows[index])
            samples = np.concatenate([self._last[row], rx[index]])
            windows = (
                Window(self._spectrum[row], int(self._energy[row])),
                Window(middle[index], int(energy_between[index])),
                Window(now[index], int(energy[index])),
            )
            for number in range(2):
                span = samples[number * HALF :][: _SPAN.size]
                pair = _pair(windows[number], windows[number + 1], span)
                if self._press(row, pair, windows[number + 1].spectrum):
                    t_ms = (int(self._frames[row]) - 2) * FRAME_MS + number * FRAME_MS // 2
                    pressed.append(KeyPress(row, t_ms, _key(self._pair[row])))
        self._lose(rows, present)
        self._last[rows], self._whole[rows] = rx, present
        self._spectrum[rows], self._energy[rows] = now, energy
        return pressed

    def _lose(self, rows: NDArray[np.intp], present: NDArray[np.bool_]) -> None:
        """Where nothing came a key may be held still, for a while."""
        self._lost[rows] = np.where(present, 0, self._lost[rows] + 1)
        self._holds[rows[self._lost[rows] >= LOST_FRAMES]] = False

    def _press(self, row: int, pair: Pair | None, spectrum: Spectra) -> bool:
        """Another window; true if a key has gone down in it."""
        if pair is None or (self._holds[row] and pair == self._pair[row]):
            if self._holds[row]:
                self._hold(row, _power(spectrum, self._pair[row]), heard=pair is not None)
            return False
        self._holds[row], self._pair[row], self._gone[row] = True, pair, 0
        self._power[row] = _power(spectrum, pair)
        return not _echoes(self._sent[row], pair, float(self._power[row]))

    def _hold(self, row: int, power: float, heard: bool) -> None:
        if heard:
            self._power[row] = max(self._power[row], power)
        self._gone[row] = self._gone[row] + 1 if power < GONE * self._power[row] else 0
        if self._gone[row] >= GONE_WINDOWS:
            self._holds[row] = False


def _key(pair: Pair) -> int:
    return KEYS.index(_PAD[pair[0] * 4 + pair[1] - 4])


def _glance(spectrum: Spectra, energy: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a closer look is worth while: two tones, one of each group, are a good part of the window."""
    powers = spectrum.real**2 + spectrum.imag**2
    both = powers[:, :4].max(axis=1) + powers[:, 4:].max(axis=1)
    result: NDArray[np.bool_] = (energy > _FLOOR) & (both * 2 >= GLANCE * FRAME_SAMPLES * energy)
    return result


def _power(spectrum: Spectra, pair: Pair) -> float:
    low, high = complex(spectrum[pair[0]]), complex(spectrum[pair[1]])
    return low.real**2 + low.imag**2 + high.real**2 + high.imag**2


def _pair(first: Window, second: Window, span: NDArray[np.int16]) -> Pair | None:
    """The two tones that both windows hold; `span` is the 30 ms of both."""
    if first.energy <= _FLOOR or not _glance(second.spectrum[None], np.array([second.energy]))[0]:
        return None
    powers = np.abs(second.spectrum)
    low, high = int(np.argmax(powers[:4])), 4 + int(np.argmax(powers[4:]))
    hz = []
    for tone in (low, high):
        moved = np.angle(second.spectrum[tone] * np.conj(first.spectrum[tone])) - _ADVANCE[tone]
        moved = (moved + math.pi) % (2 * math.pi) - math.pi
        off = moved * RATE_HZ / (2 * math.pi * HALF)
        if abs(off) > TOLERANCE * _HZ[tone]:
            return None
        hz.append(float(_HZ[tone] + off))
    return (low, high) if _fits(span, hz[0], hz[1]) else None


def _fits(span: NDArray[np.int16], low_hz: float, high_hz: float) -> bool:
    """Two sines of these frequencies are most of it, and neither is much louder than the other."""
    angles = 2 * np.pi / RATE_HZ * np.outer((low_hz, high_hz), _SPAN)
    waves = np.concatenate([np.cos(angles), np.sin(angles)])
    samples = span.astype(np.float64)
    products = (waves * samples).sum(axis=1)
    crossed = (waves[:, None, :] * waves[None, :, :]).sum(axis=2)
    weights = np.linalg.solve(crossed, products)
    share = float((weights * products).sum()) / float((samples * samples).sum())
    if share < SHARE:
        return False
    low, high = weights[0] ** 2 + weights[2] ** 2, weights[1] ** 2 + weights[3] ** 2
    return bool(ratio(TWIST_DB[0]) * high <= low <= ratio(TWIST_DB[1]) * high)


def _echoes(frames: NDArray[np.int16], pair: Pair, power: float) -> bool:
    """One of the frames that we sent lately is the same key, and louder: this is what comes back of it."""
    sent = energies(frames)
    loud = sent > _FLOOR
    powers = np.abs(spectra(frames[loud])) ** 2
    both = powers[:, pair[0]] + powers[:, pair[1]]
    return bool(((both * 2 >= ECHO_SHARE * FRAME_SAMPLES * sent[loud]) & (both >= power)).any())
