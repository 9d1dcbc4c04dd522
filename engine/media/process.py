"""The media process: `python -m engine.media.process FD SETTINGS`, started by `engine.media.plane`, never by hand.

One thread. It binds its ports, says so (`Ready`), then ticks until the other end of FD is closed. It ignores SIGINT and
SIGTERM: those are meant for the control side, which still has calls to end.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys
import time

from detection.bank import Bank
from engine.media.arena import Arena
from engine.media.columns import Columns
from engine.media.control import Control, Gone
from engine.media.pacer import FRAME_S, Pacer
from engine.media.settings import restore
from engine.media.sockets import PortsError, Sockets, bind, ports_of
from engine.media.tick import Tick
from engine.media.wire import Envelope, Faulted, Loading, Ready

SPARE_FILES = 64  # open files beside the sockets
GUARD_S = 0.001  # before a deadline nothing else is begun
LOADING_S = 1.0
PHASES = ((1000, 4), (250, 2), (0, 1))  # slots above which the 20 ms are split


def main(arguments: list[str]) -> int:
    """Run until the control side goes. The status is 0 then, 1 if it could not start (`Faulted` says why)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # dup: select takes low numbers only.
    connection = socket.socket(fileno=os.dup(int(arguments[0])))
    os.close(int(arguments[0]))
    control = Control(connection)
    settings = restore(arguments[1])
    try:
        try:
            _raise_limit(settings.calls)
            sockets = bind(settings.host, settings.low, settings.high, settings.calls)
        except PortsError as error:
            control.emit(Envelope(-1, 0, 0.0, Faulted(str(error))))
            return 1
        columns = Columns(settings.calls)
        phases = next(phases for above, phases in PHASES if settings.calls > above)
        tick = Tick(columns, Sockets(sockets, columns), Arena(), Bank(settings.calls), control.emit, phases=phases)
        gc.collect()
        gc.freeze()
        gc.disable()
        control.emit(Envelope(-1, 0, 0.0, Ready(tuple(ports_of(sockets)), _schedule())))
        _run(tick, control, settings.anchor, phases)
    except Gone:
        pass
    return 0


def _run(tick: Tick, control: Control, anchor: float, phases: int) -> None:
    pacer = Pacer(time.monotonic() + FRAME_S, phases)
    worked = 0.0
    late = 0
    told_at = time.monotonic()
    while True:
        worked += _use_slack(tick, control, pacer.deadline, anchor)
        begun = time.monotonic()
        phase = pacer.phase
        slipped, is_late = pacer.begin(begun)
        if slipped:
            tick.slip(slipped)
        tick.turn(anchor + begun, phase, is_late)
        control.flush()
        late += is_late
        ended = time.monotonic()
        worked += ended - begun
        if ended - told_at >= LOADING_S:
            busy = min(1.0, worked / (ended - told_at))
            control.emit(Envelope(-1, 0, anchor + ended, Loading(round(busy, 4), late, tick.slots)))
            worked, late, told_at = 0.0, 0, ended


def _use_slack(tick: Tick, control: Control, deadline: float, anchor: float) -> float:
    """Take commands and clips until the deadline; returns the seconds that were worked."""
    worked = 0.0
    until = deadline - GUARD_S
    tick.load(until)
    # One look at least: a process that is always late must still obey.
    while control.wait(until - time.monotonic()):
        begun = time.monotonic()
        tick.now = anchor + begun
        for command in control.read():
            tick.obey(command)
        tick.load(until)
        worked += time.monotonic() - begun
        if time.monotonic() >= until:
            break
    time.sleep(max(0.0, deadline - time.monotonic()))
    return worked


def _raise_limit(calls: int) -> None:
    needed = 2 * calls + SPARE_FILES  # RTP and RTCP
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (ValueError, OSError):
            pass  # some systems show a hard limit that they do not grant
    if soft != resource.RLIM_INFINITY and soft < needed:
        raise PortsError(
            f"[media] calls = {calls} needs {needed} open files and the limit is {soft}; "
            "raise it (ulimit -n, LimitNOFILE=) or lower [media] calls"
        )


def _schedule() -> str:
    """Ask for real-time scheduling; the class that we have afterwards."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except (OSError, AttributeError) as error:
        return f"SCHED_OTHER (SCHED_FIFO refused: {error})"
    return "SCHED_FIFO"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
