"""RTCP of all rows: sends each call's report when it is due, and looks every few seconds for the far end's.

What is due is one column; so a turn costs a comparison, and a call its reports only.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.media.columns import Columns
from engine.media.reports import INTERVAL_S, SPREAD, Counts, Reports
from engine.media.rtcp import parse
from engine.media.rtp import FRAME_SAMPLES
from engine.media.sockets import Address, Wire
from engine.media.wire import Remote

LOOK_S: Final = 2.5
PACKETS_A_LOOK: Final = 16  # of a flood the rest is the kernel's to drop
NEVER: Final = np.inf


class _Row:
    """A call: what it reports, when, and to whom."""

    def __init__(self, cname: str, networks: Sequence[str]) -> None:
        self.reports = Reports(cname)
        self.networks: list[IPv4Network | IPv6Network] = [ip_network(text, strict=False) for text in networks]
        self.hosts: set[str] = set()
        self.named: Address | None = None  # by the SDP
        self.proven = False  # it has reported to us, and gets our reports where its own came from
        self.send_at = NEVER
        self.told = False  # we have reported


class Reporter:
    """Owned by the tick."""

    def __init__(self, columns: Columns, wire: Wire, random: np.random.Generator) -> None:
        self._columns = columns
        self._wire = wire
        self._random = random
        self._due = np.full(columns.slots, NEVER)
        self._rows: dict[int, _Row] = {}

    def open(self, row: int, networks: Sequence[str]) -> None:
        """A call takes the row. The name it goes by is random (RFC 7022). ValueError for what is no network."""
        self._rows[row] = _Row(self._random.bytes(9).hex(), networks)
        self._wire.aim_reports(row, None)

    def aim(self, row: int, remote: Remote, now: float) -> None:
        """Where the far end takes RTCP: as its SDP says (RFC 3605), else beside its RTP."""
        known = self._rows[row]
        host = remote.rtcp_host or remote.host
        port = remote.rtcp_port or remote.port + 1
        nowhere = remote.port == 0 or port > 65535 or ip_address(host).is_unspecified
        address = None if nowhere else (host, port)
        known.hosts = {remote.host, host}
        if address != known.named:
            known.named, known.proven = address, False
            self._wire.aim_reports(row, address)
        if known.send_at == NEVER:
            known.send_at = now + self._interval() / 2
            self._due[row] = now + LOOK_S * self._random.random()

    def close(self, row: int) -> Reports | None:
        """The call is over: look a last time, say BYE, and tell what was reported; None if that was done before."""
        known = self._rows.pop(row, None)
        self._due[row] = NEVER
        if known is None:
            return None
        if known.send_at != NEVER:
            self._look(row, known)
            if self._columns.sent[row] or known.told:  # section 6.3.7: who never spoke does not take leave
                self._send(row, known, bye=True)
        self._wire.aim_reports(row, None)
        return known.reports

    def turn(self, rows: NDArray[np.intp], now: float) -> None:
        """Do what is due for these rows."""
        for row in rows[self._due[rows] <= now].tolist():
            known = self._rows[row]
            self._look(row, known)
            if known.send_at <= now:
                self._send(row, known)
                known.send_at = now + self._interval()
            self._due[row] = min(now + LOOK_S, known.send_at)

    def _interval(self) -> float:
        return INTERVAL_S * float(self._random.uniform(*SPREAD))

    def _send(self, row: int, known: _Row, bye: bool = False) -> None:
        if known.named is None:
            return
        known.told = True
        self._wire.send_report(row, known.reports.compose(self._counts(row), self._wire.wall(), bye=bye))

    def _look(self, row: int, known: _Row) -> None:
        for _ in range(PACKETS_A_LOOK):
            came = self._wire.receive_report(row)
            if came is None:
                return
            datagram, source, arrived = came
            if not self._allowed(row, known, source[0]):
                continue
            compound = parse(datagram)
            if compound is None:
                continue
            counts = self._counts(row)
            if not known.proven and any(
                report.ssrc == counts.rx_ssrc or any(block.ssrc == counts.ssrc for block in report.blocks)
                for report in compound.reports
            ):
                known.proven = True
                self._wire.latch_reports(row, source)
            known.reports.take(compound, counts, arrived)

    def _allowed(self, row: int, known: _Row, host: str) -> bool:
        if host in known.hosts or host == self._wire.far_host(row):
            return True
        if not known.networks:
            return False
        address = ip_address(host.partition("%")[0])
        return any(address in network for network in known.networks)

    def _counts(self, row: int) -> Counts:
        columns = self._columns
        sent = int(columns.sent[row])
        return Counts(
            int(columns.ssrc[row]),
            sent,
            max(0, sent * FRAME_SAMPLES + int(columns.octets_beside[row])),
            int(columns.timestamp[row]) - FRAME_SAMPLES & 0xFFFFFFFF,
            int(columns.rx_ssrc[row]),
            int(columns.rx_sequence[row]),
            int(columns.expected[row]),
            int(columns.received[row]),
            int(columns.jitter[row]),
        )
