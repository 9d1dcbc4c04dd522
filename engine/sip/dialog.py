"""Dialogs (RFC 3261 section 12): what two ends share between requests, and the requests built from it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from engine.sip import uri as uris
from engine.sip.message import Address, Headers, Message
from engine.sip.normalise import Unreadable, name_addr

MAGIC: Final = "z9hG4bK"  # RFC 3261 8.1.1.7
ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"
AGENT: Final = "Zvonar"
MAX_FORWARDS: Final = ("Max-Forwards", "70")


@dataclass(frozen=True, slots=True)
class Station:
    """How we show ourselves on a path, and where fresh tags and branches come from."""

    host: str
    port: int
    token: Callable[[], str]

    def via(self) -> str:
        """A Via of a new branch; `rport` asks for answers to where we send from (RFC 3581)."""
        return f"SIP/2.0/UDP {uris.host_port(self.host, self.port)};branch={MAGIC}{self.token()};rport"

    def contact(self, user: str) -> str:
        return f"<sip:{user + '@' if user else ''}{uris.host_port(self.host, self.port)}>"


def request(
    method: str,
    uri: str,
    *,
    via: str,
    sender: str,
    to: str,
    call_id: str,
    cseq: int,
    headers: Iterable[tuple[str, str]] = (),
    sdp: bytes = b"",
) -> Message:
    """A request of ours; `sender` and `to` are the whole values of From and To."""
    lines = [
        ("Via", via),
        MAX_FORWARDS,
        ("From", sender),
        ("To", to),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} {method}"),
        *headers,
    ]
    if sdp:
        lines.append(("Content-Type", "application/sdp"))
    return Message(
        method=method,
        uri=uri,
        code=0,
        reason="",
        headers=tuple(lines),
        body=sdp,
        call_id=call_id,
        cseq=cseq,
        from_tag=sender.rpartition(";tag=")[2],
        to_tag=to.rpartition(";tag=")[2] if ";tag=" in to else "",
        branch=branch_of(via),
    )


def branch_of(via: str) -> str:
    """The branch of a Via of ours."""
    return via.partition(";branch=")[2].partition(";")[0]


def acknowledgement(invite: Message, failure: Message) -> Message:
    """The ACK of a failed INVITE, part of its transaction (RFC 3261 17.1.1.3)."""
    return request(
        "ACK",
        invite.uri,
        via=invite.first("Via"),
        sender=invite.first("From"),
        to=failure.first("To"),
        call_id=invite.call_id,
        cseq=invite.cseq,
        headers=[("Route", route) for route in invite.all("Route")],
    )


def cancellation(invite: Message, reason: tuple[str, str]) -> Message:
    """The CANCEL of an INVITE: same branch, same destination (RFC 3261 9.1)."""
    return request(
        "CANCEL",
        invite.uri,
        via=invite.first("Via"),
        sender=invite.first("From"),
        to=invite.first("To"),
        call_id=invite.call_id,
        cseq=invite.cseq,
        headers=[*(("Route", route) for route in invite.all("Route")), reason],
    )


def q850_reason(cause: int) -> tuple[str, str]:
    """The header that tells a Q.850 cause (RFC 3326)."""
    return "Reason", f"Q.850;cause={cause}"


class Dialog:
    """One dialog: identifiers, sequence numbers, route set and remote target."""

    __slots__ = (
        "call_id",
        "confirmed",
        "local",
        "local_seq",
        "remote",
        "remote_seq",
        "remote_tag",
        "routes",
        "source",
        "target",
    )

    def __init__(self, call_id: str, local: str, remote: str, remote_tag: str, source: Address) -> None:
        self.call_id = call_id
        self.local = local  # the whole From of our requests
        self.remote = remote  # the whole To of our requests
        self.remote_tag = remote_tag
        self.source = source  # where the peer spoke from: used when it names no address that can be used
        self.local_seq = 0
        self.remote_seq = 0
        self.routes: tuple[str, ...] = ()
        self.target = ""
        self.confirmed = False

    @classmethod
    def of_response(cls, invite: Message, response: Message, source: Address) -> Dialog:
        """The caller's side (RFC 3261 12.1.2)."""
        dialog = cls(invite.call_id, invite.first("From"), response.first("To"), response.to_tag, source)
        dialog.local_seq = invite.cseq
        dialog.target = invite.uri
        dialog.refresh(response)
        return dialog

    @classmethod
    def of_request(cls, invite: Message, local_tag: str, source: Address) -> Dialog:
        """The callee's side (RFC 3261 12.1.1)."""
        local = f"{invite.first('To')};tag={local_tag}"
        dialog = cls(invite.call_id, local, invite.first("From"), invite.from_tag, source)
        dialog.remote_seq = invite.cseq
        dialog.routes = invite.record_route
        dialog.target = invite.contact or f"sip:{uris.host_port(*source)}"
        return dialog

    def refresh(self, response: Message) -> None:
        """Take the route set and the target of a (later) response to the INVITE; a 2xx has the last word."""
        routes = tuple(reversed(response.record_route))
        if routes or response.code >= 200:
            self.routes = routes
        if response.contact:
            self.target = response.contact

    def retarget(self, refresh: Message) -> None:
        """A re-INVITE or UPDATE of the peer may name a new target (RFC 3261 12.2.2)."""
        if refresh.contact:
            self.target = refresh.contact

    def request(
        self, station: Station, method: str, headers: Headers = (), *, cseq: int | None = None, sdp: bytes = b""
    ) -> tuple[Message, Address]:
        """A request in the dialog and where it goes (RFC 3261 12.2.1.1). `cseq` is for ACK, else it counts."""
        if cseq is None:
            self.local_seq += 1
            cseq = self.local_seq
        uri, routes = self.target, list(self.routes)
        hop = uris.parse(uri)
        if routes:
            first = _route_uri(routes[0])
            hop = uris.parse(first)
            if hop is not None and not hop.loose:  # a strict router of RFC 2543
                uri, routes = first, [*routes[1:], f"<{self.target}>"]
        message = request(
            method,
            uri,
            via=station.via(),
            sender=self.local,
            to=self.remote,
            call_id=self.call_id,
            cseq=cseq,
            headers=[*(("Route", route) for route in routes), *headers],
            sdp=sdp,
        )
        unusable = hop is None or hop.host in ("0.0.0.0", "invalid", "anonymous.invalid")
        return message, self.source if unusable or hop is None else hop.address


def _route_uri(route: str) -> str:
    try:
        return name_addr(route)[0]
    except Unreadable:
        return ""
