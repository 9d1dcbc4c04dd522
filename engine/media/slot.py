"""A slot in use: one call's media, from `Open` to `Closed`. What commands mean is here; the tick does the rest."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from detection.ears import Heard
from detection.key_press import KEYS
from engine.media.arena import Arena
from engine.media.columns import Columns
from engine.media.g711 import PAYLOAD_TYPES
from engine.media.incoming import Incoming
from engine.media.jitter import JitterBuffer
from engine.media.outgoing import Outgoing
from engine.media.player import Player
from engine.media.reporter import Reporter
from engine.media.reports import Reports
from engine.media.rtp import FRAME_MS, MARKER
from engine.media.sockets import Wire
from engine.media.summary import summary
from engine.media.telephone_event import Sending
from engine.media.wire import (
    Digit,
    NoMedia,
    Open,
    Play,
    Remote,
    SendDigits,
    SlotEvent,
    SpeechEnded,
    SpeechStarted,
    Stop,
    Stopped,
)

NO_MEDIA_MS: Final = 3000
DTMF_RATES_HZ: Final = (1000, 192_000)


class Slot:
    """Owned by the media thread."""

    def __init__(
        self,
        row: int,
        generation: int,
        opened: Open,
        columns: Columns,
        jitter: JitterBuffer,
        arena: Arena,
        wire: Wire,
        reporter: Reporter,
        emit: Callable[[SlotEvent], None],
        pass_on: Callable[[str], None],
    ) -> None:
        self.row = row
        self.generation = generation
        self._networks = opened.networks
        self._reporter = reporter
        self.listens: frozenset[str] = frozenset()  # what the call wants to hear
        self.keys_as_tones = False  # the far end presses keys in its audio, if at all
        self._aimed_at = (0, 0)  # packets sent and received until the last `Remote`
        self._columns = columns
        self._wire = wire
        self._emit = emit
        self._pass_on = pass_on
        self.player = Player(row, columns, arena, emit)
        self.outgoing = Outgoing(row, columns, wire)
        self.incoming = Incoming(row, columns, jitter, wire, emit, self._pressed)
        wire.clear(row)
        reporter.open(row, opened.networks)

    def obey(self, command: Remote | Play | Stop | SendDigits, now: float) -> None:
        """Do it. ValueError, OSError or ArenaError where it cannot be done."""
        match command:
            case Remote():
                self._aim(command, now)
            case Play():
                self.player.play(command)
            case Stop():
                self.player.stop(Stopped.STOPPED)
            case SendDigits():
                self.player.press(command)
        self.settle()

    def settle(self) -> None:
        """The tick serves this row in its columns, unless it needs packets of its own."""
        self._columns.plain[self.row] = self.outgoing.plain and not self.player.pressing

    def transmit(self, key: tuple[str, Sending] | None) -> bool:
        """Send what is no plain packet; False if one did not leave."""
        left = self.outgoing.tick(key)
        self.settle()
        return left

    def item_over(self) -> None:
        """The last frame of what is played is out."""
        self.player.item_over()
        self.settle()

    def heard(self, heard: Heard) -> None:
        """The ears say something of this row."""
        if heard.kind == "speech_started":
            self._emit(SpeechStarted(heard.t_ms))
            self.player.interrupt(Stopped.VOICE)
            self.settle()
        elif heard.kind == "speech_ended":
            self._emit(SpeechEnded(heard.t_ms))
        elif heard.kind == "digit":
            digit = KEYS[int(heard.value)]
            self._emit(Digit(digit, "inband"))
            self._pressed(digit)

    def missed(self) -> None:
        """No packet came for NO_MEDIA_MS."""
        self.incoming.missed()
        self._emit(NoMedia())

    def close(self) -> None:
        """The last events of this generation."""
        columns, row = self._columns, self.row
        self.player.stop(Stopped.CLOSED)
        reports = self._reporter.close(row)
        overflowed = self._wire.overflowed(row)
        self.release()
        one_way = self._one_way(reports)
        self._emit(summary(columns, row, self.incoming.late, self.incoming.refused, reports, overflowed, one_way))

    def release(self) -> None:
        """Nothing is sent any more, and the socket is free."""
        self._columns.sending[self.row] = False
        self._columns.listening[self.row] = False
        self._reporter.close(self.row)
        self._wire.clear(self.row)

    def _one_way(self, reports: Reports | None) -> bool:
        columns, row = self._columns, self.row
        sent, received = int(columns.sent[row]) - self._aimed_at[0], int(columns.received[row]) - self._aimed_at[1]
        unheard = bool(columns.receiving[row]) and received == 0 and sent >= NO_MEDIA_MS // FRAME_MS
        return unheard or (reports is not None and reports.deaf)

    def _aim(self, remote: Remote, now: float) -> None:
        columns, row = self._columns, self.row
        _check(remote)
        law = PAYLOAD_TYPES[remote.payload_type]
        self.incoming.set_remote(remote, self._networks)
        self.player.set_format(law, remote.dtmf_rate)
        self.outgoing.set_format(remote)
        columns.law[row] = law
        columns.payload_type[row] = remote.payload_type
        if not columns.sending[row]:
            columns.marker[row] = MARKER  # the first packet, and the first after a hold
        # No port, or no address (a hold of old, RFC 3264, section 8.4), is nowhere to send to.
        columns.sending[row] = remote.send and remote.port > 0 and not ip_address(remote.host).is_unspecified
        columns.receiving[row] = remote.receive
        self._aimed_at = int(columns.sent[row]), int(columns.received[row])
        self.keys_as_tones = remote.receive and remote.dtmf_type is None
        self._reporter.aim(row, remote, now)

    def _pressed(self, digit: str) -> None:
        self.player.interrupt(Stopped.DIGIT)
        self.settle()
        self._pass_on(digit)


def _check(remote: Remote) -> None:
    """ValueError for what cannot be: it was read from an SDP, and one bad one shall end one call."""
    ip_address(remote.host)
    if not 0 <= remote.port <= 65535:
        raise ValueError(f"port {remote.port} of the far end does not exist")
    ip_address(remote.rtcp_host or remote.host)
    if remote.payload_type not in PAYLOAD_TYPES:
        raise ValueError(f"payload type {remote.payload_type} is neither A-law nor mu-law")
    if remote.dtmf_type is not None and not 0 <= remote.dtmf_type <= 127:
        raise ValueError(f"payload type {remote.dtmf_type} does not exist")
    if not DTMF_RATES_HZ[0] <= remote.dtmf_rate <= DTMF_RATES_HZ[1]:
        raise ValueError(f"telephone events at {remote.dtmf_rate} Hz cannot be")
