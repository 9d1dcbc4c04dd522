"""The control side of the media process: starts it, starts it anew when it dies, and hands out its slots.

Belongs to the thread of one event loop. Every slot that was opened gets exactly one `Closed` or `Faulted`, its last
event but for `Recorded`. Free slots are given out in the order in which they were given back, so a port rests as long
as it can.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, cast

import engine
from engine.clips.cache import Clip
from engine.clock import SystemClock
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
RESTART_S: Final = 1.0  # after the second early death in a row; one that cannot live shall not take the machine
MESSAGE_BYTES: Final = 1 << 18
BUFFER_BYTES: Final = 1 << 20
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
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._ready: asyncio.Future[Ready] | None = None
        self._unsent: deque[bytes] = deque()
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
        return self._process.pid if self._process is not None else 0

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
        process, self._process = self._process, None
        self._disconnect()
        self._fault_all("the media plane was stopped")
        if process is not None:
            await _end(process)
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
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        ours.setblocking(False)
        root = str(Path(engine.__path__[0]).parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        # -P: a folder named `engine` where the user happens to stand is not ours.
        settings = Settings(*self._bounds, self._clock.anchor, *self._recorder.descriptors)
        command = [sys.executable, "-P", "-m", "engine.media.process", str(theirs.fileno()), settings.dump()]
        with theirs:
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno(), *self._recorder.descriptors],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                start_new_session=True,  # a terminal's Ctrl-C and hang-up are the control side's affair
            )
        self._connection = ours
        asyncio.get_running_loop().add_reader(ours, self._read)

    def _disconnect(self) -> None:
        if self._connection is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._connection)
            loop.remove_writer(self._connection)
            self._connection.close()
        self._connection = None
        self._unsent.clear()
        self._ports = ()
        self._up.clear()
        self._free.clear()

    def _died(self) -> None:
        self._disconnect()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
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
        if self._connection is None:
            return
        self._unsent.append(pack(envelope))
        if len(self._unsent) == 1:
            self._flush()

    def _flush(self) -> None:
        assert self._connection is not None
        loop = asyncio.get_running_loop()
        while self._unsent:
            try:
                self._connection.send(self._unsent[0])
            except BlockingIOError:
                loop.add_writer(self._connection, self._flush)
                return
            except OSError:
                self._unsent.clear()  # it died; the reader learns it
                break
            self._unsent.popleft()
        loop.remove_writer(self._connection)

    def _read(self) -> None:
        connection = self._connection
        while connection is not None and connection is self._connection:
            try:
                datagram = connection.recv(MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                datagram = b""
            if not datagram:
                self._died()
                return
            self._take(unpack(datagram))

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
            _log.warning("media: late ticks in the last second: %s; %.0f %% busy", causes, event.busy * 100)

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


async def _end(process: subprocess.Popen[bytes]) -> None:
    for _ in range(int(STOP_S / 0.01)):
        if process.poll() is not None:
            return
        await asyncio.sleep(0.01)
    process.kill()
    process.wait()


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
