"""When reports go out, to whom, and from whom they are taken; over a wire of our own, told the time."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from engine.media.columns import Columns
from engine.media.reporter import LOOK_S, Reporter
from engine.media.rtcp import Block, Report, Sender, build, middle, ntp, parse
from engine.media.wire import Remote

FAR = "192.0.2.1"
NOW = 1_800_000_000.0


class ReportWire:
    """The half of a wire that bears RTCP."""

    def __init__(self) -> None:
        self.time = NOW
        self.target = None
        self.latched = None
        self.far = FAR
        self.sent: list = []
        self.waiting: deque = deque()

    def wall(self):
        return self.time

    def far_host(self, row):
        return self.far

    def aim_reports(self, row, address):
        self.target, self.latched = address, None
        if address is None:
            self.waiting.clear()

    def latch_reports(self, row, address):
        self.target = self.latched = address

    def send_report(self, row, datagram):
        self.sent.append((self.time, self.target, parse(datagram)))

    def receive_report(self, row):
        return self.waiting.popleft() if self.waiting else None


class Line:
    """One row's reporter, a turn every 20 ms."""

    def __init__(self, *networks: str, **remote) -> None:
        self.columns = Columns(1)
        self.columns.clear(0, np.random.default_rng(2))
        self.columns.ssrc[0], self.columns.rx_ssrc[0] = 11, 22
        self.wire = ReportWire()
        self.reporter = Reporter(self.columns, self.wire, np.random.default_rng(1))
        self.reporter.open(0, networks)
        self.reporter.aim(0, Remote(FAR, 4000, **remote), NOW)

    def run(self, seconds: float, sending: bool = True) -> None:
        for _ in range(round(seconds * 50)):
            self.columns.sent[0] += sending
            self.columns.timestamp[0] += 160
            self.reporter.turn(np.array([0]), self.wire.time)
            self.wire.time += 0.02

    def hear(self, report: Report, host: str = FAR, port: int = 4001, arrived: float | None = None) -> None:
        self.wire.waiting.append((build(report, "far"), (host, port), arrived or self.wire.time))


def test_reports_come_at_random_every_5_s():
    line = Line()
    line.run(600)
    times = [at for at, _, _ in line.wire.sent]
    gaps = np.diff(times)
    assert 1.2 <= times[0] - NOW <= 3.8
    assert 2.4 <= gaps.min() < 3.2
    assert 6.8 < gaps.max() <= 7.6
    assert gaps.mean() == pytest.approx(5, rel=0.1)
    assert {target for _, target, _ in line.wire.sent} == {(FAR, 4001)}
    _, _, compound = line.wire.sent[-1]
    assert compound.reports[0].sender.packets == line.columns.sent[0] - round((NOW + 600 - times[-1]) * 50) + 1


@pytest.mark.parametrize(
    ("told", "target"),
    [
        ({"rtcp_port": 5000}, (FAR, 5000)),
        ({"rtcp_host": "192.0.2.7", "rtcp_port": 5000}, ("192.0.2.7", 5000)),
    ],
)
def test_where_the_sdp_wants_them(told, target):
    assert Line(**told).wire.target == target


@pytest.mark.parametrize("remote", [Remote(FAR, 0), Remote("0.0.0.0", 4000), Remote(FAR, 65535)])
def test_nowhere_to_report_to(remote):
    line = Line()
    line.reporter.aim(0, remote, NOW)
    line.run(30)
    assert line.wire.sent == []


def test_a_hold_goes_on_reporting():
    line = Line()
    line.run(10)
    line.reporter.aim(0, Remote(FAR, 4000, send=False), line.wire.time)
    line.run(20, sending=False)
    kinds = [compound.reports[0].sender is not None for _, _, compound in line.wire.sent]
    assert kinds[0] is True
    assert kinds[-2:] == [False, False]


def test_bye_at_the_end():
    line = Line()
    line.run(1)
    line.hear(Report(22, None, (Block(11, 0, 7, 1, 160, 0, 0),)))
    reports = line.reporter.close(0)
    assert line.wire.sent[-1][2].byes == (11,)
    assert reports.lost == 7
    assert line.reporter.close(0) is None
    line.run(20)
    assert len(line.wire.sent) == 1


def test_no_bye_of_who_never_spoke():
    line = Line()
    line.reporter.close(0)
    assert line.wire.sent == []


def test_a_round_trip_by_the_time_of_arrival():
    """The answer lies a while before anyone looks; that is not the line's delay."""
    line = Line()
    line.run(8)
    at, _, compound = line.wire.sent[-1]
    lsr = middle(compound.reports[0].sender.ntp)
    line.hear(Report(22, None, (Block(11, 0, 0, 1, 0, lsr, 6554),)), arrived=at + 0.130)
    line.run(LOOK_S + 0.1)
    assert line.reporter.close(0).round_trip_s == pytest.approx(0.030, abs=0.001)


def test_it_sends_where_reports_come_from():
    line = Line()
    line.hear(Report(22, Sender(ntp(NOW), 0, 0, 0)), port=61000)
    line.columns.received[0] = 1
    line.run(LOOK_S + 0.1)
    assert line.wire.latched == (FAR, 61000)
    line.reporter.aim(0, Remote(FAR, 4000), line.wire.time)
    assert line.wire.latched == (FAR, 61000)
    line.reporter.aim(0, Remote("192.0.2.9", 4000), line.wire.time)
    assert (line.wire.target, line.wire.latched) == (("192.0.2.9", 4001), None)


@pytest.mark.parametrize(
    ("host", "networks", "taken"),
    [
        (FAR, (), True),
        ("198.51.100.1", (), False),
        ("198.51.100.1", ("198.51.100.0/24",), True),
        ("203.0.113.5", (), True),  # where RTP turned out to come from
    ],
)
def test_whose_reports_are_taken(host, networks, taken):
    line = Line(*networks)
    line.wire.far = "203.0.113.5"
    line.hear(Report(22, None, (Block(11, 0, 7, 1, 160, 0, 0),)), host=host)
    line.run(1.1)
    assert line.reporter.close(0).lost == (7 if taken else None)


def test_a_flood_is_read_in_pieces_and_its_garbage_forgotten():
    line = Line()
    for number in range(1000):
        line.wire.waiting.append((bytes([number % 256]) * (number % 90), (FAR, 4001), NOW))
    line.hear(Report(22, None, (Block(11, 0, 7, 1, 160, 0, 0),)))
    line.run(10)
    assert len(line.wire.waiting) >= 1000 - 16 * 14
    line.run(60 * LOOK_S)
    assert line.reporter.close(0).lost == 7


def test_turns_without_a_call():
    line = Line()
    line.reporter.close(0)
    line.run(1)
    line.reporter.open(0, ())
    line.run(1)
    assert line.wire.sent == []
