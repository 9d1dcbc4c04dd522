"""Limits of trunks and numbers, counted on the wire by the kernel's clock; and turns between accounts.

In any window of a second no more calls start than allowed plus one, and never more go on at once than allowed: on one
node, on two that share a store, and also when a node was stopped while calls waited for their slots.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import bookkeeping
import pytest
from chaos import Node, Orderer, account, in_threads, upload
from witness import Manner, Witness, most_within

NUMBERS = ("79932432781", "74951234567")
PLACES = {"max_calls": 9, "number_max_calls": 6}
PACE = {"cps": 20, "number_cps": 12}
Serve = Callable[[dict[str, float]], tuple[str, list[Node]]]
WAITING = int(os.environ.get("ZVONAR_WAITING", "2000"))


def _carrier(carrier: Witness, **limits: float) -> str:
    numbers = ", ".join(f'"{number}"' for number in NUMBERS)
    bounds = "".join(f"{name} = {value}\n" for name, value in limits.items())
    return f'[[trunk]]\nname = "carrier"\nserver = "127.0.0.1:{carrier.port}"\nnumbers = [{numbers}]\n{bounds}'


@pytest.fixture
def carrier() -> Iterator[Witness]:
    # Odd numbers are busy at once, even ones answer.
    with Witness(lambda number: Manner(486, 0.0) if int(number) % 2 else Manner(200, 0.0, 0.5)) as witness:
        yield witness


@pytest.fixture(params=["one node, sqlite", pytest.param("two nodes, postgresql", marks=pytest.mark.peer)])
def serve(request: pytest.FixtureRequest, tmp_path: Path, carrier: Witness) -> Iterator[Serve]:
    """`serve(limits)`: the nodes that dial for one store, and its URL."""
    with ExitStack() as stack:
        if request.param.endswith("sqlite"):
            url, count = f"sqlite:///{tmp_path}/zvonar.db", 1
        else:
            url, count = stack.enter_context(request.getfixturevalue("postgres").database()), 2

        def start(limits: dict[str, float]) -> tuple[str, list[Node]]:
            config = f'[store]\nurl = "{url}"\nfolder = "{tmp_path}"\n{_carrier(carrier, **limits)}'
            made = [
                Node(f"node{number}", tmp_path, config, ports=f"{22000 + number * 1000}-{22999 + number * 1000}")
                for number in range(count)
            ]
            for node in made:
                stack.callback(node.end)
            in_threads([node.start for node in made])
            return url, made

        yield start


def _place(url: str, folder: Path, nodes: list[Node], phones: Sequence[int], clip: bytes) -> None:
    """As many calls from each number as there are phones."""
    mine = account(url, folder, "mine", Decimal(1000))
    orderer = Orderer(nodes, 1)
    upload(orderer, mine, clip)
    for outgoing, first in zip(NUMBERS, (79990010000, 79990020000), strict=True):
        wanted = {"phones": [str(first + phone) for phone in phones], "outgoingPhone": outgoing}
        told = orderer.post("create", json={"apiKey": mine.key, "record": {"id": mine.record}, **wanted})
        assert len(told["data"]) == len(phones)
    orderer.close()


def test_never_more_at_once(serve: Serve, carrier: Witness, sound: Callable[..., bytes], tmp_path: Path) -> None:
    url, nodes = serve(PLACES)
    _place(url, tmp_path, nodes, range(80), sound(2.0))
    _until(lambda: len(carrier.invites) > 20, lambda: len(carrier.invites))
    nodes[0].freeze(1.0)
    _until(lambda: not bookkeeping.faults(url, over=True), lambda: bookkeeping.faults(url, over=True)[:10])
    assert len({invite.to for invite in carrier.invites}) == len(carrier.invites) == 160
    assert PLACES["max_calls"] / 2 < carrier.at_once <= PLACES["max_calls"]
    assert max(carrier.at_once_of.values()) <= PLACES["number_max_calls"]


def test_never_more_in_a_second(serve: Serve, carrier: Witness, sound: Callable[..., bytes], tmp_path: Path) -> None:
    url, nodes = serve(PACE)
    _place(url, tmp_path, nodes, range(1, 161, 2), sound(2.0))
    for count in (30, 60, 100):
        _until(lambda count=count: len(carrier.invites) > count, lambda: len(carrier.invites))  # type: ignore[misc]
        nodes[0].freeze(1.0)  # its calls that waited for their slots are late then
    _until(lambda: not bookkeeping.faults(url, over=True), lambda: bookkeeping.faults(url, over=True)[:10])
    invites = carrier.invites
    assert len({invite.to for invite in invites}) == len(invites) == 160
    assert most_within([invite.at for invite in invites]) <= PACE["cps"] + 1
    for number in NUMBERS:
        assert most_within([invite.at for invite in invites if invite.sender == number]) <= PACE["number_cps"] + 1
    took_s = invites[-1].at - invites[0].at
    assert took_s < 3 * len(invites) / PACE["cps"] + 3, "the pace is kept by hardly calling at all"


def test_one_call_beside_thousands(
    tmp_path: Path, carrier: Witness, sound: Callable[..., bytes], tell: Callable[[str], None]
) -> None:
    """A slow trunk, and an account that has filled the queue: the single call of another is next."""
    url = f"sqlite:///{tmp_path}/zvonar.db"
    greedy, modest = account(url, tmp_path, "greedy", Decimal(1_000_000)), account(url, tmp_path, "modest", Decimal(10))
    node = Node("node", tmp_path, f'[store]\nurl = "{url}"\n{_carrier(carrier, cps=4)}')
    node.start()
    try:
        orderer = Orderer([node], 1)
        for one in (greedy, modest):
            upload(orderer, one, sound(0.2))
        for first in range(0, WAITING, 5000):
            phones = [f"7999{number:07}" for number in range(first, min(WAITING, first + 5000))]
            wanted = {"phones": phones, "outgoingPhone": NUMBERS[0], "record": {"id": greedy.record}}
            assert len(orderer.post("create", json={"apiKey": greedy.key, **wanted})["data"]) == len(phones)
        _until(lambda: len(carrier.invites) > 3, lambda: len(carrier.invites))
        for number in range(3):
            before, phone = len(carrier.invites), f"7912000000{number}"
            wanted = {"phone": phone, "outgoingPhone": NUMBERS[0], "record": {"id": modest.record}}
            began = time.time()
            orderer.post("create", json={"apiKey": modest.key, **wanted})
            _until(lambda phone=phone: carrier.of(phone), lambda: len(carrier.invites))  # type: ignore[misc]
            place = carrier.invites.index(carrier.of(phone)[0]) - before
            tell(f"limits: beside {WAITING} calls of another the call was number {place + 1}, "
                 f"{carrier.of(phone)[0].at - began:.2f} s")  # fmt: skip
            assert place <= 6  # those that had their slots within the second that is claimed ahead, and its own
        orderer.close()
    finally:
        node.end()


def _until(condition: Callable[[], Any], told: Callable[[], Any], within_s: float = 40.0) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, told()
        time.sleep(0.05)
