"""One call, its facts as they happen, its result. Without a configuration it goes to the sandbox."""

import asyncio
from pathlib import Path

from zvonar import Dial, Engine

SCRIPT = Path(__file__).parent.parent / "configs/scripts/appointment/appointment.yaml"


async def main() -> None:
    async with Engine.open() as engine:
        call = await engine.dial(Dial(to="79990000001", outgoing="79932432781", script=SCRIPT))
        async for fact in call:
            print(fact["type"])
        result = await call.result()
        print(result["disposition"], result["digits"], result["path"])


asyncio.run(main())
