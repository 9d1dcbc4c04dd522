"""RTP over one UDP socket a slot, RTCP over another: the only file that knows sockets of RTP.

Once a far end is latched its socket is connected, so that the kernel drops what others send. What others had sent
before that is still in its queue: until that has been read out, sources are compared here.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.media.columns import Columns

Address = tuple[str, int]
Rows = NDArray[np.intp]

RECEIVE_BUFFER_BYTES: Final = 1 << 17  # a second and more of packets, for the time of a stall
REPORT_BUFFER_BYTES: Final = 1 << 14
REPORT_BYTES: Final = 2048
DRAIN_PACKETS: Final = 1024  # of an earlier call, at most
NOTHING: Final = -1  # length where no packet was waiting

_AF_UNSPEC = bytes(16)
_SIOCGSTAMPNS = 0x8907  # linux/sockios.h: when the packet last read came
_STAMP = struct.Struct("ll")
_SO_MEMINFO, _MEMINFO_DROPS = 55, 8  # asm-generic/socket.h, linux/sock_diag.h: what the kernel keeps of a socket


class Wire(Protocol):
    """The seam to the network: send a group, receive a group; the rest says where to."""

    def send(self, rows: Rows) -> list[int]:
        """Send the outbox of these rows; returns the rows whose packet did not leave."""

    def receive(self, rows: Rows) -> NDArray[np.int64]:
        """One packet for each row into its inbox: the lengths, NOTHING where none waited."""

    def send_one(self, row: int, packet: bytes) -> bool:
        """Send a packet that is not in the outbox."""

    def source(self, row: int) -> Address | None:
        """Where the packet in the inbox came from; None where the kernel has seen to it."""

    def aim(self, row: int, address: Address | None) -> None:
        """Send to this address from now on, take packets from anywhere. OSError if there is no such address."""

    def narrow(self, row: int, address: Address) -> None:
        """Take packets from this address only, though it is not known yet whether it is the far end's."""

    def latch(self, row: int, address: Address) -> None:
        """Send to this address, take packets from there only."""

    def clear(self, row: int) -> None:
        """Forget the far end and what has come."""

    def arrivals(self, rows: Rows) -> NDArray[np.float64]:
        """When the packets in the inboxes came, Unix seconds by the kernel's clock; 0 where that is not known."""

    def wall(self) -> float:
        """What the kernel's clock says now."""

    def far_host(self, row: int) -> str | None:
        """The host that RTP is sent to."""

    def overflowed(self, row: int) -> int:
        """How many packets the kernel has dropped because they came faster than they were read, since the row began."""

    def aim_reports(self, row: int, address: Address | None) -> None:
        """Send RTCP to this address, take it from anywhere; None: forget what has come, too."""

    def latch_reports(self, row: int, address: Address) -> None:
        """Send RTCP to this address, take it from there only."""

    def send_report(self, row: int, datagram: bytes) -> None:
        """Send RTCP; one that does not leave is lost."""

    def receive_report(self, row: int) -> tuple[bytes, Address, float] | None:
        """The next RTCP datagram, its source and when it came; None if none waits."""


class PortsError(Exception):
    """The ports wanted cannot be had; the text is one line with the remedy."""


class Pair(NamedTuple):
    """RTP's socket, on an even port, and that of its RTCP on the odd one above (RFC 3550, section 11)."""

    rtp: socket.socket
    rtcp: socket.socket


def bind(host: str, low: int, high: int, count: int) -> list[Pair]:
    """`count` pairs of ports in the range, skipping those that others have. PortsError if it is too small.

    The search begins anywhere, so that two processes on one range are not in each other's way.
    """
    ports = list(range(low + low % 2, high, 2))
    begin = random.randrange(len(ports)) if ports else 0
    found: list[Pair] = []
    refusal = ""
    for port in ports[begin:] + ports[:begin]:
        if len(found) == count:
            break
        try:
            found.append(_pair(host, port))
        except OSError as error:
            refusal = os.strerror(error.errno or 0)
    if len(found) < count:
        for pair in found:
            pair.rtp.close()
            pair.rtcp.close()
        raise PortsError(
            f"[media] ports = {low}-{high} on {host}: {len(found)} of {len(ports)} pairs of ports could be had, "
            f"{count} are needed{f' ({refusal})' if refusal else ''}; widen [media] ports or lower [media] calls"
        )
    return found


def _pair(host: str, port: int) -> Pair:
    rtp = _bound(host, port, RECEIVE_BUFFER_BYTES)
    try:
        return Pair(rtp, _bound(host, port + 1, REPORT_BUFFER_BYTES))
    except OSError:
        rtp.close()
        raise


def _bound(host: str, port: int, buffer_bytes: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    _arrived(bound)  # it stamps what comes from now on
    return bound


def _arrived(read: socket.socket) -> float:
    """When the packet last read of this socket came, Unix seconds; 0 if the system does not tell."""
    stamp = bytearray(_STAMP.size)
    try:
        fcntl.ioctl(read, _SIOCGSTAMPNS, stamp)
    except OSError:
        return 0.0
    seconds, nanoseconds = _STAMP.unpack(stamp)
    return float(seconds + nanoseconds * 1e-9)


def _disconnect(connected: socket.socket) -> None:
    """Take packets from anywhere again; the port stays. The standard library cannot say AF_UNSPEC."""
    ctypes.CDLL(None).connect(connected.fileno(), _AF_UNSPEC, len(_AF_UNSPEC))


def _nowhere() -> int:
    return 0


class Sockets:
    """One plain socket a row, tight loops over them."""

    def __init__(self, pairs: Sequence[Pair], columns: Columns) -> None:
        sockets = [pair.rtp for pair in pairs]
        self._sockets = sockets
        self._files = [each.fileno() for each in sockets]
        self._report_sockets = [pair.rtcp for pair in pairs]
        self._report_targets: list[Address | None] = [None] * len(pairs)
        self._reports_connected = [False] * len(pairs)
        self._dropped = [0] * len(pairs)  # by the kernel, before the row's present use
        self._inbox = [row.data for row in columns.inbox]
        self._outbox = [row.data for row in columns.outbox]
        self._target: list[Address | None] = [None] * len(sockets)
        self._latched = [False] * len(sockets)
        self._connected = [False] * len(sockets)
        self._source: list[Address | None] = [None] * len(sockets)
        self._senders: list[Callable[[], int]] = [_nowhere] * len(sockets)
        self._receivers: list[Callable[[], int]] = [partial(self._receive_from, row) for row in range(len(sockets))]

    def send(self, rows: Rows) -> list[int]:
        senders = self._senders
        failed = []
        for row in rows.tolist():
            try:
                senders[row]()
            except OSError:
                # A refusal told by ICMP belongs to an earlier packet, and is told once.
                try:
                    senders[row]()
                except OSError:
                    failed.append(row)
        return failed

    def receive(self, rows: Rows) -> NDArray[np.int64]:
        receivers = self._receivers
        lengths = []
        for row in rows.tolist():
            try:
                lengths.append(receivers[row]())
            except OSError:  # nothing waits, or a refusal told by ICMP
                lengths.append(NOTHING)
        return np.array(lengths, np.int64)

    def send_one(self, row: int, packet: bytes) -> bool:
        target = self._target[row]
        if target is None:
            return False
        for _ in range(2):
            try:
                if self._latched[row]:
                    self._sockets[row].send(packet)
                else:
                    self._sockets[row].sendto(packet, target)
            except OSError:
                continue
            return True
        return False

    def source(self, row: int) -> Address | None:
        return self._source[row]

    def aim(self, row: int, address: Address | None) -> None:
        if address is not None and (":" in address[0]) != (self._sockets[row].family == socket.AF_INET6):
            raise OSError(f"{address[0]} cannot be reached from {self._sockets[row].getsockname()[0]}")
        if self._connected[row]:
            _disconnect(self._sockets[row])
            self._connected[row] = self._latched[row] = False
        self._target[row] = address
        self._receivers[row] = partial(self._receive_from, row)
        if address is None:
            self._senders[row] = _nowhere
        else:
            self._senders[row] = partial(self._sockets[row].sendto, self._outbox[row], address)

    def narrow(self, row: int, address: Address) -> None:
        try:
            self._sockets[row].connect(address)
        except OSError:  # no address to connect to: then this far end is not heard, as before
            return
        self._connected[row] = True

    def latch(self, row: int, address: Address) -> None:
        self._target[row] = address
        try:
            self._sockets[row].connect(address)
        except OSError:  # the kernel cannot filter for us; sources are compared then, packet by packet
            self._senders[row] = partial(self._sockets[row].sendto, self._outbox[row], address)
            return
        self._connected[row] = self._latched[row] = True
        self._senders[row] = partial(self._sockets[row].send, self._outbox[row])

    def arrivals(self, rows: Rows) -> NDArray[np.float64]:
        stamps = bytearray(_STAMP.size * rows.size)
        view, files = memoryview(stamps), self._files
        for index, row in enumerate(rows.tolist()):
            try:
                fcntl.ioctl(files[row], _SIOCGSTAMPNS, view[index * _STAMP.size : (index + 1) * _STAMP.size])
            except OSError:
                continue
        told = np.frombuffer(stamps, np.dtype("l")).reshape(-1, 2)
        return np.asarray(told[:, 0] + told[:, 1] * 1e-9)

    def wall(self) -> float:
        return time.time()

    def far_host(self, row: int) -> str | None:
        target = self._target[row]
        return target[0] if target is not None else None

    def overflowed(self, row: int) -> int:
        return (self._drops(row) - self._dropped[row]) % (1 << 32)

    def aim_reports(self, row: int, address: Address | None) -> None:
        if self._reports_connected[row]:
            _disconnect(self._report_sockets[row])
            self._reports_connected[row] = False
        self._report_targets[row] = address
        if address is None:
            for _ in range(DRAIN_PACKETS):
                if self.receive_report(row) is None:
                    return

    def latch_reports(self, row: int, address: Address) -> None:
        self._report_targets[row] = address
        try:
            self._report_sockets[row].connect(address)
        except OSError:  # then its source is looked at, report by report
            return
        self._reports_connected[row] = True

    def send_report(self, row: int, datagram: bytes) -> None:
        target = self._report_targets[row]
        if target is None:
            return
        for _ in range(2):  # a refusal told by ICMP belongs to an earlier packet
            try:
                if self._reports_connected[row]:
                    self._report_sockets[row].send(datagram)
                else:
                    self._report_sockets[row].sendto(datagram, target)
            except OSError:
                continue
            return

    def receive_report(self, row: int) -> tuple[bytes, Address, float] | None:
        reports = self._report_sockets[row]
        for _ in range(2):
            try:
                datagram, source = reports.recvfrom(REPORT_BYTES)
            except BlockingIOError:
                return None
            except OSError:
                continue
            return datagram, source[:2], _arrived(reports) or time.time()
        return None

    def _drops(self, row: int) -> int:
        try:
            found = self._sockets[row].getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 64)
        except OSError:
            return 0
        return int.from_bytes(found[4 * _MEMINFO_DROPS :][:4], sys.byteorder)

    def clear(self, row: int) -> None:
        self.aim(row, None)
        for _ in range(DRAIN_PACKETS):
            try:
                self._sockets[row].recv_into(self._inbox[row])
            except BlockingIOError:
                break
            except OSError:
                continue
        self._dropped[row] = self._drops(row)

    def close(self) -> None:
        """Give the ports back."""
        for each in [*self._sockets, *self._report_sockets]:
            each.close()

    def _receive_from(self, row: int) -> int:
        """The slow way in, with the source; the fast one follows once the queue was seen empty after latching."""
        try:
            length, source = self._sockets[row].recvfrom_into(self._inbox[row])
        except BlockingIOError:
            if self._latched[row]:
                self._source[row] = None
                self._receivers[row] = partial(self._sockets[row].recv_into, self._inbox[row])
            raise
        self._source[row] = source[:2]
        return length


def ports_of(pairs: Iterable[Pair]) -> list[int]:
    """The even port of each."""
    return [pair.rtp.getsockname()[1] for pair in pairs]
