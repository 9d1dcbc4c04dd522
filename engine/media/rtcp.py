"""RTCP (RFC 3550, section 6): reports of senders and receivers, CNAME and BYE. Bytes in, bytes out, pure.

What is read is what a report says; whether it can be true is judged in `engine.media.reports`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

VERSION: Final = 2
SR: Final = 200
RR: Final = 201
SDES: Final = 202
BYE: Final = 203
CNAME: Final = 1
MAX_BYTES: Final = 1500
NTP_EPOCH_S: Final = 2_208_988_800  # 1 January 1970, counted from 1900
LOST_MIN: Final = -(1 << 23)
LOST_MAX: Final = (1 << 23) - 1
MIDDLE: Final = 65536.0  # units of LSR and DLSR in a second

_HEADER = struct.Struct("!BBH")
_SENDER = struct.Struct("!QIII")
_BLOCK = struct.Struct("!IB3sIIII")
_WORD: Final = 4
_COUNT: Final = 0x1F
_PADDING: Final = 0x20


class Sender(NamedTuple):
    """What an SR says of its sender: NTP time as 32.32 bits, and the RTP time of the same instant."""

    ntp: int
    timestamp: int
    packets: int
    octets: int


class Block(NamedTuple):
    """What a receiver says of one source (section 6.4.1)."""

    ssrc: int
    fraction: int  # of 256 packets, lost since the block before
    lost: int  # in all; negative where doubles came: signed 24 bits
    highest: int  # extended sequence number
    jitter: int  # in units of the timestamp
    lsr: int  # the middle 32 bits of the NTP time in the last SR; 0: none came
    dlsr: int  # since then, in 1/65536 s


class Report(NamedTuple):
    """An SR (with `sender`) or an RR."""

    ssrc: int
    sender: Sender | None = None
    blocks: tuple[Block, ...] = ()


class Compound(NamedTuple):
    """One datagram: its reports, and the sources that say BYE."""

    reports: tuple[Report, ...]
    byes: tuple[int, ...] = ()


def ntp(seconds: float) -> int:
    """Unix seconds as 32.32 bits of NTP; 2036 rolls over, as everybody's does."""
    whole = int(seconds)
    return (whole + NTP_EPOCH_S & 0xFFFFFFFF) << 32 | int((seconds - whole) * (1 << 32))


def middle(ntp_time: int) -> int:
    """The middle 32 bits, as LSR bears them."""
    return ntp_time >> 16 & 0xFFFFFFFF


def build(report: Report, cname: str, *, bye: bool = False) -> bytes:
    """A compound datagram: the report, CNAME as every one must have it (section 6.1), and BYE if wanted."""
    body = struct.pack("!I", report.ssrc)
    if report.sender is not None:
        body += _SENDER.pack(*report.sender)
    for block in report.blocks:
        lost = min(max(block.lost, LOST_MIN), LOST_MAX).to_bytes(3, "big", signed=True)
        body += _BLOCK.pack(block.ssrc, block.fraction, lost, block.highest, block.jitter, block.lsr, block.dlsr)
    packets = _packet(RR if report.sender is None else SR, len(report.blocks), body)
    name = cname.encode()[:255]
    item = struct.pack("!IBB", report.ssrc, CNAME, len(name)) + name
    packets += _packet(SDES, 1, item + bytes(_WORD - len(item) % _WORD))  # one zero at least ends the items
    if bye:
        packets += _packet(BYE, 1, struct.pack("!I", report.ssrc))
    return packets


def parse(datagram: bytes) -> Compound | None:
    """The compound in a datagram; None if it is no RTCP by the rules of appendix A.2. Other packets are passed over."""
    if not _HEADER.size <= len(datagram) <= MAX_BYTES or datagram[1] not in (SR, RR) or datagram[0] & _PADDING:
        return None
    reports: list[Report] = []
    byes: list[int] = []
    at = 0
    while at < len(datagram):
        if len(datagram) - at < _HEADER.size:
            return None
        first, kind, words = _HEADER.unpack_from(datagram, at)
        end = at + (words + 1) * _WORD
        if first >> 6 != VERSION or end > len(datagram):
            return None
        body = datagram[at + _HEADER.size : end]
        if kind in (SR, RR):
            report = _report(kind, first & _COUNT, body)
            if report is None:
                return None
            reports.append(report)
        elif kind == BYE:
            byes += _words(body[: (first & _COUNT) * _WORD])
        at = end
    return Compound(tuple(reports), tuple(byes))


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(VERSION << 6 | count, kind, len(body) // _WORD) + body


def _report(kind: int, count: int, body: bytes) -> Report | None:
    start = _WORD + (_SENDER.size if kind == SR else 0)
    if len(body) < start + count * _BLOCK.size:
        return None
    sender = Sender(*_SENDER.unpack_from(body, _WORD)) if kind == SR else None
    fields = (_BLOCK.unpack_from(body, start + number * _BLOCK.size) for number in range(count))
    blocks = tuple(
        Block(ssrc, part, int.from_bytes(lost, "big", signed=True), *rest) for ssrc, part, lost, *rest in fields
    )
    return Report(int.from_bytes(body[:_WORD], "big"), sender, blocks)


def _words(body: bytes) -> Iterable[int]:
    return (word for (word,) in struct.iter_unpack("!I", body[: len(body) // _WORD * _WORD]))
