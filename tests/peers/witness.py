"""A trunk that answers our calls and writes down what came: an independent witness of who was called, and when.

    with Witness() as carrier:           # one UDP socket on loopback; `carrier.port`
        ...
    carrier.invites                      # each INVITE once, with the kernel's time of its arrival

What it does with a call is told by the last two digits of the number, see `manner`. It knows just enough of SIP for
that and shares no code with the engine. Its thread owns everything; the lists may be read at any time.
"""

from __future__ import annotations

import heapq
import itertools
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

SO_TIMESTAMPNS: Final = 35  # asm-generic/socket.h; in `socket` from Python 3.13 on
T1_S: Final = 0.5  # RFC 3261 17.1.1.1


class Manner(NamedTuple):
    """How a number behaves. `code` 0: it never answers anything."""

    code: int
    after_s: float
    stays_s: float = 0.0
    presses: str = ""


def manner(number: str) -> Manner:
    """By its last two digits: most are answered, for a time between 0.1 and 1.3 s."""
    last = int(number[-2:])
    match last % 10:
        case 6:
            return Manner(486, 0.05)
        case 7:
            return Manner(503, 0.02)
        case 8:
            return Manner(603, 0.1)
        case 9 if last >= 90:
            return Manner(0, 0.0)
        case 1 | 2:
            return Manner(200, 0.05, 1.3, presses="1")
    return Manner(200, 0.02, 0.1 + (last % 7) * 0.2)


class Invite(NamedTuple):
    """An INVITE, by the kernel's clock (Unix seconds)."""

    at: float
    call_id: str
    to: str
    sender: str


@dataclass(slots=True)
class _Dialog:
    invite: dict[str, str]
    source: tuple[str, int]
    manner: Manner
    tag: str
    final: bytes = b""
    acknowledged: bool = False
    over: bool = False
    media: tuple[str, int] = ("", 0)
    times: list[float] = field(default_factory=list)


class Witness:
    """`manner` tells what a number does; `at_once` is the most dialogs that were open together.

    A dialog is open from the INVITE until the final failure, or the first BYE, leaves or comes: never longer than the
    caller thinks.
    """

    def __init__(self, manner: Callable[[str], Manner] = manner) -> None:
        self.invites: list[Invite] = []
        self.open = 0
        self.at_once = 0
        self.at_once_of: Counter[str] = Counter()  # by the number that called
        self._open_of: Counter[str] = Counter()
        self._manner = manner
        self._dialogs: dict[str, _Dialog] = {}
        self._seen: set[str] = set()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = itertools.count(1)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("127.0.0.1", 0))
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # what comes there is not read
        self._rtp.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="witness")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        self._thread.join(5)
        self._socket.close()
        self._rtp.close()

    def of(self, number: str) -> list[Invite]:
        """The INVITEs to that number."""
        return [invite for invite in list(self.invites) if invite.to == number]

    def _run(self) -> None:
        while not self._ending:
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                heapq.heappop(self._timers)[2]()
            wait_s = min(0.05, max(0.0, self._timers[0][0] - now)) if self._timers else 0.05
            self._socket.settimeout(wait_s or 1e-6)
            try:
                data, ancillary, _, source = self._socket.recvmsg(65536, 64)
            except (TimeoutError, BlockingIOError):
                continue
            at = time.time()
            for _, kind, raw in ancillary:
                if kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("=qq", raw[:16])
                    at = seconds + nanoseconds / 1e9
            if len(data) > 8:
                self._take(data.decode("utf-8", "replace"), source, at)

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._serial), work))

    # --- what comes -------------------------------------------------------------------------------------

    def _take(self, text: str, source: tuple[str, int], at: float) -> None:
        head, _, body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        call_id = headers.get("call-id", "")
        dialog = self._dialogs.get(call_id)
        if first.startswith("SIP/2.0"):
            return
        match first.split(" ")[0]:
            case "INVITE" if dialog is None:
                self._invited(headers, body, source, at)
            case "INVITE":
                if dialog.final:
                    self._socket.sendto(dialog.final, source)
            case "ACK":
                if dialog is not None and not dialog.acknowledged:
                    dialog.acknowledged = True
                    self._talk(dialog)
            case "BYE":
                self._reply(headers, source, "200 OK")
                if dialog is not None:
                    self._close(dialog)
            case "CANCEL":
                self._reply(headers, source, "200 OK")
                if dialog is not None and not dialog.final:
                    self._final(dialog, "487 Request Terminated")
            case _:
                self._reply(headers, source, "200 OK")

    def _invited(self, headers: dict[str, str], body: str, source: tuple[str, int], at: float) -> None:
        to, sender = (self._number(headers[name]) for name in ("to", "from"))
        self.invites.append(Invite(at, headers["call-id"], to, sender))
        how = self._manner(to)
        dialog = _Dialog(headers, source, how, f"w{next(self._serial)}")
        host, port = re.search(r"c=IN IP4 (\S+)", body), re.search(r"m=audio (\d+)", body)
        if host and port:
            dialog.media = (host[1], int(port[1]))
        self._dialogs[headers["call-id"]] = dialog
        self.open += 1
        self.at_once = max(self.at_once, self.open)
        self._open_of[sender] += 1
        self.at_once_of[sender] = max(self.at_once_of[sender], self._open_of[sender])
        if how.code == 0:
            return
        self._reply(headers, source, "100 Trying")
        line = {200: "200 OK", 486: "486 Busy Here", 503: "503 Service Unavailable"}.get(how.code, f"{how.code} No")
        self._later(how.after_s, lambda: None if dialog.final else self._final(dialog, line))

    def _final(self, dialog: _Dialog, line: str) -> None:
        body = ""
        if line.startswith("200"):
            body = (
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                f"m=audio {self._rtp.getsockname()[1]} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
                "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
            )
        dialog.final = self._answer(dialog.invite, line, dialog.tag, body)
        if not body:
            self._close(dialog)
        self._again(dialog, T1_S / 2)

    def _again(self, dialog: _Dialog, pause_s: float) -> None:
        """Send the final answer, and again until it is acknowledged (a killed caller never does)."""
        if dialog.acknowledged or pause_s > 8:
            if not dialog.acknowledged:
                self._close(dialog)
            return
        self._socket.sendto(dialog.final, dialog.source)
        self._later(pause_s * 2, lambda: self._again(dialog, pause_s * 2))

    def _talk(self, dialog: _Dialog) -> None:
        if dialog.over:
            return
        if dialog.manner.presses:
            self._later(0.3, lambda: self._press(dialog, dialog.manner.presses))
        self._later(dialog.manner.stays_s, lambda: self._bye(dialog))

    def _press(self, dialog: _Dialog, digit: str) -> None:
        """One key of 100 ms by RFC 4733, all of it at once: who counts by timestamps does not mind."""
        for number in range(8):
            end = 0x80 if number > 4 else 0
            event = struct.pack("!BBH", int(digit), end | 10, min(number + 1, 5) * 160)
            marker = 0x80 if number == 0 else 0
            packet = struct.pack("!BBHII", 0x80, marker | 101, 100 + number, 8000, 77) + event
            self._rtp.sendto(packet, dialog.media)

    def _bye(self, dialog: _Dialog) -> None:
        if dialog.over:
            return
        self._close(dialog)
        invite = dialog.invite
        contact = re.search(r"<([^>]+)>", invite["contact"])
        lines = [
            f"BYE {contact[1] if contact else 'sip:x'} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{dialog.tag}bye",
            "Max-Forwards: 70",
            f"From: {invite['to']};tag={dialog.tag}",
            f"To: {invite['from']}",
            f"Call-ID: {invite['call-id']}",
            "CSeq: 1 BYE",
            "Content-Length: 0",
        ]
        raw = ("\r\n".join(lines) + "\r\n\r\n").encode()
        for pause_s in (0.0, 0.5, 1.5):  # whoever has got it answers the later ones again
            self._later(pause_s, lambda: self._socket.sendto(raw, dialog.source))

    def _close(self, dialog: _Dialog) -> None:
        if not dialog.over:
            dialog.over = True
            self.open -= 1
            self._open_of[self._number(dialog.invite["from"])] -= 1

    # --- what goes --------------------------------------------------------------------------------------

    def _reply(self, headers: dict[str, str], source: tuple[str, int], line: str) -> None:
        self._socket.sendto(self._answer(headers, line, "", ""), source)

    def _answer(self, headers: dict[str, str], line: str, tag: str, body: str) -> bytes:
        to = headers["to"] if not tag or "tag=" in headers["to"] else f"{headers['to']};tag={tag}"
        lines = [
            f"SIP/2.0 {line}", f"Via: {headers['via']}", f"From: {headers['from']}", f"To: {to}",
            f"Call-ID: {headers['call-id']}", f"CSeq: {headers['cseq']}", f"Contact: <sip:w@127.0.0.1:{self.port}>",
            *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}",
        ]  # fmt: skip
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    @staticmethod
    def _number(header: str) -> str:
        found = re.search(r"sip:\+?(\d+)@", header)
        return found[1] if found else ""


def most_within(times: list[float], seconds: float = 1.0) -> int:
    """The most of these moments that lie in any window of that length (half open)."""
    ordered = sorted(times)
    most, first = 0, 0
    for last, at in enumerate(ordered):
        while at - ordered[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
