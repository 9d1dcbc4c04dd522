"""One call's RTCP: what we report to the far end, and what of its reports can be true. Pure: told the time.

The far end may lie. A round trip counts only if it is of an SR that we sent, and no longer than anyone would bear; loss
and jitter only within what we sent and what a line can do. A block that says more is taken for none.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from engine.media.rtcp import MIDDLE, Block, Compound, Report, Sender, build, middle, ntp
from engine.media.rtp import CLOCK_HZ

INTERVAL_S: Final = 5.0  # RFC 3550, section 6.2; half of it before the first report
SPREAD: Final = (0.5, 1.5)  # section 6.3.1: each interval is drawn anew
REMEMBERED: Final = 8  # SRs of ours that an answer may refer to
ROUND_TRIP_MAX_S: Final = 5.0
EARLY_S: Final = 0.002  # clocks are read one after the other: an answer may seem to come so much too early
JITTER_MAX_UNITS: Final = 10 * CLOCK_HZ
DEAF_PACKETS: Final = 100  # two seconds of ours, of which the far end heard nothing
DEAF_REPORTS: Final = 2  # in a row
SEQUENCES: Final = 1 << 16


class Counts(NamedTuple):
    """A call's columns, as far as reports need them."""

    ssrc: int
    sent: int
    octets: int
    timestamp: int  # of the frame that went out last
    rx_ssrc: int
    rx_sequence: int  # the highest
    expected: int
    received: int
    jitter: int  # in units


class Reports:
    """Of one call, both ways."""

    def __init__(self, cname: str) -> None:
        self._cname = cname
        self._told: deque[int] = deque(maxlen=REMEMBERED)  # LSR of our SRs
        self._reported_sent = 0
        # The far end's stream, as reported so far.
        self._source = 0
        self._base_expected = self._base_received = 0
        self._expected = self._received = 0
        self._lsr, self._lsr_at = 0, 0.0
        # What the far end reports.
        self._round_trips_s = 0.0
        self._round_trips = 0
        self._highest: int | None = None
        self._heard_at_sent = 0
        self._deaf_reports = 0
        self.lost: int | None = None
        self.loss: float | None = None  # share, from 0 to 1
        self.jitter: int | None = None  # in units

    @property
    def round_trip_s(self) -> float | None:
        """The mean of all that were measured."""
        return self._round_trips_s / self._round_trips if self._round_trips else None

    @property
    def deaf(self) -> bool:
        """The far end goes on reporting, and hears nothing of ours."""
        return self._deaf_reports >= DEAF_REPORTS

    def compose(self, counts: Counts, wall: float, *, bye: bool = False) -> bytes:
        """Our report at `wall`, Unix seconds by the clock of arrivals. An SR if we sent since the one before."""
        sender = None
        if counts.sent > self._reported_sent:
            time = ntp(wall)
            sender = Sender(time, counts.timestamp, counts.sent & 0xFFFFFFFF, counts.octets & 0xFFFFFFFF)
            self._told.append(middle(time))
        self._reported_sent = counts.sent
        blocks = (self._block(counts, wall),) if counts.received else ()
        return build(Report(counts.ssrc, sender, blocks), self._cname, bye=bye)

    def take(self, compound: Compound, counts: Counts, arrived: float) -> None:
        """A compound from the far end's host, that came at `arrived`."""
        for report in compound.reports:
            if report.sender is not None and counts.received and report.ssrc == counts.rx_ssrc:
                self._lsr, self._lsr_at = middle(report.sender.ntp), arrived
            ours = [block for block in report.blocks if block.ssrc == counts.ssrc]
            for block in ours:
                if 0 <= block.jitter <= JITTER_MAX_UNITS and block.lost <= counts.sent:
                    self._judge(block, counts, arrived)
            if not ours:
                self._listened(None, counts)

    def _judge(self, block: Block, counts: Counts, arrived: float) -> None:
        self.lost = max(0, block.lost)
        self.loss = self.lost / counts.sent if counts.sent else 0.0
        self.jitter = block.jitter
        self._listened(block.highest, counts)
        if block.lsr not in self._told:
            return
        since = middle(ntp(arrived)) - block.lsr & 0xFFFFFFFF
        took = (since - block.dlsr) / MIDDLE if since < 1 << 31 else -1.0
        if -EARLY_S <= took <= ROUND_TRIP_MAX_S:
            self._round_trips_s += max(0.0, took)
            self._round_trips += 1

    def _listened(self, highest: int | None, counts: Counts) -> None:
        if highest is not None and highest != self._highest:
            self._highest, self._heard_at_sent, self._deaf_reports = highest, counts.sent, 0
        elif counts.sent - self._heard_at_sent >= DEAF_PACKETS:
            self._heard_at_sent = counts.sent
            self._deaf_reports += 1

    def _block(self, counts: Counts, wall: float) -> Block:
        if counts.rx_ssrc != self._source:  # another source: it is counted from where we learn of it
            if self._source:
                self._base_expected, self._base_received = counts.expected, counts.received
                self._lsr = 0
            self._source = counts.rx_ssrc
            self._expected, self._received = self._base_expected, self._base_received
        expected, received = counts.expected - self._base_expected, counts.received - self._base_received
        new = counts.expected - self._expected
        lost = new - (counts.received - self._received)
        fraction = min(255, 256 * lost // new) if lost > 0 and new > 0 else 0  # appendix A.3
        self._expected, self._received = counts.expected, counts.received
        first = (counts.rx_sequence - max(0, expected - 1)) % SEQUENCES
        highest = first + max(0, expected - 1) & 0xFFFFFFFF
        dlsr = min(max(0, round((wall - self._lsr_at) * MIDDLE)), 0xFFFFFFFF) if self._lsr else 0
        return Block(counts.rx_ssrc, fraction, expected - received, highest, counts.jitter, self._lsr, dlsr)
