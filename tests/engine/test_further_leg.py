"""The place and the slot of a further leg."""

from __future__ import annotations

import asyncio

import pytest

from engine.clock import SystemClock
from engine.config import TrunkConfig
from engine.further_leg import FurtherLeg
from engine.media import wire
from engine.media.plane import MediaSlot, NoPorts
from engine.orders import LegOpened, LegRefused
from engine.trunks import TrunkRoom

pytestmark = pytest.mark.anyio


class Slot(MediaSlot):
    """A slot that keeps what it is told."""

    def __init__(self) -> None:
        self.port = 20002
        self.told: list[object] = []

    def send(self, command: wire.Command) -> None:
        self.told.append(command)


def room(**limits: object) -> TrunkRoom:
    trunk = TrunkConfig(name="t", server="192.0.2.1:5060", numbers=("74950000001",))
    return TrunkRoom(trunk.model_copy(update=limits), SystemClock())


async def test_it_has_a_place_and_a_slot_until_it_is_released() -> None:
    trunk, slot, said = room(max_calls=1), Slot(), list[object]()
    leg = FurtherLeg(trunk, lambda: slot, 7, said.append)
    assert leg.waits
    await asyncio.sleep(0)
    assert said == [LegOpened(20002, 7)]
    assert trunk.free() == 0
    leg.release()
    leg.release()
    assert trunk.free() == 1
    assert slot.told[0] == wire.Close()


async def test_a_callee_who_waits_comes_before_calls_that_have_not_begun() -> None:
    trunk, said = room(max_calls=1), list[object]()
    await trunk.enter()
    later = asyncio.create_task(trunk.enter())
    await asyncio.sleep(0)
    leg = FurtherLeg(trunk, Slot, 7, said.append)
    await asyncio.sleep(0)
    trunk.leave()
    await asyncio.sleep(0.01)
    assert said
    assert not later.done()
    leg.release()
    await later
    trunk.leave()


@pytest.mark.parametrize("limits", [{"max_calls": 1}, {"cps": 0.001}])
async def test_released_while_it_waits_it_takes_nothing(limits: dict[str, object]) -> None:
    trunk, said = room(**limits), list[object]()
    await trunk.enter()
    leg = FurtherLeg(trunk, Slot, 7, said.append)
    await asyncio.sleep(0)
    leg.release()
    await asyncio.sleep(0.01)
    assert not leg.waits
    trunk.leave()
    assert said == []
    assert trunk._taken == 0


async def test_no_port_is_free() -> None:
    def none() -> MediaSlot:
        raise NoPorts("all 4 RTP ports are in use")

    trunk, said = room(max_calls=1), list[LegOpened | LegRefused]()
    leg = FurtherLeg(trunk, none, 7, said.append)
    await asyncio.sleep(0)
    assert isinstance(said[0], LegRefused)
    assert "all 4 RTP ports" in said[0].why
    leg.release()
    assert trunk.free() == 1
