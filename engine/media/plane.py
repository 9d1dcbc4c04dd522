"""The control side of the media process: starts it, starts it anew when it dies, and hands out its slots.

Belongs to the thread of one event loop. Every slot that was opened gets exactly one `Closed` or `Faulted`, its last
event but for `Recorded`. Free slots are given out in the order in which they were given back, so a port rests as long
as it can.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, cast

from engine.clips.cache import Clip
from engine.clock import SystemClock
from engine.companion import Companion
from engine.config import ConfigError, MediaConfig
from engine.media.overload import Cause
from engine.media.settings import Settings
from engine.media.wire import (
    Closed,
    Command,
    Envelope,
    Faulted,
    Load,
    Loading,
    Open,
    Ready,
    Record,
    SlotEvent,
    pack,
    unpack,
)
from engine.recording.recorder import Recorder

Handler = Callable[[float, SlotEvent], None]

START_S: Final = 30.0  # a busy machine may take long to load numpy
STOP_S: Final = 2.0
STEADY_S: Final = 10.0  # who lives so long is healthy
RESTART_S: Final = 0.5  # after the second early death in a row; one that cannot live shall not take the machine
HEARD_LATE: Final = 5  # late ticks in a second; fewer are borne by any jitter buffer
EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")

_log = logging.getLogger("zvonar.media")


class NoPorts(Exception):
    """Every slot is in use, or the media process is starting; try again later."""


class MediaSlot:
    """One call's media. `send` after the last event does nothing."""

    def __init__(self, plane: MediaPlane, row: int, generation: int, port: int, handler: Handler) -> None:
        self.port = port
        self.row = row
        self.generation = generation
        self.handler = handler
        self._plane = plane

    def send(self, command: Command) -> None:
        """Give a command; never blocks, never raises."""
        self._plane.command(self, command)


class MediaPlane:
    """`host` is the address that RTP is bound to; `calls` overrides the configuration's."""

    def __init__(self, config: MediaConfig, host: str, clock: SystemClock, *, calls: int | None = None) -> None:
        self._config = config
        self._clock = clock
        low, high = config.port_range
        self._bounds = host, low, high, calls or config.calls
        self._recorder: Recorder  # from `start` to `stop`
        self._process = Companion("engine.media.process", lambda datagram: self._take(unpack(datagram)), self._died)
        self._ready: asyncio.Future[Ready] | None = None
        self._ports: tuple[int, ...] = ()
        self._free: deque[int] = deque()
        self._open: dict[int, MediaSlot] = {}
        self._generation = 0
        self._clips: dict[str, tuple[int, Clip]] = {}
        self._restart: asyncio.TimerHandle | None = None
        self._spawned_at = 0.0
        self._early_deaths = 0  # in a row
        self._up = asyncio.Event()  # there are ports
        self.busy = 0.0  # share of its time that the media process worked in the last second
        self.late: Counter[Cause] = Counter()  # late ticks so far

    @property
    def pid(self) -> int:
        """Of the process that runs now; 0 if none does."""
        return self._process.pid

    async def start(self) -> None:
        """Start the process and wait for its ports. ConfigError if they cannot be had."""
        _warn_of_ephemeral(*self._config.port_range)
        self._recorder = Recorder(self._bounds[-1], self._clock.now)
        self._ready = asyncio.get_running_loop().create_future()
        self._spawn()
        try:
            ready = await asyncio.wait_for(self._ready, START_S)
        except TimeoutError:
            await self.stop()
            raise ConfigError(
                f"the media process did not start within {START_S:.0f} s; is the machine overloaded?"
            ) from None
        except ConfigError:
            await self.stop()
            raise
        _log.info("media process ready: %d ports, %s", len(ready.ports), ready.scheduler)

    async def stop(self) -> None:
        """End the process. Slots still open get their `Faulted`."""
        if self._restart is not None:
            self._restart.cancel()
            self._restart = None
        self._forget_ports()
        self._fault_all("the media plane was stopped")
        await self._process.stop(STOP_S)
        await self._recorder.stop()

    async def wait(self, within_s: float) -> None:
        """Wait for a process that is starting anew. NoPorts if it takes longer."""
        if self._up.is_set():
            return
        try:
            await asyncio.wait_for(self._up.wait(), within_s)
        except TimeoutError:
            raise NoPorts("the media process is starting") from None

    def load(self, clip: Clip) -> int:
        """The number of a clip, for `Play.items`; loaded before any command that follows."""
        known = self._clips.get(clip.key)
        if known is not None:
            return known[0]
        number = len(self._clips) + 1
        self._clips[clip.key] = (number, clip)
        if self._ports:
            self._send(Envelope(-1, 0, 0.0, Load(number, str(clip.path))))
        return number

    def open(self, handler: Handler, networks: Sequence[str] = ()) -> MediaSlot:
        """A slot for one call; its events go to `handler(at, event)` in the loop's thread. NoPorts if none is free."""
        if not self._ports:
            raise NoPorts("the media process is starting")
        if not self._free:
            raise NoPorts(f"all {len(self._ports)} RTP ports are in use; raise [media] calls")
        row = self._free.popleft()
        self._generation += 1
        slot = MediaSlot(self, row, self._generation, self._ports[row], handler)
        self._open[row] = slot
        self.command(slot, Open(tuple(networks)))
        return slot

    @property
    def capacity(self) -> int:
        """How many slots there are, open or not."""
        return len(self._ports)

    def census(self) -> dict[str, int]:
        """What is open."""
        return {"ports": len(self._open)}

    def command(self, slot: MediaSlot, command: Command) -> None:
        """What `MediaSlot.send` calls."""
        if self._open.get(slot.row) is slot:
            if isinstance(command, Record):
                self._recorder.begin(slot.row, slot.generation, command.path, slot.handler)
            self._send(Envelope(slot.row, slot.generation, 0.0, command))

    # --- the process ------------------------------------------------------------------------------------

    def _spawn(self) -> None:
        self._spawned_at = self._clock.now()
        descriptors = self._recorder.descriptors
        settings = Settings(*self._bounds, self._clock.anchor, *descriptors)
        self._process.start(settings.dump(), descriptors=descriptors)

    def _forget_ports(self) -> None:
        self._ports = ()
        self._up.clear()
        self._free.clear()

    def _died(self) -> None:
        self._forget_ports()
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(ConfigError("the media process died at its start; its error is above"))
            return
        _log.error("the media process died, %d calls lost their media; it starts anew", len(self._open))
        self._recorder.media_died()
        self._fault_all("the media process died")
        early = self._clock.now() - self._spawned_at < STEADY_S
        self._early_deaths = self._early_deaths + 1 if early else 0
        pause_s = RESTART_S if self._early_deaths > 1 else 0.0
        self._restart = asyncio.get_running_loop().call_later(pause_s, self._spawn)

    def _fault_all(self, why: str) -> None:
        slots, self._open = list(self._open.values()), {}
        for slot in slots:
            slot.handler(self._clock.now(), Faulted(why))

    # --- messages ---------------------------------------------------------------------------------------

    def _send(self, envelope: Envelope) -> None:
        self._process.send(pack(envelope))

    def _take(self, envelope: Envelope) -> None:
        row, generation, at, event = envelope
        match event:
            case Ready():
                self._begin(event)
            case Loading():
                self.busy = event.busy
                self._count_late(event)
            case Faulted() if row < 0:
                self._refused(event.message)
            case _:
                slot = self._open.get(row)
                if slot is not None and slot.generation == generation:
                    self._tell(slot, at, cast(SlotEvent, event))

    def _count_late(self, event: Loading) -> None:
        late = {
            Cause.OWN_WORK: event.late_own_work, Cause.STEAL: event.late_steal, Cause.SCHEDULER: event.late_scheduler,
        }  # fmt: skip
        self.late.update(late)
        if any(late.values()):
            causes = ", ".join(f"{count} by {cause}" for cause, count in late.items() if count)
            heard = sum(late.values()) >= HEARD_LATE
            _log.log(
                logging.WARNING if heard else logging.INFO,
                "media: late ticks in the last second: %s; %.0f %% busy", causes, event.busy * 100,
            )  # fmt: skip

    def _tell(self, slot: MediaSlot, at: float, event: SlotEvent) -> None:
        if isinstance(event, Closed | Faulted):
            del self._open[slot.row]
            self._free.append(slot.row)
        slot.handler(at, event)

    def _begin(self, ready: Ready) -> None:
        self._ports = ready.ports
        self._up.set()
        self._free = deque(range(len(ready.ports)))
        for number, clip in self._clips.values():
            self._send(Envelope(-1, 0, 0.0, Load(number, str(clip.path))))
        if not ready.scheduler.startswith("SCHED_FIFO"):
            _log.warning("media: %s; busy neighbours on this machine can delay packets", ready.scheduler)
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(ready)

    def _refused(self, why: str) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(ConfigError(why))
        else:
            _log.error("the media process cannot start: %s", why)


def _warn_of_ephemeral(low: int, high: int) -> None:
    try:
        first, last = map(int, EPHEMERAL.read_text().split())
    except (OSError, ValueError):
        return
    if low <= last and first <= high:
        _log.warning(
            "[media] ports = %d-%d overlaps the system's own %d-%d, so others may hold some; choose one outside",
            low, high, first, last,
        )  # fmt: skip
