"""A call that nobody answers: hung up by us after two rings' time, and nothing is left open."""

import asyncio
from pathlib import Path

from zvonar import Dial, Engine

SCRIPT = Path(__file__).parent.parent / "configs/scripts/appointment/appointment.yaml"


async def main() -> None:
    async with Engine.open() as engine:
        call = await engine.dial(Dial(to="79990000004", script=SCRIPT))
        async for fact in call:
            if fact["type"] == "ringing":
                call.hangup()
        print((await call.result())["disposition"], engine.census()["calls"])


asyncio.run(main())
