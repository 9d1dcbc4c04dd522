"""The tick: every 20 ms, for all slots of a phase at once: send, receive, hear. Told the time; sleeps nowhere.

Sending comes first, so that packets leave at the deadline; what is heard in a tick acts on the next one.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from detection.ears import Ears
from engine.media import g711
from engine.media.arena import Arena, ArenaError
from engine.media.arrivals import Arrivals
from engine.media.columns import ALWAYS, NOBODY, ONCE, Columns
from engine.media.control import Gone
from engine.media.jitter import JitterBuffer
from engine.media.overload import Overload
from engine.media.pacer import PHASES, phase_of_next
from engine.media.reporter import Reporter
from engine.media.rtp import FRAME_MS, FRAME_SAMPLES, HEADER_BYTES, PACKET_BYTES
from engine.media.slot import NO_MEDIA_MS, Slot
from engine.media.sockets import NOTHING, Wire
from engine.media.tape import Tape
from engine.media.wire import (
    Bridge,
    Close,
    Envelope,
    Event,
    Faulted,
    Listen,
    Load,
    Open,
    Play,
    Record,
    Remote,
    SendDigits,
    SlotEvent,
    Stop,
)

Rows = NDArray[np.intp]
Came = NDArray[np.bool_]
T = TypeVar("T")


class Overloaded(Exception):
    """There is no time for this call."""


REFUSALS: Final = (
    ValueError,
    OSError,
    ArenaError,
    Overloaded,
)  # a command or a far end that makes no sense, not our mistake
PACKETS_A_TICK: Final = 16  # read of one slot at most: what a stranger floods waits, and is dropped by the kernel
STALL_FRAMES_MAX: Final = 50  # that a recording keeps of a stall; a longer one shortens it
CHOSEN: Final = frozenset({"voice"})  # listeners that a call may ask for
KEYS: Final = frozenset({"digits"})
LOOK_AGAIN_PACKETS: Final = 32  # of a slot that gets one a tick: so often it is looked at for a second one


class Tick:
    """All slots of this process."""

    def __init__(
        self,
        columns: Columns,
        wire: Wire,
        arena: Arena,
        ears: Ears,
        tape: Tape,
        overload: Overload,
        emit: Callable[[Envelope], None],
        *,
        phase_of_next: Callable[[Sequence[int]], int] = phase_of_next,
        seed: int | None = None,
    ) -> None:
        self._columns = columns
        self._wire = wire
        self._arena = arena
        self._ears = ears
        self._jitter = JitterBuffer(columns.sending.size)
        self._emit = emit
        self._tape = tape
        self._overload = overload
        self._phase_of_next = phase_of_next
        self._random = np.random.default_rng(seed)
        self._reporter = Reporter(columns, wire, self._random)
        self._arrivals = Arrivals(columns, wire)
        self._slots: dict[int, Slot] = {}
        self._rows: list[Rows] = [np.zeros(0, np.intp)] * PHASES
        self.calls = [0] * PHASES  # slots in use, by phase
        self.now = 0.0  # Unix seconds, the `at` of events

    @property
    def slots(self) -> int:
        """How many are open."""
        return len(self._slots)

    def obey(self, envelope: Envelope) -> None:
        """Do what a command says; one that is meant for an earlier generation is dropped."""
        row, generation, _, command = envelope
        if isinstance(command, Load):
            self._arena.load(command.clip, command.path)
            return
        try:
            if isinstance(command, Open):
                self._open(row, generation, command)
            elif row in self._slots and self._slots[row].generation == generation:
                self._command(self._slots[row], command)
        except Gone:  # no slot's fault: the control side has died, and so do we
            raise
        except Exception as error:
            self._fault(row, generation, error)

    def load(self, until: float) -> None:
        """Copy clips into the arena while the monotonic clock is before `until`."""
        self._arena.work(until)

    def shed(self, count: int) -> None:
        """Give up so many calls, the newest ones: there is no time for all."""
        for slot in list(self._slots.values())[len(self._slots) - count :]:
            self._fault(slot.row, slot.generation, Overloaded("given up: the media process has no time for all calls"))

    def slip(self, frames: int) -> None:
        """The clock went on without us: timestamps jump, what is played does not."""
        self._columns.timestamp += np.uint32(frames * FRAME_SAMPLES & 0xFFFFFFFF)
        self._columns.eager[:] = ALWAYS  # the far ends have gone on
        self._columns.stalled[self._columns.taped] += min(frames, STALL_FRAMES_MAX)

    def turn(self, now: float, phase: int = 0, late: bool = False) -> int:
        """One tick of the slots of a phase; how many sent. A late one goes without hearing, never without digits."""
        self.now = now
        rows = self._rows[phase]
        if rows.size == 0:
            return 0
        sent = self._send(rows)
        self._receive(rows)
        self._miss(rows)
        self._reporter.turn(rows, now)
        self._hear(rows, late)
        return sent

    # --- commands ---------------------------------------------------------------------------------------

    def _open(self, row: int, generation: int, command: Open) -> None:
        if row in self._slots:
            raise ValueError(f"slot {row} is open already")
        if self._overload.refuses(len(self._slots)):
            raise Overloaded("the media process has no time for another call; fewer calls at once, or more cores")
        self._columns.clear(row, self._random)
        self._columns.generation[row] = generation
        self._serve(row, self._phase_of_next(self.calls))

        def emit(event: SlotEvent) -> None:
            self._tell(row, generation, event)

        self._slots[row] = Slot(
            row, generation, command, self._columns, self._jitter, self._arena, self._wire, self._reporter, emit,
            partial(self._pass_on, row),
        )  # fmt: skip

    def _command(self, slot: Slot, command: object) -> None:
        match command:
            case Remote() | Play() | Stop() | SendDigits():
                slot.obey(command, self.now)
                self._attend(slot)
            case Listen():
                self._listen(slot, frozenset(command.listens))
            case Record():
                self._columns.taped[slot.row], self._columns.stalled[slot.row] = True, 0
                self._want(slot.row)
                self._jitter.lag(slot.row)
                self._tape.open(slot.row, slot.generation, command.path)
            case Bridge():
                self._bridge(slot.row, command)
            case Close():
                self._columns.eager[slot.row] = ALWAYS
                self._drain(np.array([slot.row]))  # what has come already belongs to this call
                if slot.row in self._slots:
                    slot.close()
                    self._drop(slot.row)
            case _:
                raise ValueError(f"{type(command).__name__} is no command")

    def _listen(self, slot: Slot, listens: frozenset[str]) -> None:
        """What the call wants to hear; keys are not its choice."""
        row = slot.row
        self._columns.listening[row] = self._columns.key_tones[row]
        self._ears.close(row, CHOSEN)
        if listens:
            self._ears.open(row, listens)
            self._columns.listening[row] = True
        slot.listens = listens
        self._want(row)

    def _attend(self, slot: Slot) -> None:
        """Keys are listened for in the audio of a far end that was not asked to report them, or cannot."""
        row, columns = slot.row, self._columns
        if columns.key_tones[row] == slot.keys_as_tones:
            return
        columns.key_tones[row] = slot.keys_as_tones
        (self._ears.open if slot.keys_as_tones else self._ears.close)(row, KEYS)
        columns.listening[row] = slot.keys_as_tones or bool(slot.listens)
        self._want(row)

    def _bridge(self, row: int, command: Bridge) -> None:
        columns = self._columns
        before, columns.peer[row] = int(columns.peer[row]), NOBODY
        if before != NOBODY:
            self._want(before)
        peer = self._slots.get(command.slot)
        if peer is not None and peer.generation == command.generation and command.slot != row:
            columns.peer[row] = command.slot
            self._want(command.slot)

    def _want(self, row: int) -> None:
        """The jitter buffer keeps frames for those rows only whose frames anybody takes."""
        columns = self._columns
        if row in self._slots and (columns.listening[row] or columns.taped[row] or (columns.peer == row).any()):
            self._jitter.open(row, int(columns.rx_law[row]))
        else:
            self._jitter.close(row)

    def _pass_on(self, row: int, digit: str) -> None:
        """A key that the far end of this row pressed is pressed by whoever sends what it says.

        Except where it is a tone, and the hearer takes keys as tones only: that one has it in what is said.
        """
        as_tone = self._slots[row].keys_as_tones
        for hearer in np.flatnonzero(self._columns.peer == row).tolist():
            if not (as_tone and self._slots[hearer].keys_as_tones):
                self._each(hearer, lambda slot: slot.obey(SendDigits(digit), self.now))

    def _drop(self, row: int) -> None:
        slot = self._slots.pop(row, None)
        if slot is not None:
            self._ears.close(row)
            if self._columns.taped[row]:
                codes, present = self._jitter.rest(row)
                self._tape.close(row, slot.generation, codes, int(self._jitter.law[row]), present)
                self._columns.taped[row] = False
            slot.release()
            phase = self._columns.phase[row]
            self._rows[phase] = self._rows[phase][self._rows[phase] != row]
            self.calls[phase] -= 1
            for hearer in np.flatnonzero(self._columns.peer == row).tolist():
                self._bridge(hearer, Bridge(NOBODY))
            self._bridge(row, Bridge(NOBODY))
            self._want(row)

    def _serve(self, row: int, phase: int) -> None:
        self._columns.phase[row] = phase
        self._rows[phase] = np.append(self._rows[phase], row)
        self.calls[phase] += 1

    def _each(self, row: int, act: Callable[[Slot], T]) -> T | None:
        """Do something for one slot. What fails there, fails for this slot only: it gets its `Faulted`."""
        slot = self._slots.get(row)
        if slot is None:  # it faulted in this turn
            return None
        try:
            return act(slot)
        except Gone:
            raise
        except Exception as error:
            self._fault(row, slot.generation, error)
            return None

    def _fault(self, row: int, generation: int, error: Exception) -> None:
        if not isinstance(error, REFUSALS):
            traceback.print_exception(error)
        self._drop(row)
        self._tell(row, generation, Faulted(str(error) or type(error).__name__))

    def _tell(self, row: int, generation: int, event: Event) -> None:
        self._emit(Envelope(row, generation, self.now, event))

    # --- send -------------------------------------------------------------------------------------------

    def _send(self, rows: Rows) -> int:
        columns = self._columns
        sending = rows[columns.sending[rows]]
        odd = sending[~columns.plain[sending]]
        keys = {row: self._each(row, lambda slot: slot.player.key()) for row in odd.tolist()}
        self._gather(sending)
        failed = [row for row, key in keys.items() if not self._each(row, partial(Slot.transmit, key=key))]
        plain = np.setdiff1d(sending, odd, assume_unique=True) if odd.size else sending
        failed += self._send_plain(plain)
        columns.timestamp[rows] += np.uint32(FRAME_SAMPLES)
        self._advance(sending, failed)
        return sending.size

    def _gather(self, rows: Rows) -> None:
        columns = self._columns
        payloads = self._arena.frames(columns.cursor[rows])
        softened = np.flatnonzero(columns.gain[rows] != 1)
        for index in softened:
            law, gain = g711.Law(columns.law[rows[index]]), columns.gain[rows[index]]
            loud = g711.decode(payloads[index], law) * gain
            payloads[index] = g711.encode(np.clip(np.rint(loud), -32768, 32767).astype(np.int16), law)
        columns.outbox[rows, HEADER_BYTES:] = payloads
        bridged = rows[columns.peer[rows] != NOBODY]
        if bridged.size:
            peers = columns.peer[bridged]
            columns.outbox[bridged, HEADER_BYTES:] = g711.translate_rows(
                self._jitter.frame[peers], self._jitter.law[peers], columns.law[bridged]
            )

    def _send_plain(self, rows: Rows) -> list[int]:
        columns = self._columns
        header = columns.header
        header["second"][rows] = columns.payload_type[rows] | columns.marker[rows]
        header["sequence"][rows] = columns.sequence[rows]
        header["timestamp"][rows] = columns.timestamp[rows]
        failed = self._wire.send(rows)
        columns.marker[rows] = 0
        columns.sequence[rows] += np.uint16(1)
        columns.sent[rows] += 1
        columns.sent[failed] -= 1
        return failed

    def _advance(self, rows: Rows, failed: list[int]) -> None:
        columns = self._columns
        columns.heard[rows] += FRAME_SAMPLES
        columns.heard[failed] -= FRAME_SAMPLES
        columns.cursor[rows] += columns.stride[rows]
        columns.frames_left[rows] -= 1
        for row in rows[columns.frames_left[rows] == 0].tolist():
            self._each(row, Slot.item_over)

    # --- receive ----------------------------------------------------------------------------------------

    def _receive(self, rows: Rows) -> None:
        """Read what came, and give the wanted rows their frame of this tick."""
        columns = self._columns
        columns.quiet[rows] += 1
        came = self._read(rows)
        by_turns = (rows + columns.received[rows]) % LOOK_AGAIN_PACKETS == 0
        self._drain(rows[came & ((columns.eager[rows] != 0) | by_turns)])
        columns.eager[rows[~came]] = ONCE  # what is late comes with the next one
        wanted = rows[self._jitter.wanted[rows]]
        if wanted.size:
            self._jitter.turn(wanted)
        self._record(wanted[columns.taped[wanted]])

    def _drain(self, rows: Rows) -> None:
        """Read what else has come for these rows, at most so much that a flood cannot hold us up."""
        for _ in range(PACKETS_A_TICK - 1):
            if rows.size == 0:
                return
            owed = self._columns.eager[rows] == ONCE
            came = self._read(rows)
            more = came & ~owed
            self._columns.eager[rows] = np.where(more, ALWAYS, 0)
            rows = rows[more]

    def _read(self, rows: Rows) -> Came:
        """A packet for each of these rows; false where none waited."""
        columns, header = self._columns, self._columns.inbox_header
        lengths = self._wire.receive(rows)
        self._arrivals.sample(rows, lengths != NOTHING)
        normal = (
            (lengths == PACKET_BYTES)
            & (columns.normal[rows] != 0)
            & (columns.inbox_start[rows] == columns.normal[rows])
            & (header["ssrc"][rows] == columns.rx_ssrc[rows])
            & (header["sequence"][rows] == columns.rx_sequence[rows] + np.uint16(1))
        )
        accepted = rows[normal]
        columns.rx_sequence[accepted] += np.uint16(1)
        columns.rx_seen[accepted] = columns.rx_seen[accepted] << np.uint64(1) | np.uint64(1)
        columns.expected[accepted] += 1
        columns.received[accepted] += 1
        columns.quiet[accepted] = 0
        kept = accepted[self._jitter.wanted[accepted]]
        if kept.size:
            timestamps = header["timestamp"][kept].astype(np.uint32)
            self._jitter.put_frames(kept, timestamps, columns.inbox[kept, HEADER_BYTES:PACKET_BYTES])
        came: Came = lengths != NOTHING
        odd = came & ~normal
        columns.eager[rows[odd]] = ALWAYS
        for row, length in zip(rows[odd].tolist(), lengths[odd].tolist(), strict=True):
            self._take(row, length)
        return came

    def _record(self, rows: Rows) -> None:
        if rows.size == 0:
            return
        columns = self._columns
        stalled = columns.stalled[rows]
        if stalled.any():  # a recording is as long as the call: what came in a stall is there, and we sent nothing
            for frame in range(stalled.max()):
                behind = rows[stalled > frame]
                self._tape_frames(behind, np.zeros(behind.size, bool))
            columns.stalled[rows] = 0
        self._tape_frames(rows, columns.sending[rows])

    def _tape_frames(self, rows: Rows, sent: NDArray[np.bool_]) -> None:
        columns, law = self._columns, self._jitter.law[rows]
        rx, present = self._jitter.lagging(rows)
        tx = columns.outbox[rows, HEADER_BYTES:]
        tx[~sent] = g711.SILENCE_OF_LAW[columns.law[rows[~sent]]][:, None]
        self._tape.turn(rows, columns.generation[rows], tx, columns.law[rows], rx, law, present)

    def _take(self, row: int, length: int) -> None:
        datagram = self._columns.inbox[row, :length].tobytes()
        self._each(row, lambda slot: slot.incoming.take(datagram))

    def _miss(self, rows: Rows) -> None:
        columns = self._columns
        late = columns.receiving[rows] & (columns.quiet[rows] == NO_MEDIA_MS // FRAME_MS)
        for row in rows[late].tolist():
            self._each(row, Slot.missed)

    # --- hear -------------------------------------------------------------------------------------------

    def _hear(self, rows: Rows, late: bool) -> None:
        columns, jitter = self._columns, self._jitter
        rows = rows[columns.listening[rows]]
        if rows.size == 0:
            return
        rx = tx = np.zeros((rows.size, FRAME_SAMPLES), np.int16)
        keys = columns.key_tones[rows]
        present = jitter.present[rows] & (keys | (not late))  # their time goes on in a late turn, too
        if not late or keys.any():
            rx = g711.decode_rows(jitter.frame[rows], jitter.law[rows])
            tx = g711.decode_rows(columns.outbox[rows, HEADER_BYTES:], columns.law[rows])
            tx[~columns.sending[rows]] = 0
        for heard in self._ears.step(rows, rx, tx, present, hurry=late):
            self._each(heard.row, partial(Slot.heard, heard=heard))
