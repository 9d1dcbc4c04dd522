"""The far end of all calls: `python -m zvonar.bench_media.far_end SETTINGS`, started by the bench.

Lines of JSON. It says `{"ports"}`; takes `{"connect": [port, ...]}` (0 for a call that is none) and begins to send;
takes `{"measure": seconds, "without": [call, ...]}`, says `{"began"}` at once and the window's figures at its end;
takes `{"hush"}`, sends no more and says how much it has sent since it began. It ends with its standard input.

It reads a socket five times less often than that gets packets: the times are the kernel's, and reading is cheapest in
bulk.
"""

from __future__ import annotations

import gc
import json
import random
import select
import socket
import sys
import time
from typing import Any, Final

import numpy as np

from zvonar.bench_media.arrivals import Arrivals
from zvonar.bench_media.cpu import ask_for_fifo
from zvonar.bench_media.departures import SLICES, Departures
from zvonar.bench_media.pacing import FRAME_MS, summarise
from zvonar.bench_media.peers.seat import raise_limit, say
from zvonar.bench_media.presses import Presses

PORTS: Final = (32768, 60998)
BUFFER_BYTES: Final = 1 << 20
READ_EVERY: Final = 5  # slices
READ_PARTS: Final = 20  # so a socket is read every 100 slices: 100 ms
DRAIN_S: Final = 0.3  # after a window, until its last packets were read
SLICE_S: Final = FRAME_MS / 1000 / SLICES


class FarEnd:
    """The loop of this process."""

    def __init__(self, calls: int, clip: str, speech: str, payload_type: int) -> None:
        self._pairs = _pairs(calls)
        self._sockets = [rtp for rtp, _ in self._pairs]
        self._presses = Presses(calls)
        self._arrivals = Arrivals(self._sockets, np.load(clip), payload_type)
        self._departures = Departures(self._sockets, np.load(speech), payload_type, self._presses)
        self._parts = np.linspace(0, calls, READ_PARTS + 1).astype(int).tolist()
        self._live = calls
        self._slice = 0
        self._origin = 0.0
        self._hushed = False
        self._lags: list[float] = []
        self._window: _Window | None = None

    @property
    def ports(self) -> list[int]:
        return [each.getsockname()[1] for each in self._sockets]

    def connect(self, ports: list[int]) -> None:
        """Each call's other end; a call that is none is left out."""
        for each, port in zip(self._sockets, ports, strict=True):
            if port:
                each.connect(("127.0.0.1", port))
        self._leave_out([call for call, port in enumerate(ports) if not port])

    def _leave_out(self, calls: list[int]) -> None:
        self._departures.leave_out(calls)
        self._live = self._departures.live

    def run(self) -> None:
        """Until the bench goes."""
        self._origin = time.monotonic()
        while True:
            now = time.monotonic()
            behind = now - (self._origin + self._slice * SLICE_S)
            if behind < 0:
                time.sleep(-behind)
            elif behind > FRAME_MS / 1000:  # we do not catch up; the figures say that it happened
                self._origin += behind
            if not self._turn(behind):
                return

    def _turn(self, behind: float) -> bool:
        tick, part = divmod(self._slice, SLICES)
        if not self._hushed:
            self._departures.send(tick, part)
        if self._slice % READ_EVERY == 0:
            group = self._slice // READ_EVERY % READ_PARTS
            self._arrivals.read(self._parts[group], self._parts[group + 1])
        if self._window is not None:
            self._lags.append(max(0.0, behind))
            self._window_over(self._window)
        self._slice += 1
        return part != 0 or self._commands(tick)

    def _commands(self, tick: int) -> bool:
        while select.select([sys.stdin], [], [], 0)[0]:
            line = sys.stdin.readline()
            if not line:
                return False
            match json.loads(line):
                case {"measure": seconds, "without": calls}:
                    self._leave_out(calls)
                    self._begin(tick, float(seconds))
                case {"hush": _}:
                    self._hushed = True
                    say({"sent": self._departures.sent})
        return True

    def _begin(self, tick: int, seconds: float) -> None:
        self._presses.begin(tick + 1, round(seconds * 1000 / FRAME_MS))
        self._arrivals.begin()
        self._lags.clear()
        say({"began": True})
        self._window = _Window(time.time_ns(), seconds, time.monotonic(), time.process_time())

    def _window_over(self, window: _Window) -> None:
        passed = time.monotonic() - window.began
        if window.busy is None and passed >= window.seconds:
            window.busy = (time.process_time() - window.cpu) / passed
        if window.busy is None or passed < window.seconds + DRAIN_S:
            return
        self._window = None
        packets = self._arrivals.packets(window.began_ns, window.began_ns + round(window.seconds * 1e9))
        summary = summarise(packets, self._live, window.seconds)
        say(
            {
                **summary._asdict(),
                "wrong": self._arrivals.wrong,
                "digits_sent": self._presses.begun,
                "busy": round(window.busy, 4),
                "dropped": self._arrivals.dropped,
                "lag_ms": round(max(self._lags) * 1000, 1),
            }
        )


class _Window:
    def __init__(self, began_ns: int, seconds: float, began: float, cpu: float) -> None:
        self.began_ns = began_ns  # Unix time
        self.seconds = seconds
        self.began = began
        self.cpu = cpu
        self.busy: float | None = None


def main(arguments: list[str]) -> int:
    """Serve the bench; exit status 0."""
    raise_limit()
    ask_for_fifo()
    settings: dict[str, Any] = json.loads(arguments[0])
    far_end = FarEnd(settings["calls"], settings["clip"], settings["speech"], settings["payload_type"])
    say({"ports": far_end.ports})
    line = sys.stdin.readline()
    if not line:
        return 0
    far_end.connect(json.loads(line)["connect"])
    gc.freeze()
    gc.disable()
    say({"connected": True})
    far_end.run()
    return 0


def _pairs(count: int) -> list[tuple[socket.socket, socket.socket]]:
    """Sockets of RTP and RTCP on neighbouring ports; RTCP is taken in and left unread. RuntimeError without ports."""
    first = random.randrange(*PORTS, 2)
    found: list[tuple[socket.socket, socket.socket]] = []
    for port in [*range(first, PORTS[1], 2), *range(PORTS[0], first, 2)]:
        if len(found) == count:
            return found
        rtp, rtcp = _socket(), _socket()
        try:
            rtp.bind(("127.0.0.1", port))
            rtcp.bind(("127.0.0.1", port + 1))
        except OSError:
            rtp.close()
            rtcp.close()
        else:
            found.append((rtp, rtcp))
    raise RuntimeError(f"{count} pairs of ports are needed and {len(found)} could be had")


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
