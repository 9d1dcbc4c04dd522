"""Where webhooks may go."""

from __future__ import annotations

import ipaddress
from typing import Any

import httpcore2
import pytest

from api.guard import LOOPBACK, GuardedNetwork, InnerAddress, allowed


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.5.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "ff02::1",
        "::",
    ],
)
def test_inside(address: str) -> None:
    assert not allowed(address, [])


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "64:ff9b::808:808"])
def test_outside(address: str) -> None:
    assert allowed(address, [])


def test_what_the_configuration_opens() -> None:
    networks = [ipaddress.ip_network("10.1.0.0/16")]
    assert allowed("10.1.2.3", networks)
    assert allowed("::ffff:10.1.2.3", networks)
    assert not allowed("10.2.0.1", networks)
    assert allowed("127.0.0.1", LOOPBACK)
    assert allowed("::1", LOOPBACK)


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "::1"])
async def test_names_that_lead_inside(host: str) -> None:
    with pytest.raises((InnerAddress, httpcore2.ConnectError)):
        await GuardedNetwork([]).connect_tcp(host, 80, timeout=2)


@pytest.mark.anyio
async def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is resolved again, elsewhere, gains nothing: there is no second look."""
    network = GuardedNetwork(LOOPBACK)
    connected: list[Any] = []

    async def connect(host: str, *arguments: Any) -> Any:
        connected.append(host)
        return None

    monkeypatch.setattr(network._inner, "connect_tcp", connect)
    await network.connect_tcp("localhost", 80)
    assert connected
    assert ipaddress.ip_address(connected[0]).is_loopback
