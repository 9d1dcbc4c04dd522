"""Which trunk takes a call, and when."""

import asyncio

import pytest

from engine.clock import SimulatedClock, SystemClock
from engine.config import TrunkConfig
from engine.dial import DialError
from engine.trunks import TrunkRoom, choose

A = TrunkConfig(name="a", server="192.0.2.1:5060", numbers=("74950000001",))
B = TrunkConfig(name="b", server="192.0.2.2:5060", numbers=("74950000002", "74950000003"))
OPEN = TrunkConfig(name="open", server="192.0.2.3:5060")


def test_the_trunk_that_has_the_number() -> None:
    assert choose([A, B], None, "74950000003") == (B, "74950000003")


def test_the_first_number_of_the_first_trunk() -> None:
    assert choose([B, A], None, None) == (B, "74950000002")


def test_a_trunk_without_a_list_takes_any_number() -> None:
    assert choose([A, OPEN], None, "78120000000") == (OPEN, "78120000000")


@pytest.mark.parametrize(
    ("trunks", "name", "outgoing", "told"),
    [
        ([A, B], "c", None, "there is no trunk 'c'; configured: a, b"),
        ([A, B], "a", "74950000002", "is no number of trunk 'a'"),
        ([A, B], None, "78120000000", "is no number of trunk 'a'"),
        ([OPEN], None, None, "has no numbers"),
    ],
)
def test_what_cannot_be(trunks: list[TrunkConfig], name: str | None, outgoing: str | None, told: str) -> None:
    with pytest.raises(DialError, match=told):
        choose(trunks, name, outgoing)


@pytest.mark.anyio
async def test_no_more_calls_than_the_trunk_takes() -> None:
    room = TrunkRoom(A.model_copy(update={"max_calls": 2}), SystemClock())
    await room.enter()
    await room.enter()
    assert room.free() == 0
    third, fourth = asyncio.create_task(room.enter()), asyncio.create_task(room.enter())
    await asyncio.sleep(0)
    assert not third.done()
    room.leave()
    await third
    fourth.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fourth
    room.leave()
    assert room.free() == 1


@pytest.mark.anyio
async def test_a_place_promised_to_one_who_gave_up_goes_to_the_next() -> None:
    room = TrunkRoom(A.model_copy(update={"max_calls": 1}), SystemClock())
    await room.enter()
    second, third = asyncio.create_task(room.enter()), asyncio.create_task(room.enter())
    await asyncio.sleep(0)
    room.leave()
    second.cancel()
    await asyncio.wait_for(third, 1)


@pytest.mark.anyio
async def test_starts_keep_the_pace() -> None:
    clock = SimulatedClock(0.0)
    room, starts = TrunkRoom(A.model_copy(update={"cps": 2.0}), clock), []

    async def start() -> None:
        await room.enter()
        starts.append(clock.now())

    tasks = [asyncio.create_task(start()) for _ in range(4)]
    for _ in range(8):
        for _ in range(5):
            await asyncio.sleep(0)
        clock.advance(0.25)
    await asyncio.gather(*tasks)
    assert starts == [0.0, 0.5, 1.0, 1.5]
