"""The engine whole, on the sandbox: real SIP and RTP on loopback."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.dial import Dial, DialError, Fenced
from engine.engine import Engine
from engine.media.plane import NoPorts

pytestmark = pytest.mark.anyio
SCRIPT = Path(__file__).parents[2] / "configs/scripts/appointment/appointment.yaml"


@asynccontextmanager
async def engine(calls: int = 4) -> AsyncIterator[Engine]:
    """An engine that must have nothing open in the end."""
    async with Engine.open(calls=calls) as opened:
        yield opened
        for _ in range(100):
            if not any(opened.census().values()):
                break
            await asyncio.sleep(0.02)
        assert not any(opened.census().values()), opened.census()


async def test_garbage_on_the_sip_port_changes_nothing() -> None:
    chance = random.Random(5)
    heads = (b"INVITE sip:x SIP/2.0\r\n", b"SIP/2.0 200 OK\r\n", b"BYE x\r\n\r\n", b"\r\n\r\n", b"")
    async with engine() as one:
        call = await one.dial(Dial("79990000001", SCRIPT))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(100):
                for _ in range(20):
                    stranger.sendto(chance.choice(heads) + chance.randbytes(chance.randrange(400)), one.sip_address)
                await asyncio.sleep(0.01)
        result = await call.result()
    assert (result["disposition"], result["answers"]) == ("answered", ["1"])


async def test_a_fence_that_does_not_open_calls_nobody() -> None:
    asked = []

    async def closed() -> bool:
        asked.append(1)
        return False

    async with engine() as one:
        with pytest.raises(Fenced):
            await one.dial(Dial("79990000001", SCRIPT), fence=closed)
        assert asked == [1]


async def test_a_fence_that_breaks_calls_nobody() -> None:
    async def broken() -> bool:
        raise OSError("the database is gone")

    async with engine() as one:
        with pytest.raises(OSError, match="database"):
            await one.dial(Dial("79990000001", SCRIPT), fence=broken)


async def test_no_more_calls_than_there_are_ports() -> None:
    async with engine(calls=1) as one:  # a port for the call, and one for the subscriber of the sandbox
        assert one.room("sandbox") == 1
        ringing = [await one.dial(Dial("79990000004", SCRIPT)) for _ in range(2)]
        assert one.room("sandbox") == 0
        with pytest.raises(DialError, match="no RTP port"):
            await one.dial(Dial("79990000004", SCRIPT))
        for call in ringing:
            call.hangup()
        assert [(await call.result())["disposition"] for call in ringing] == ["cancelled", "cancelled"]


async def test_closing_the_engine_ends_what_goes_on() -> None:
    async with Engine.open(calls=2) as one:
        call = await one.dial(Dial("79990000006", SCRIPT))
        async for fact in call:
            if fact["type"] == "prompt_started":
                break
    assert (await call.result())["ended_by"] == "us"


async def test_facts_are_told_to_any_number_of_listeners() -> None:
    async with engine() as one:
        call = await one.dial(Dial("79990000003", SCRIPT))

        async def listen() -> list[str]:
            return [fact["type"] async for fact in call]

        first, second = await asyncio.gather(listen(), listen())
        late = await listen()
    assert first == second == late
    assert first[-1] == "ended"


async def test_a_recording_that_cannot_be_calls_nobody(tmp_path: Path) -> None:
    async with engine(calls=1) as one:
        for path, told in ((tmp_path / "call.mp3", r"\.wav or \.ogg"), (tmp_path / "none" / "call.wav", "no folder")):
            with pytest.raises(DialError, match=told):
                await one.dial(Dial("79990000001", SCRIPT, record_to=path))


async def test_the_media_process_dies() -> None:
    """Its calls end at once, with BYE; who dials in the gap waits for the next one, and is connected."""
    async with engine() as one:
        call = await one.dial(Dial("79990000006", SCRIPT))
        async for fact in call:
            if fact["type"] == "prompt_started":
                break
        os.kill(one._plane.pid, signal.SIGKILL)
        result = await call.result()
        assert (result["disposition"], result["reason"]) == ("internal_error", "the media process died")
        assert result["media"] is None
        with pytest.raises(NoPorts, match="starting"):
            await one._plane.wait(0)
        call = await one.dial(Dial("79990000001", SCRIPT))
        result = await call.result()
    assert (result["disposition"], result["answers"]) == ("answered", ["1"])
    assert result["media"]["received"] > 50
