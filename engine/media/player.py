"""What a slot plays: a queue of prompts and of keys to press, put under the slot's cursor one after another.

The tick moves the cursor; the player is asked only where something begins or ends. Each prompt gets exactly one
`Played`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Final

from engine.media.arena import Arena, Extent
from engine.media.columns import FOREVER, Columns
from engine.media.g711 import Law
from engine.media.rtp import FRAME_MS, FRAME_SAMPLES
from engine.media.telephone_event import Sending, press
from engine.media.wire import Interrupt, Play, Played, SendDigits, Sent, SlotEvent, Stopped

PAUSE_MAX_MS: Final = 86_400_000

_STOPPED_BY = {
    Stopped.DIGIT: (Interrupt.DIGITS, Interrupt.ANY),
    Stopped.VOICE: (Interrupt.VOICE, Interrupt.ANY),
}


class Player:
    """Plays into one row of the columns."""

    def __init__(self, row: int, columns: Columns, arena: Arena, emit: Callable[[SlotEvent], None]) -> None:
        self._row = row
        self._columns = columns
        self._arena = arena
        self._emit = emit
        self._law = Law.A
        self._queue: deque[Play | SendDigits] = deque()
        self._prompt: Play | None = None
        self._items: Iterator[int] = iter(())
        self._extent: Extent | None = None  # of the clip under the cursor
        self._padding = 0  # samples of the item's last frame that are none of it
        self._keys: Iterator[tuple[str, Sending]] | None = None
        self._rate_hz = 8000
        self._silence()

    @property
    def pressing(self) -> bool:
        """Keys are being pressed."""
        return self._keys is not None

    def set_format(self, law: Law, dtmf_rate_hz: int) -> None:
        """Go on in another law, at the same place."""
        if self._extent is not None:
            shift = self._extent.start[law] - self._extent.start[self._law]
        else:
            shift = self._arena.silence[law] - self._arena.silence[self._law]
        self._columns.cursor[self._row] += shift
        self._law = law
        self._rate_hz = dtmf_rate_hz

    def play(self, prompt: Play) -> None:
        """Queue a prompt. ArenaError if one of its clips cannot be played, ValueError for what would never end."""
        for item in prompt.items:
            if item > 0:
                self._arena.extent(item)
            elif item < -PAUSE_MAX_MS:
                raise ValueError(f"a pause of {-item} ms is longer than any call")
        if prompt.repeat and not any(prompt.items):
            raise ValueError("nothing cannot be repeated")
        self._queue.append(prompt)
        self._begin()

    def press(self, keys: SendDigits) -> None:
        """Queue keys. ValueError for what is no key."""
        for digit in keys.digits:
            next(press(digit, keys.on_ms, keys.off_ms))
        self._queue.append(keys)
        self._begin()

    def stop(self, why: Stopped) -> None:
        """The prompt and every queued one are over. Keys stay: each `SendDigits` has its `Sent`."""
        stopped = [entry for entry in self._queue if isinstance(entry, Play)]
        self._queue = deque(entry for entry in self._queue if isinstance(entry, SendDigits))
        if self._prompt is not None:
            self._end(why)
        for prompt in stopped:
            self._emit(Played(prompt.play, 0, why))
        self._begin()

    def interrupt(self, why: Stopped) -> None:
        """A key or a voice: stop, if the prompt has begun and gives way to it."""
        if self._prompt is None or self._columns.heard[self._row] == 0:
            return
        if self._prompt.interrupt in _STOPPED_BY[why]:
            self.stop(why)

    def item_over(self) -> None:
        """The last frame of the item under the cursor is out: the next item, the next prompt, or silence."""
        self._columns.heard[self._row] = max(0, self._columns.heard[self._row] - self._padding)
        self._next()

    def key(self) -> tuple[str, Sending] | None:
        """What of the keys goes out in this tick; None once they are over."""
        if self._keys is not None:
            for sending in self._keys:
                return sending
            self._keys = None
            self._emit(Sent())
            self._begin()
        return None

    def _begin(self) -> None:
        if self._prompt is None and self._keys is None:
            self._next()

    def _next(self) -> None:
        while self._keys is None:
            if self._prompt is not None:
                if any(self._put(item) for item in self._items):
                    return
                self._end(Stopped.ENDED)
            elif not self._queue:
                return
            else:
                self._take(self._queue.popleft())

    def _take(self, entry: Play | SendDigits) -> None:
        if isinstance(entry, Play):
            self._prompt = entry
            self._items = cycle(entry.items) if entry.repeat else iter(entry.items)
            self._columns.heard[self._row] = 0
        else:
            self._keys = (
                (digit, sending)
                for digit in entry.digits
                for sending in press(digit, entry.on_ms, entry.off_ms, self._rate_hz)
            )

    def _put(self, item: int) -> bool:
        """Put an item under the cursor; False if it is empty."""
        if item <= 0:
            frames = -(item // FRAME_MS)
            self._padding = frames * FRAME_SAMPLES + item * FRAME_SAMPLES // FRAME_MS
            self._silence(frames)
            return frames > 0
        extent = self._arena.extent(item)
        self._extent = extent
        self._padding = extent.frames * FRAME_SAMPLES - extent.samples
        self._columns.cursor[self._row] = extent.start[self._law]
        self._columns.stride[self._row] = FRAME_SAMPLES
        self._columns.frames_left[self._row] = extent.frames
        return True

    def _end(self, why: Stopped) -> None:
        assert self._prompt is not None
        heard_ms = int(self._columns.heard[self._row]) * FRAME_MS // FRAME_SAMPLES
        self._emit(Played(self._prompt.play, heard_ms, why))
        self._prompt = None
        self._silence()

    def _silence(self, frames: int = FOREVER) -> None:
        self._extent = None
        self._columns.cursor[self._row] = self._arena.silence[self._law]
        self._columns.stride[self._row] = 0
        self._columns.frames_left[self._row] = frames
