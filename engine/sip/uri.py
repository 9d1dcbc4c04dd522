"""The parts of a SIP URI that routing needs (RFC 3261 19.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from engine.sip.message import Address

SIP_PORT: Final = 5060
_URI: Final = re.compile(
    r"sips?:(?:(?P<user>[^@:;?]*)(?:[:;][^@]*)?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:;?@\[\] ]+)(?::(?P<port>\d{1,5}))?(?P<parameters>;[^?]*)?(?:\?.*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Uri:
    user: str
    host: str  # without brackets
    port: int
    loose: bool  # it bears ;lr

    @property
    def address(self) -> Address:
        return self.host, self.port


def parse(text: str) -> Uri | None:
    """A SIP URI, None for any other (tel:, or what is none)."""
    found = _URI.fullmatch(text)
    if found is None:
        return None
    port = int(found["port"] or SIP_PORT)
    if not 0 < port < 65536:
        return None
    names = {one.partition("=")[0].strip().lower() for one in (found["parameters"] or "").split(";")}
    return Uri(found["user"] or "", found["host"].strip("[]"), port, "lr" in names)


def user_of(text: str) -> str:
    """The user part of a SIP or tel URI, "" if it has none."""
    if text.lower().startswith("tel:"):
        return text[4:].partition(";")[0]
    uri = parse(text)
    return uri.user if uri else ""


def host_port(host: str, port: int, default: int | None = None) -> str:
    """As it stands in a URI or a Via; the port is left out where it is the default."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port == default else f"{shown}:{port}"
