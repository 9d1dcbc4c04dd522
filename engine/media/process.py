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
from collections import Counter

from detection.bank import Bank
from engine.media.arena import Arena
from engine.media.columns import Columns
from engine.media.control import Control, Gone
from engine.media.overload import Cause, Overload, Work
from engine.media.pacer import FRAME_S, TURN_S, Pacer
from engine.media.settings import restore
from engine.media.sockets import PortsError, Sockets, bind, ports_of
from engine.media.steal import Steal
from engine.media.tape import SharedTape
from engine.media.tick import Tick
from engine.media.wire import Envelope, Faulted, Loading, Ready
from engine.recording.ring import Ring

SPARE_FILES = 64  # open files beside the sockets
GUARD_S = 0.001  # before a deadline nothing else is begun
LOADING_S = 1.0


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
        overload = Overload()
        tape = SharedTape(
            Ring(settings.ring), socket.socket(fileno=settings.line), settings.calls,
            lambda: settings.anchor + time.monotonic(),
        )  # fmt: skip
        tick = Tick(columns, Sockets(sockets, columns), Arena(), Bank(settings.calls), tape, overload, control.emit)
        gc.collect()
        gc.freeze()
        gc.disable()
        control.emit(Envelope(-1, 0, 0.0, Ready(tuple(ports_of(sockets)), _schedule())))
        _run(tick, control, tape, overload, settings.anchor)
    except Gone:
        pass
    return 0


def _run(tick: Tick, control: Control, tape: SharedTape, overload: Overload, anchor: float) -> None:
    pacer, steal = Pacer(time.monotonic() + FRAME_S), Steal()
    report = Report(control, overload, time.monotonic())
    turn_s, cpu_s, ended, turn, served = 0.0, time.thread_time(), time.monotonic(), -1, 0
    while True:
        pacer.skip(tick.calls)
        slack_s, ended = _use_slack(tick, control, pacer.deadline, anchor, ended)
        begun, cpu_before, cpu_s = time.monotonic(), cpu_s, time.thread_time()
        phase, due, span_s = pacer.phase, pacer.deadline, (pacer.turn - turn) * TURN_S
        turn = pacer.turn
        slipped, behind_s = pacer.begin(begun)
        work = Work(turn_s, served, slack_s, cpu_s - cpu_before, ended)
        late = overload.turn(due, behind_s, span_s, work, steal.any)
        if slipped:
            tick.slip(slipped)
        served = tick.turn(anchor + begun, phase, late)
        ended = time.monotonic()
        turn_s = ended - begun
        report.worked(anchor, ended, slack_s + turn_s, tick.slots)
        tick.shed(overload.shed(tick.slots))
        control.flush()
        tape.flush()


class Report:
    """Says once a second how busy we are."""

    def __init__(self, control: Control, overload: Overload, now: float) -> None:
        self._control = control
        self._overload = overload
        self._told_at = now
        self._told: Counter[Cause] = Counter()
        self._worked_s = 0.0

    def worked(self, anchor: float, now: float, seconds: float, slots: int) -> None:
        """So many seconds more; `now` by the monotonic clock."""
        self._worked_s += seconds
        if now - self._told_at < LOADING_S:
            return
        late = self._overload.late
        busy = min(1.0, self._worked_s / (now - self._told_at))
        new = [late[cause] - self._told[cause] for cause in (Cause.OWN_WORK, Cause.STEAL, Cause.SCHEDULER)]
        self._control.emit(Envelope(-1, 0, anchor + now, Loading(round(busy, 4), slots, *new)))
        self._worked_s, self._told_at, self._told = 0.0, now, late.copy()


def _use_slack(tick: Tick, control: Control, deadline: float, anchor: float, ended: float) -> tuple[float, float]:
    """Take commands and clips until the deadline; the seconds that were worked, and when the last work ended."""
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
        ended = time.monotonic()
        worked += ended - begun
        if ended >= until:
            break
    time.sleep(max(0.0, deadline - time.monotonic()))
    return worked, ended


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
