"""Session descriptions (RFC 8866, formerly 4566) by the offer/answer model (RFC 3264): audio in G.711 only.

Bytes in, bytes out, pure. pyVoIP's dictionary keeps one set of attributes for a whole session, so each media
description is read as a session of its own; what a line says at media level then wins by coming last.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from engine.sip.message import DIRECTIONS, PROFILE, STATIC_TYPES, Unreadable, session_dictionary

Codec = Literal["pcma", "pcmu"]

PTIME_MS: Final = 20
PAYLOAD_TYPES: Final[dict[str, int]] = {"pcmu": 0, "pcma": 8}  # RFC 3551
G711_RATE: Final = 8000
EVENTS: Final = "telephone-event"  # RFC 4733
PROFILES: Final = frozenset((PROFILE, PROFILE + "F"))  # RTP/AVPF: feedback is offered, none is sent
_PTIMES_MS: Final = range(10, 61, 10)
_ATTRIBUTE: Final = re.compile(rb"a=(rtpmap|fmtp|ptime|maxptime|[a-z]+)[ \t]*(?::[ \t]*(.*))?")
_MEDIA: Final = re.compile(r"m=(\S+) +(\d{1,5})(?:/\d{1,3})? +(\S+)((?: +\S+)*) *")
_RTCP: Final = re.compile(rb"a=rtcp[ \t]*:[ \t]*(\d{1,5})(?:[ \t]+IN[ \t]+IP[46][ \t]+(\S+))?[ \t]*")
_MIRROR: Final = {(True, True): "sendrecv", (True, False): "sendonly", (False, True): "recvonly"}


class SdpError(ValueError):
    """The description is no use for a call of ours; the text says why."""


@dataclass(frozen=True, slots=True)
class Media:
    """What was agreed on. `send` and `receive` are from our point of view; held, we do not send."""

    host: str  # an IP address
    port: int
    codec: Codec
    payload_type: int
    dtmf_type: int | None  # payload type of telephone-event; None: the peer takes none
    dtmf_rate: int
    ptime_ms: int  # what the peer wants to be sent, 10 to 60
    send: bool
    receive: bool
    rtcp_host: str | None = None  # where the peer takes RTCP, if not beside its RTP (RFC 3605)
    rtcp_port: int = 0


@dataclass(frozen=True, slots=True)
class _Section:
    """An m= line and what belongs to it."""

    kind: str
    port: int
    profile: str
    formats: tuple[str, ...]
    lines: tuple[bytes, ...]


def offer(
    host: str,
    port: int,
    codecs: Sequence[str],
    *,
    session: int,
    version: int = 0,
    dtmf_type: int = 101,
    ptime_ms: int = PTIME_MS,
    direction: str = "sendrecv",
) -> bytes:
    """Our offer: the codecs in the order given, and telephone-event."""
    formats = [(PAYLOAD_TYPES[codec], f"{codec.upper()}/{G711_RATE}") for codec in codecs]
    lines = [*_head(host, session, version), "t=0 0"]
    lines += _media_lines(port, PROFILE, [*formats, (dtmf_type, f"{EVENTS}/{G711_RATE}")], dtmf_type)
    lines += [f"a=ptime:{ptime_ms}", f"a={direction}"]
    return _join(lines)


def read(sdp: bytes, codecs: Sequence[str]) -> Media:
    """The first audio that we can talk to, of an answer to our offer. Raises SdpError."""
    return _choose(sdp, codecs)[2]


def answer(
    remote_offer: bytes, host: str, port: int, codecs: Sequence[str], *, session: int, version: int = 0
) -> tuple[bytes, Media]:
    """Our answer to an offer, and what it settles. Raises SdpError when nothing in it suits us."""
    sections, chosen, media = _choose(remote_offer, codecs)
    timing = re.search(rb"(?m)^t=(\d+ +\d+)", remote_offer)  # RFC 3264 6: as in the offer
    lines = [*_head(host, session, version), f"t={timing[1].decode() if timing else '0 0'}"]
    for section in sections:
        if section is not chosen:
            lines.append(f"m={section.kind} 0 {section.profile} {' '.join(section.formats) or '0'}")
            continue
        formats = [(media.payload_type, f"{media.codec.upper()}/{G711_RATE}")]
        if media.dtmf_type is not None:
            formats.append((media.dtmf_type, f"{EVENTS}/{media.dtmf_rate}"))
        lines += _media_lines(port, section.profile, formats, media.dtmf_type)
        lines += [f"a=ptime:{media.ptime_ms}", f"a={_MIRROR.get((media.send, media.receive), 'inactive')}"]
    return _join(lines), media


def _head(host: str, session: int, version: int) -> list[str]:
    address = f"IN IP{6 if ':' in host else 4} {host}"
    return ["v=0", f"o=- {session} {version} {address}", "s=-", f"c={address}"]


def _media_lines(port: int, profile: str, formats: list[tuple[int, str]], dtmf_type: int | None) -> list[str]:
    lines = [f"m=audio {port} {profile} {' '.join(str(number) for number, _ in formats)}"]
    lines += [f"a=rtpmap:{number} {name}" for number, name in formats]
    if dtmf_type is not None:
        lines.append(f"a=fmtp:{dtmf_type} 0-15")
    return lines


def _join(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def _choose(sdp: bytes, codecs: Sequence[str]) -> tuple[list[_Section], _Section, Media]:
    session, sections = _split(sdp)
    problems: list[str] = []
    for section in sections:
        if section.kind != "audio":
            continue
        try:
            return sections, section, _media(session, section, codecs)
        except SdpError as error:
            problems.append(str(error))
    raise SdpError(problems[0] if problems else "it describes no audio")


def _split(sdp: bytes) -> tuple[list[bytes], list[_Section]]:
    session: list[bytes] = []
    sections: list[_Section] = []
    lines = session
    for raw in sdp.replace(b"\r", b"\n").split(b"\n"):
        line = raw.strip(b" \t\0")
        if line.startswith(b"m="):
            found = _MEDIA.fullmatch(line.decode("ascii", "replace"))
            if found is None:
                raise SdpError("an m= line cannot be read")
            lines = []
            formats = tuple(found[4].split())
            sections.append(_Section(found[1], int(found[2]), found[3], formats, ()))
        elif line[1:2] == b"=":
            lines.append(line)
            if sections:
                last = sections[-1]
                sections[-1] = _Section(last.kind, last.port, last.profile, last.formats, tuple(lines))
    if not sections:
        raise SdpError("it describes no media")
    return session, sections


def _media(session: list[bytes], section: _Section, codecs: Sequence[str]) -> Media:
    if section.port == 0:
        raise SdpError("the audio was refused (port 0)")
    if section.port > 65535:
        raise SdpError(f"{section.port} is no port")
    if section.profile.upper() not in PROFILES:
        raise SdpError(f"{section.profile} is not spoken here, only RTP/AVP")
    formats = " ".join(section.formats)
    lines = [b"v=0", *_wanted(session, ())]
    # pyVoIP ties an rtpmap to the m= line before it and knows no RTP/AVPF.
    lines.append(f"m=audio {section.port} {PROFILE} {formats}".encode())
    lines += _wanted(section.lines, section.formats)
    try:
        description = session_dictionary(lines)
    except Unreadable as error:
        raise SdpError(str(error)) from error
    codec, payload_type, events = _formats(description["m"][0], codecs)
    host = _host(description)
    direction = str(description.get("a", {}).get("transmit_type", "sendrecv"))
    held = host in ("0.0.0.0", "::")
    rtcp_host, rtcp_port = _rtcp(section.lines)
    return Media(
        host=host,
        port=section.port,
        codec=codec,
        payload_type=payload_type,
        dtmf_type=events[0] if events else None,
        dtmf_rate=events[1] if events else G711_RATE,
        ptime_ms=_ptime(description.get("a", {})),
        send=direction in ("sendrecv", "recvonly") and not held,
        receive=direction in ("sendrecv", "sendonly"),
        rtcp_host=rtcp_host,
        rtcp_port=rtcp_port,
    )


def _rtcp(lines: Sequence[bytes]) -> tuple[str | None, int]:
    """Where RTCP goes by `a=rtcp`; (None, 0) where there is none, or none that makes sense."""
    found = next((found for line in lines if (found := _RTCP.fullmatch(line))), None)
    if found is None or not 0 < int(found[1]) <= 65535:
        return None, 0
    host = found[2].decode("ascii", "replace") if found[2] else None
    if host is not None:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return None, 0
    return host, int(found[1])


def _wanted(lines: Sequence[bytes], formats: Sequence[str]) -> list[bytes]:
    """The lines that matter here, in the form that pyVoIP takes; an rtpmap of no format of ours is dropped."""
    kept: list[bytes] = []
    for line in lines:
        if line.startswith(b"c="):
            kept.append(b" ".join(line.split()))
            continue
        found = _ATTRIBUTE.fullmatch(line)
        if found is None:
            continue
        name, value = found[1], b" ".join((found[2] or b"").split())
        if name in (b"rtpmap", b"fmtp"):
            number = value.partition(b" ")[0].decode("ascii", "replace")
            if number in formats and value.isascii() and b" " in value:
                kept.append(b"a=" + name + b":" + value)
        elif name in (b"ptime", b"maxptime"):
            kept.append(b"a=" + name + b":" + (value if value.isascii() else b""))
        elif name.decode() in DIRECTIONS:
            kept.append(b"a=" + name)
    return kept


def _formats(media: dict[str, Any], codecs: Sequence[str]) -> tuple[Codec, int, tuple[int, int] | None]:
    chosen: tuple[Codec, int] | None = None
    events: list[tuple[int, int]] = []
    for text in media["methods"]:
        if not text.isdigit() or int(text) > 127:
            continue
        number = int(text)
        name, rate = STATIC_TYPES.get(number, ("", 0))
        rtpmap = media["attributes"].get(text, {}).get("rtpmap")
        if rtpmap:
            name = rtpmap["name"]
            rate = int(rtpmap["frequency"]) if rtpmap["frequency"].isdigit() else 0
        name = name.lower()
        if name == EVENTS and rate > 0:
            events.append((number, rate))
        elif chosen is None and rate == G711_RATE and name in codecs:
            chosen = ("pcma" if name == "pcma" else "pcmu", number)
    if chosen is None:
        raise SdpError(f"it has none of the codecs {', '.join(codecs)}")
    # RFC 4733 2.1: the events of the codec's own clock rate.
    event = next((one for one in events if one[1] == G711_RATE), events[0] if events else None)
    return *chosen, event


def _host(description: dict[str, Any]) -> str:
    connections = description.get("c")
    if not connections:
        raise SdpError("it says no address (c=)")
    host = str(connections[-1]["address"])
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise SdpError("its address (c=) is no IP address") from None
    return host


def _ptime(attributes: dict[str, Any]) -> int:
    def number(name: str) -> int:
        text = str(attributes.get(name) or "").partition(".")[0].strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0

    wanted, most = number("ptime"), number("maxptime")
    ptime = wanted if wanted in _PTIMES_MS else PTIME_MS
    return max(10, min(ptime, most // 10 * 10)) if most else ptime
