"""A raw datagram made clean: what real peers send, brought to the one form that pyVoIP 1.6.8 can read.

Tolerated (RFC 3261 7.3 allows most of it, the rest is seen in the field): leading CRLFs, bare LF, folded lines,
compact names, any case of names, blanks around colons, several values in one header or one value a header,
bytes that are no UTF-8, unknown codes and methods, a Content-Length that is wrong. What cannot be read is
`Unreadable` and nothing else. Every search here is linear in the datagram's length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

Headers = tuple[tuple[str, str], ...]


class Unreadable(ValueError):
    """The datagram is no SIP message; the text says why. It is dropped, nothing else happens."""


# RFC 3261 7.3.3 and the IANA registry of compact forms.
COMPACT: Final = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "n": "Identity-Info", "o": "Event", "r": "Refer-To",
    "s": "Subject", "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}  # fmt: skip
_IRREGULAR: Final = ("Call-ID", "CSeq", "WWW-Authenticate", "MIME-Version", "RAck", "RSeq", "SIP-ETag")
_REGULAR: Final = (
    "Via", "From", "To", "Contact", "Content-Length", "Content-Type", "Max-Forwards", "Record-Route", "Route",
    "Allow", "Supported", "Require", "User-Agent", "Server", "Reason", "Proxy-Authenticate", "Session-Expires",
    "Retry-After", "Min-Expires", "Expires", "P-Asserted-Identity", "Accept", "Date", "Warning",
)  # fmt: skip
_NAMES: Final = COMPACT | {name.lower(): name for name in (*_IRREGULAR, *_REGULAR)}
_LISTS: Final = frozenset(("Via", "Route", "Record-Route", "Contact"))  # one value each from here on
_REQUIRED: Final = ("Via", "From", "To", "Call-ID", "CSeq")  # RFC 3261 8.1.1

_BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")
_TOKEN: Final = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_RESPONSE: Final = re.compile(r"SIP/2\.0[ \t]+([1-6]\d\d)(?!\d)[ \t]*(.*)", re.IGNORECASE)
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_CSEQ: Final = re.compile(r"([0-9]{1,10})[ \t]+(\S{1,64})")
_TAG: Final = re.compile(r";[ \t]*tag[ \t]*=[ \t]*([^;, \t]*)", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_AROUND: Final = re.compile(r"[ \t]*([;=])[ \t]*")


@dataclass(frozen=True, slots=True)
class Clean:
    """A message in parts. Texts keep odd bytes as surrogates, so that what is echoed is echoed exactly."""

    method: str  # "" in a response
    uri: str
    code: int  # 0 in a request
    reason: str
    headers: Headers  # canonical names; Via, Route, Record-Route and Contact one value each
    body: bytes

    def readable(self, codes: frozenset[int], methods: frozenset[str]) -> bytes:
        """The five headers that order messages, as pyVoIP reads them.

        A code or method that it does not know is shown as its class (RFC 3261 8.1.3.2) or as INVITE; the true
        one stays in `code` and `method`.
        """
        if self.code:
            known = self.code if self.code in codes else self.code // 100 * 100
            lines = [f"SIP/2.0 {known} -"]
        else:
            lines = [f"{self.method if self.method in methods else 'INVITE'} sip:- SIP/2.0"]
        for name, value in self.headers:
            if name == "Via":
                lines.append("Via: " + _plain_via(value))
            elif name in ("From", "To"):
                uri, parameters = name_addr(value)
                tag = _TAG.search(parameters)
                scheme, colon, rest = uri.partition(":")
                rest = (rest if colon else scheme).partition(";")[0].replace("sip:", "")
                if scheme.lower() == "tel":
                    rest += "@tel"  # pyVoIP sees a number only before an @
                lines.append(f"{name}: <sip:{rest}>" + (f";tag={tag[1]}" if tag else ""))
            elif name in ("Call-ID", "CSeq"):
                lines.append(f"{name}: {value}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")


def clean(datagram: bytes) -> Clean:
    """Take a datagram apart; `Unreadable` if it is no message."""
    data = datagram.lstrip(b"\r\n\0")
    if not data:
        raise Unreadable("a keep-alive")
    first = data.partition(b"\n")[0]
    if b"sip/2.0" not in first[:16].lower() and b"sip/2.0" not in first[-16:].lower():
        raise Unreadable("the first line is not of SIP/2.0")
    blank = _BLANK_LINE.search(data)
    if blank:
        head, body = data[: blank.start()], data[blank.end() :]
    elif data.endswith(b"\n"):
        head, body = data, b""
    else:
        raise Unreadable("it stops in the headers")
    lines = _FOLD.sub(b" ", head).decode("utf-8", "surrogateescape").split("\n")
    method, uri, code, reason = _start(lines[0].strip())
    headers = _headers(lines[1:])
    found = dict(reversed(headers))
    for name in _REQUIRED:
        if not found.get(name):
            raise Unreadable(f"it has no {name}")
    cseq = _CSEQ.fullmatch(found["CSeq"])
    if cseq is None or int(cseq[1]) >= 2**32:
        raise Unreadable("its CSeq is not a number and a method")
    if method and cseq[2] != method:
        raise Unreadable("its CSeq is of another method")
    headers = tuple((n, f"{int(cseq[1])} {cseq[2]}") if n == "CSeq" else (n, v) for n, v in headers)
    length = found.get("Content-Length", "")
    if length.isascii() and length.isdigit() and len(length) < 7:
        body = body[: int(length)]
    return Clean(method, uri, code, reason, headers, body)


def name_addr(value: str) -> tuple[str, str]:
    """URI and parameters of a From, To, Contact or Route (RFC 3261 20.10: without <> what follows ; is outside)."""
    quoted = _QUOTED.match(value)
    left = value.find("<", quoted.end() if quoted else 0)
    if left < 0:
        uri, semicolon, parameters = value.partition(";")
        return uri.strip(), semicolon + parameters
    right = value.find(">", left)
    if right < 0:
        raise Unreadable("an address lacks its >")
    return value[left + 1 : right].strip(), value[right + 1 :]


def split_values(value: str) -> list[str]:
    """The values of a comma-separated header; commas in quotes and <> do not count."""
    if "," not in value:
        return [value]
    values, start, at, inside = [], 0, 0, False
    while at < len(value):
        char = value[at]
        if char == '"' and (quoted := _QUOTED.match(value, at)):
            at = quoted.end()
            continue
        if char == "<":
            inside = True
        elif char == ">":
            inside = False
        elif char == "," and not inside:
            values.append(value[start:at].strip())
            start = at + 1
        at += 1
    values.append(value[start:].strip())
    return [one for one in values if one]


def _start(line: str) -> tuple[str, str, int, str]:
    response = _RESPONSE.fullmatch(line)
    if response:
        return "", "", int(response[1]), _CONTROL.sub(" ", response[2])
    parts = line.split()
    if len(parts) != 3 or parts[2].upper() != "SIP/2.0" or not _TOKEN.fullmatch(parts[0]) or len(parts[0]) > 64:
        raise Unreadable("the first line is neither a request nor a response")
    return parts[0], parts[1], 0, ""


def _headers(lines: list[str]) -> Headers:
    headers: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.strip()
        if not colon or not _TOKEN.fullmatch(name):
            continue  # a line that is no header spoils nothing
        known = _NAMES.get(name.lower())
        name = known or "-".join(part.capitalize() for part in name.split("-"))
        value = value.strip()
        if not value.isprintable():
            value = _CONTROL.sub(" ", value).strip()
        if name in _LISTS:
            headers.extend((name, one) for one in split_values(value))
        else:
            headers.append((name, value))
    return tuple(headers)


def _plain_via(value: str) -> str:
    # "SIP / 2.0 / UDP host : port ; branch = x" is legal; pyVoIP wants one blank, after the transport.
    if value.count(" ") > 1 or "\t" in value:
        value = _AROUND.sub(r"\1", value)
    sent_by, semicolon, parameters = value.partition(";")
    words = sent_by.replace(" /", "/").replace("/ ", "/").replace(" :", ":").replace(": ", ":").split()
    if len(words) != 2:
        raise Unreadable("a Via is not a transport and an address")
    return f"{words[0]} {words[1]}{semicolon}{parameters}".replace("; ", ";")
