"""Keys pressed, RFC 4733: hearing them whatever the line did to the packets, and sending them.

Receiving. A press is one event with one RTP timestamp, repeated every 20 to 50 ms with a growing duration and, at its
end, three times with the E bit. Any of these may be lost, doubled or late; so a press is known by its timestamp alone,
and told at the first packet of it that comes. One thing breaks that rule: a long press may go on under a new timestamp
(section 2.5.1.3: a segment, when the duration no longer fits; some senders do so every half second). It is the
same press if its key is the same, no E came, the new packet bears no marker, and it begins exactly where the last one
had got to; or, if packets were lost at that seam, just so long after the last one's timestamp as this far end's
segments are, which its whole seams tell. Until there was one, half and whole seconds are taken for such if little was
lost.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

EVENTS: Final = "0123456789*#ABCD"  # section 3.2, table 7
ENDS: Final = 3  # the final packet is sent three times, section 2.5.1.4
SEGMENTS_S: Final = (0.5, 1.0)  # as they are seen
SEAM_S: Final = 0.06  # three packets lost
SEGMENTS_LOST: Final = 2  # one after another, at most
REMEMBERED: Final = 32  # presses; late packets of older ones do not come

_PAYLOAD = struct.Struct("!BBH")
_END = 0x80
_VOLUME_DBM0 = 10  # of the tone, without sign


class Event(NamedTuple):
    """The payload; duration in units of the timestamp."""

    code: int
    end: bool
    duration: int


def parse(payload: bytes) -> Event | None:
    """The first event of a payload; None if it is too short."""
    if len(payload) < _PAYLOAD.size:
        return None
    code, flags, duration = _PAYLOAD.unpack_from(payload)
    return Event(code, bool(flags & _END), duration)


def build(event: Event) -> bytes:
    """The payload of an event."""
    return _PAYLOAD.pack(event.code, (_END if event.end else 0) | _VOLUME_DBM0, event.duration)


@dataclass(slots=True)
class _Press:
    code: int
    timestamp: int  # of the last segment
    duration: int  # of the last segment
    ended: bool


class Presses:
    """Hears the presses of one call."""

    def __init__(self, rate_hz: int = 8000) -> None:
        self._seam = int(SEAM_S * rate_hz)
        self._guesses = {int(seconds * rate_hz) for seconds in SEGMENTS_S}
        self._segment = 0  # how long this far end's are; 0: it has shown none
        self._known: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)
        self._last: _Press | None = None

    def take(self, ssrc: int, timestamp: int, marker: bool, event: Event) -> str | None:
        """The key, at the first packet of its press; None for every other packet and for what is no key."""
        if event.code >= len(EVENTS):
            return None
        last = self._last
        if (ssrc, timestamp) in self._known:
            if last is not None and last.timestamp == timestamp:
                last.duration = max(last.duration, event.duration)
                last.ended = last.ended or event.end
            return None
        self._known.append((ssrc, timestamp))
        if last is not None and not marker and self._continues(last, timestamp, event):
            last.timestamp, last.duration, last.ended = timestamp, event.duration, event.end
            return None
        self._last = _Press(event.code, timestamp, event.duration, event.end)
        return EVENTS[event.code]

    def _continues(self, last: _Press, timestamp: int, event: Event) -> bool:
        if last.ended or last.code != event.code:
            return False
        length = (timestamp - last.timestamp) & 0xFFFFFFFF
        if length == last.duration:
            self._segment = length
            return True
        if self._segment:
            whole, rest = divmod(length, self._segment)
            return rest == 0 and whole <= 1 + SEGMENTS_LOST
        return length in self._guesses and 0 <= length - last.duration <= self._seam


class Sending(NamedTuple):
    """What goes out in one tick of 20 ms: packets of an event that began `age` ticks ago; none: silence."""

    age: int
    marker: bool
    events: tuple[Event, ...]


def press(digit: str, on_ms: int, off_ms: int, rate_hz: int = 8000) -> Iterator[Sending]:
    """The ticks of one press and the gap after it. ValueError for what is no key."""
    code = EVENTS.index(digit)
    unit = rate_hz // 50
    on, off = max(1, on_ms // 20), max(1, off_ms // 20)
    on = min(on, 0xFFFF // unit)  # longer would need segments; nobody presses for 8 s
    for age in range(on):
        yield Sending(age, age == 0, (Event(code, False, (age + 1) * unit),))
    final = Event(code, True, on * unit)
    for age in range(off):
        # One end a tick, the rest at once if the gap is too short for that.
        left = ENDS - age
        count = max(0, left) if age == off - 1 else min(1, max(0, left))
        yield Sending(on + age, False, (final,) * count)
