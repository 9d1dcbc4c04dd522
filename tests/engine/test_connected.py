"""Callees of the sandbox connected to managers of the sandbox: the engine whole, both legs over real SIP and RTP."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.dial import Dial
from engine.engine import Engine
from engine.journal import replay
from engine.ongoing import OngoingCall
from ivr.model import Block, Pause, Script, Transfer

pytestmark = pytest.mark.anyio
NUMBER = "79990000"


def connecting(*managers: str, ring_ms: int = 20_000) -> Script:
    """Connects to the first who answers, and says half a second of nothing when that manager has hung up."""
    to = tuple(NUMBER + manager for manager in managers)
    blocks = (
        Block("sales", (Pause(100),), on=(("ended", "after"),), transfer=Transfer(to, ring_ms=ring_ms)),
        Block("after", (Pause(500),)),
    )
    return Script("sales", "sales", blocks)


class Case(NamedTuple):
    """A callee, the managers, and what comes of it."""

    callee: str
    managers: tuple[str, ...]
    ended_by: str
    status: str
    told: tuple[str, ...]  # what is told of the managers, in order
    ring_ms: int = 20_000


CASES = [
    Case("006", ("016", "007"), "us", "answered", ("started", "failed", "started", "ringing", "answered", "ended")),
    Case("006", ("005", "010"), "us", "unallocated", ("started", "ringing", "failed", "started", "failed")),
    Case("006", ("004",), "us", "no_answer", ("started", "ringing", "failed"), ring_ms=1000),
    Case("007", ("004",), "callee", "cancelled", ("started", "ringing", "failed")),
    Case("007", ("006",), "callee", "answered", ("started", "ringing", "answered", "ended")),
]


async def _settled(engine: Engine) -> None:
    for _ in range(100):
        if not any(engine.census().values()):
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"left behind: {engine.census()}")


async def _until(call: OngoingCall, kind: str) -> dict[str, Any]:
    async for fact in call:
        if fact["type"] == kind:
            return fact
    pytest.fail(f"{kind} was not told")


async def test_what_can_become_of_a_transfer(tmp_path: Path) -> None:
    async with Engine.open(calls=16) as engine:

        async def place(number: int, case: Case) -> list[dict[str, Any]]:
            script = connecting(*case.managers, ring_ms=case.ring_ms)
            journal = tmp_path / f"{number}.jsonl"
            call = await engine.dial(Dial(NUMBER + case.callee, script, journal=journal))
            return [fact async for fact in call]

        async def hang_up() -> dict[str, Any]:
            call = await engine.dial(Dial(NUMBER + "006", connecting("006")))
            await _until(call, "transfer_answered")
            call.hangup()
            return await call.result()

        async def at_the_same_instant() -> dict[str, Any]:
            """The callee hangs up 1.5 s after the answer, and 1.4 s after the INVITE the manager answers: or not."""
            call = await engine.dial(Dial(NUMBER + "007", connecting("015")))
            return await call.result()

        *outcomes, hung_up, crossed = await asyncio.gather(
            *(place(number, case) for number, case in enumerate(CASES)), hang_up(), at_the_same_instant()
        )
        await _settled(engine)

    for number, (case, facts) in enumerate(zip(CASES, outcomes, strict=True)):
        told = tuple(fact["type"].removeprefix("transfer_") for fact in facts if fact["type"].startswith("transfer_"))
        result = facts[-1]
        assert (case.callee, told) == (case.callee, case.told)
        assert (case, result["ended_by"], result["manager"]["status"]) == (case, case.ended_by, case.status)
        assert result["disposition"] == "answered"
        again = replay(tmp_path / f"{number}.jsonl")
        assert again.whole
        assert again.difference is None
    ended = next(fact for fact in outcomes[0] if fact["type"] == "transfer_ended")
    assert ended["ended_by"] == "manager"
    assert ended["duration_ms"] == pytest.approx(1500, abs=700)
    assert outcomes[0][-1]["path"] == ["sales", "after"]
    assert [hung_up["ended_by"], hung_up["manager"]["status"]] == ["us", "answered"]
    assert crossed["ended_by"] == "callee"
    assert crossed["manager"]["status"] in ("cancelled", "answered")


async def test_a_callee_who_waits_hears_that_it_goes_on_and_costs_a_line_no_longer_than_that() -> None:
    async with Engine.open(calls=2) as engine:
        call = await engine.dial(Dial(NUMBER + "006", connecting("004")))
        await _until(call, "transfer_ringing")
        assert engine.census()["ports"] == 3  # the callee's two ends, and ours to the manager, who has not answered
        call.hangup()
        await call.result()
        await _settled(engine)


async def test_a_port_is_kept_for_the_manager_of_a_call_that_goes_on() -> None:
    async with Engine.open(calls=4) as engine:
        call = await engine.dial(Dial(NUMBER + "006", connecting("004")))
        await _until(call, "answered")  # two ports are taken, and two are kept
        assert engine.room("sandbox") == 2
        await _until(call, "transfer_ringing")  # and one of them is taken
        assert engine.room("sandbox") == 2
        call.hangup()
        await call.result()
        await _settled(engine)


async def test_no_port_for_the_manager() -> None:
    async with Engine.open(calls=1) as engine:  # two ports: both ends of the callee's leg
        call = await engine.dial(Dial(NUMBER + "006", connecting("006")))
        result = await call.result()
        assert result["manager"]["status"] == "congestion"
        assert (await _until(call, "outcome"))["outcome"] == "failed"
        await _settled(engine)


async def test_the_media_process_is_killed_in_a_talk() -> None:
    async with Engine.open(calls=2) as engine:
        call = await engine.dial(Dial(NUMBER + "006", connecting("006")))
        await _until(call, "transfer_answered")
        os.kill(engine._plane.pid, signal.SIGKILL)
        result = await call.result()
        assert (result["disposition"], result["manager"]["status"]) == ("internal_error", "answered")
        await _settled(engine)
