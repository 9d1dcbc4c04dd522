"""Names of servers, resolved off the loop and remembered for a while."""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
from typing import Final

from engine.clock import Clock

REMEMBERED_S: Final = 60.0  # getaddrinfo does not tell the record's own time to live


@functools.lru_cache(maxsize=1024)
def literal(host: str) -> bool:
    """It is an IP address and needs no resolving."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Resolver:
    """Host names to IPv4 (or, with `family`, IPv6) addresses. One per loop."""

    def __init__(self, clock: Clock, family: socket.AddressFamily = socket.AF_INET) -> None:
        self._clock = clock
        self._family = family
        self._known: dict[str, tuple[float, str]] = {}
        self._asked: dict[str, asyncio.Task[str]] = {}

    def known(self, host: str) -> str | None:
        """The address if no question is needed, else None."""
        if literal(host):
            return host
        until, address = self._known.get(host, (0.0, ""))
        return address if until > self._clock.now() else None

    async def resolve(self, host: str) -> str:
        """The first address of a name. Raises OSError, whose text says what is wrong."""
        if (address := self.known(host)) is not None:
            return address
        if host not in self._asked:
            self._asked[host] = asyncio.get_running_loop().create_task(self._ask(host))
        return await asyncio.shield(self._asked[host])

    async def _ask(self, host: str) -> str:
        try:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, None, family=self._family, type=socket.SOCK_DGRAM)
            address = str(found[0][4][0])
        except UnicodeError as error:  # a label that no name may have
            raise OSError(f"{host!r} is no host name") from error
        finally:
            self._asked.pop(host, None)
        self._known[host] = (self._clock.now() + REMEMBERED_S, address)
        return address


def route_host(towards: str) -> str | None:
    """Our own address as the host `towards` (an IP address) sees it; None without a route. Sends nothing."""
    family = socket.AF_INET6 if ":" in towards else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((towards, 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])
