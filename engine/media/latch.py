"""Whose RTP is the far end's? Symmetric RTP (RFC 4961) with a guard against strangers. Pure.

The address of the SDP is taken at its first valid packet. Another port of that host, or a host of the networks that the
trunk allows, must send two packets in sequence first (RFC 3550, appendix A.1: probation), which no random packets do.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from engine.media.rtp import Packet

Address = tuple[str, int]

SHUNNED_PACKETS: Final = 50  # a second of them: then it is no remnant, but the far end as before


class Latch:
    """Waits for the far end of one remote. ValueError if its host is no IP address."""

    def __init__(self, host: str, port: int, networks: Sequence[str], shunned: Address | None = None) -> None:
        self._address = (str(ip_address(host)), port)
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(text, strict=False) for text in networks]
        self._shunned = shunned  # the far end before this one: its last packets are on their way
        self._shuns_left = SHUNNED_PACKETS
        self._on_probation: tuple[Address, int, int] | None = None

    def admits(self, source: Address, packet: Packet) -> bool:
        """This valid packet proves that its source is the far end."""
        if source == self._address:
            return True
        if not self._allowed(source[0]) or self._late(source):
            return False
        proof = (source, packet.ssrc, packet.sequence)
        proven = proof == self._on_probation
        self._on_probation = (source, packet.ssrc, (packet.sequence + 1) & 0xFFFF)
        return proven

    def _late(self, source: Address) -> bool:
        if source != self._shunned or self._shuns_left == 0:
            return False
        self._shuns_left -= 1
        return True

    def _allowed(self, host: str) -> bool:
        if host == self._address[0]:
            return True
        if not self._networks:
            return False
        address = ip_address(host.partition("%")[0])
        return any(address in network for network in self._networks)
