"""The voice of one callee: when they begin to speak, and when they have stopped.

    quiet     --3 of 5 frames are voiced-->       speaking   speech_started, at the first of them
    speaking  --440 ms without a voiced frame-->  quiet      speech_ended, at the end of the last one

A frame is voiced if webrtcvad says so, if it is louder than the line (its background and a floor) and than an echo
of what we sent could be, and if it is not the tone of a key. This is for a clean line: webrtcvad alone
is wrong often in noise, and speech far below our own prompt is not heard while the prompt is played.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from detection.ears import FRAME_MS, FRAME_SAMPLES
from detection.key_tone import is_key_tone
from detection.level import SILENCE_DBM0, dbm0, energy_of, ratio

RATE_HZ = 8000
AGGRESSIVENESS = 2  # of webrtcvad, 0 to 3: 3 misses the soft beginnings of words

START_FRAMES = 3  # voiced ones
START_WINDOW_FRAMES = 5  # among so many
HANGOVER_FRAMES = 22  # 440 ms: longer than the pauses within a sentence

WARM_UP_FRAMES = 6  # webrtcvad takes any noise for speech until it has heard so much of it

FLOOR_DBM0 = -48.0  # nobody speaks below this on a line that works
ABOVE_BACKGROUND_DB = 9.0
BACKGROUND_RISE_DB = 0.5  # a frame, while nobody speaks: 25 dB a second
BACKGROUND_RISE_SPEAKING_DB = 0.06  # 3 dB a second, so that a noise that came to stay does not speak for ever
ECHO_LOSS_DB = 17.0  # an echo comes back at least so much weaker

# The same as energies, sums of squares of a frame, for speed.
_FLOOR = energy_of(FLOOR_DBM0, FRAME_SAMPLES)
_ABOVE_BACKGROUND = ratio(ABOVE_BACKGROUND_DB)
_RISE, _RISE_SPEAKING = ratio(BACKGROUND_RISE_DB), ratio(BACKGROUND_RISE_SPEAKING_DB)
_ECHO = ratio(-ECHO_LOSS_DB)
_LEAST_BACKGROUND = energy_of(SILENCE_DBM0, FRAME_SAMPLES)


class Change(NamedTuple):
    """Speech has started or ended, `t_ms` after the first frame. `level_dbm0` is of its loudest frame so far."""

    started: bool
    t_ms: int
    level_dbm0: float


class Voice:
    """One row's ear for voice. Fed every 20 ms; pure but for its own state."""

    __slots__ = ("_background", "_frames", "_last_voiced", "_loudest", "_recent", "_speaking", "_vad")

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(AGGRESSIVENESS)
        self._frames = 0  # so many have passed
        self._recent: list[int] = []  # voiced frames of the window
        self._speaking = False
        self._last_voiced = 0
        self._loudest = 0
        self._background = _LEAST_BACKGROUND  # unknown: who speaks at once is heard at once

    def hear(self, frame: NDArray[np.int16], energy: int, sent_energy: int) -> Change | None:
        """The next 20 ms: 160 samples, the sum of their squares, and the greatest one of what we sent lately."""
        voiced = (
            # webrtcvad is asked first, always: it learns from each frame.
            bool(self._vad.is_speech(frame.tobytes(), RATE_HZ, FRAME_SAMPLES))
            and energy > _FLOOR
            and energy > self._background * _ABOVE_BACKGROUND
            and energy > sent_energy * _ECHO
            and self._frames >= WARM_UP_FRAMES
        )
        if voiced and not self._speaking and is_key_tone(frame, energy):
            voiced = False
            self._recent.clear()  # the edges of its burst are no voice either
        risen = self._background * (_RISE_SPEAKING if voiced or self._speaking else _RISE)
        self._background = max(risen if risen < energy else energy, _LEAST_BACKGROUND)
        return self._next(voiced, energy)

    def miss(self) -> Change | None:
        """The next 20 ms did not come: nothing is known of them, so nobody is taken to speak."""
        return self._next(False, 0)

    def _next(self, voiced: bool, energy: int) -> Change | None:
        now = self._frames
        self._frames += 1
        if not voiced:
            silent = self._speaking and now - self._last_voiced >= HANGOVER_FRAMES
            return self._end() if silent else None
        self._last_voiced = now
        self._loudest = max(self._loudest, energy)
        if self._speaking:
            return None
        self._recent = [frame for frame in self._recent if frame > now - START_WINDOW_FRAMES]
        self._recent.append(now)
        if len(self._recent) < START_FRAMES:
            return None
        self._speaking = True
        first = self._recent[0]
        # Who was speaking when the warm-up ended is taken to have spoken all along.
        return Change(True, (0 if first == WARM_UP_FRAMES else first) * FRAME_MS, self._level())

    def _level(self) -> float:
        return dbm0(self._loudest, FRAME_SAMPLES)

    def _end(self) -> Change:
        change = Change(False, (self._last_voiced + 1) * FRAME_MS, self._level())
        self._speaking = False
        self._recent.clear()
        self._loudest = 0
        return change
