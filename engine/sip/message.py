"""A SIP message as a value; the one file that imports pyVoIP.

pyVoIP 1.6.8 reads what orders messages (Via, From, To, CSeq), session descriptions, and knows the phrases of
codes and the payload types; `normalise` makes what comes in readable for it and keeps what it would lose.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.sip.normalise import Clean, Headers, Unreadable, clean, name_addr, split_values

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pyVoIP imports audioop
    import pyVoIP.VoIP  # noqa: F401 - first, or pyVoIP's modules meet each other half made
    from pyVoIP import SIPCompatibleMethods
    from pyVoIP.RTP import PayloadType, RTPProtocol, TransmitType
    from pyVoIP.SIP import SIPMessage, SIPParseError, SIPStatus

__all__ = ["Address", "Headers", "Message", "Unreadable", "phrase", "read", "response", "session_dictionary"]

Address = tuple[str, int]

_PHRASES: Final = {status.value: status.phrase for status in SIPStatus}
_CODES: Final = frozenset(_PHRASES)
_METHODS: Final = frozenset(SIPCompatibleMethods)
# What pyVoIP raises on input that it does not expect; nothing of it leaves this file.
_READING_ERRORS: Final = (SIPParseError, ValueError, LookupError, TypeError, AttributeError, NameError)
_Q850: Final = re.compile(r"Q\.850[ \t]*;(?:[^,]*;)?[ \t]*cause[ \t]*=[ \t]*(\d{1,3})(?!\d)", re.IGNORECASE)
_SECONDS: Final = re.compile(r"\d{1,9}")
STATIC_TYPES: Final = {
    int(payload): (payload.description, payload.rate) for payload in PayloadType if isinstance(payload.value, int)
}
"""Payload types that need no rtpmap (RFC 3551): number -> (encoding name, clock rate)."""
PROFILE: Final = RTPProtocol.AVP.value
DIRECTIONS: Final = frozenset(direction.value for direction in TransmitType)


@dataclass(frozen=True, slots=True)
class Message:
    """A request (`code` 0) or a response (`method` is that of its CSeq)."""

    method: str
    uri: str
    code: int
    reason: str
    headers: Headers
    body: bytes
    call_id: str
    cseq: int
    from_tag: str
    to_tag: str
    from_user: str = ""
    branch: str = ""  # of the topmost Via
    sent_by: str = ""  # host:port of the topmost Via

    def first(self, name: str) -> str:
        """The first value of a header, "" if there is none."""
        for header, value in self.headers:
            if header == name:
                return value
        return ""

    def all(self, name: str) -> list[str]:
        return [value for header, value in self.headers if header == name]

    @property
    def contact(self) -> str:
        """URI of the first Contact; "" if there is none to use."""
        return _uri(self.first("Contact"))

    @property
    def contacts(self) -> tuple[str, ...]:
        return tuple(uri for value in self.all("Contact") if (uri := _uri(value)))

    @property
    def record_route(self) -> tuple[str, ...]:
        return tuple(self.all("Record-Route"))

    @property
    def content_type(self) -> str:
        """Media type in lower case, without parameters."""
        return self.first("Content-Type").partition(";")[0].strip().lower()

    @property
    def sdp(self) -> bytes:
        """The session description: the body, or that part of a multipart body; b"" if there is none."""
        if not self.body or self.first("Content-Encoding") not in ("", "identity"):
            return b""
        kind = self.content_type
        if kind == "application/sdp":
            return self.body
        if kind.startswith("multipart/"):
            return _sdp_part(self.body)
        return self.body if not kind and self.body.startswith(b"v=") else b""

    @property
    def q850(self) -> int | None:
        """The cause of a `Reason: Q.850;cause=` header (RFC 3326)."""
        for value in self.all("Reason"):
            if found := _Q850.search(value):
                return int(found[1])
        return None

    @property
    def retry_after_s(self) -> int | None:
        found = _SECONDS.match(self.first("Retry-After"))
        return int(found[0]) if found else None

    def with_headers(self, *headers: tuple[str, str]) -> Message:
        return replace(self, headers=self.headers + headers)

    def rebuilt(self, headers: Headers) -> Message:
        return replace(self, headers=headers)

    def encode(self) -> bytes:
        """The bytes for the wire, Content-Length among them."""
        start = f"SIP/2.0 {self.code} {self.reason}" if self.code else f"{self.method} {self.uri} SIP/2.0"
        lines = [start, *[f"{name}: {value}" for name, value in self.headers]]
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body


def read(datagram: bytes) -> Message:
    """A message from the wire; `Unreadable` for whatever is none."""
    parts = clean(datagram)
    try:
        return _read(parts)
    except Unreadable:
        raise
    except _READING_ERRORS as error:
        raise Unreadable(f"pyVoIP cannot read it: {type(error).__name__}") from error


def _read(parts: Clean) -> Message:
    voip = SIPMessage(parts.readable(_CODES, _METHODS))
    headers = voip.headers
    via, sender, receiver = headers["Via"][0], headers["From"], headers["To"]
    method = str(headers["CSeq"]["method"])
    host, port = via["address"]
    return Message(
        method=method,
        uri=parts.uri,
        code=parts.code,
        reason=printable(parts.reason),
        headers=parts.headers,
        body=parts.body,
        call_id=str(headers["Call-ID"]),
        cseq=int(headers["CSeq"]["check"]),
        from_tag=sender["tag"],
        to_tag=receiver["tag"],
        from_user=printable(sender["number"] or ""),
        branch=via.get("branch") or "",
        sent_by=f"{host}:{port}",
    )


def response(
    request: Message, code: int, reason: str = "", *, to_tag: str = "", headers: Headers = (), sdp: bytes = b""
) -> Message:
    """The answer to a request (RFC 3261 8.2.6): Via, From, To, Call-ID and CSeq are its own."""
    copied: list[tuple[str, str]] = [("Via", via) for via in request.all("Via")]
    copied.append(("From", request.first("From")))
    to = request.first("To")
    copied.append(("To", f"{to};tag={to_tag}" if to_tag and not request.to_tag else to))
    copied.append(("Call-ID", request.first("Call-ID")))
    copied.append(("CSeq", request.first("CSeq")))
    copied.extend(headers)
    if sdp:
        copied.append(("Content-Type", "application/sdp"))
    return Message(
        method=request.method,
        uri="",
        code=code,
        reason=reason or phrase(code),
        headers=tuple(copied),
        body=sdp,
        call_id=request.call_id,
        cseq=request.cseq,
        from_tag=request.from_tag,
        to_tag=request.to_tag or to_tag,
        branch=request.branch,
        sent_by=request.sent_by,
    )


def phrase(code: int) -> str:
    """The usual phrase of a code, that of its class for an unknown one."""
    return str(_PHRASES.get(code) or _PHRASES.get(code // 100 * 100, "Unknown"))


def session_dictionary(lines: Iterable[bytes]) -> dict[str, Any]:
    """pyVoIP's reading of a session with one media description; `Unreadable` if it cannot."""
    reader = SIPMessage.__new__(SIPMessage)  # only its reader of bodies is wanted
    reader.headers = {"Content-Type": "application/sdp"}
    reader.body = {}
    try:
        SIPMessage.parse_raw_body(b"\r\n".join(lines), reader.parse_body)
    except _READING_ERRORS as error:
        raise Unreadable(f"the session description cannot be read: {type(error).__name__}") from error
    body: dict[str, Any] = reader.body
    return body


def printable(text: str) -> str:
    """Text from the wire that may travel in events and logs: no surrogates, no control characters."""
    clean_text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return clean_text if clean_text.isprintable() else "".join(c if c.isprintable() else " " for c in clean_text)


def values(message: Message, name: str) -> list[str]:
    """Every value of a header, comma-joined ones apart."""
    return [value for joined in message.all(name) for value in split_values(joined)]


def _uri(value: str) -> str:
    try:
        return name_addr(value)[0]
    except Unreadable:
        return ""


def _sdp_part(body: bytes) -> bytes:
    # The boundary is what the body begins with, so a missing or wrongly quoted parameter does no harm.
    start = body.find(b"--")
    boundary = body[start:].partition(b"\n")[0].rstrip()
    if start < 0 or len(boundary) < 3:
        return b""
    for part in body[start:].split(boundary)[1:]:
        head, _, content = part.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
        if b"application/sdp" in head.lower():
            return content.rstrip(b"\n").replace(b"\n", b"\r\n") + b"\r\n"
    return b""
