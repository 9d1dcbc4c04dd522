"""Where webhooks may go: never to an address inside our own network, unless the configuration allows it.

The name is resolved once, and the connection goes to the address that was checked: a name that says something else a
moment later gains nothing. The one exception is a receiver of our own (`own_receivers`).
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore2
import httpx2

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
EVERYWHERE = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits


def own_receivers(public_url: str | None, listen: str) -> re.Pattern[str]:
    """The addresses of our own receivers (`/receive/TOKEN`), which may lie inside.

    Nothing else on that host, and in no other spelling: what is posted there is answered by `api.receiving` alone.
    """
    ours = [base.rstrip("/") for base in (public_url, f"http://{listen}") if base]
    return re.compile(f"(?:{'|'.join(map(re.escape, ours))})/receive/[A-Za-z0-9_-]{{20,64}}")


class InnerAddress(httpcore2.ConnectError):
    """The receiver's name leads into our own network."""


def allowed(text: str, networks: Iterable[Network]) -> bool:
    """Whether a webhook may be sent to this address."""
    address = _meant(ipaddress.ip_address(text.partition("%")[0]))
    if any(address.version == network.version and address in network for network in networks):
        return True
    return address.is_global and not address.is_multicast


def _meant(address: Address) -> Address:
    """The address in the end: IPv6 has several ways to carry one of IPv4."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address.sixtofour:
            return address.sixtofour
        if address.teredo:
            return address.teredo[1]
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


class GuardedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to what is allowed, and to nothing else."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = tuple(networks)
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore2's
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"{host} cannot be resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"{host} cannot be resolved") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        open_ones = [address for address in addresses if allowed(address, self._networks)]
        if not open_ones:
            raise InnerAddress(f"{host} leads to an inside address; `[webhook] allow_networks` can open some")
        failed: Exception | None = None
        for address in open_ones:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        assert failed is not None
        raise failed

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore2's
        socket_options: Any = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise InnerAddress("webhooks go over the network")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class GuardedTransport(httpx2.AsyncHTTPTransport):
    """httpx2's transport over the guarded network; no proxy stands between."""

    def __init__(self, networks: Sequence[Network], connections: int) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=connections,
            max_keepalive_connections=connections // 4,
            keepalive_expiry=5.0,
            network_backend=GuardedNetwork(networks),
        )
