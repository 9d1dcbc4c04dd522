"""Several calls at once, and how each of them ended."""

import asyncio
from pathlib import Path

from zvonar import Dial, Engine

SCRIPT = Path(__file__).parent.parent / "configs/scripts/appointment/appointment.yaml"
NUMBERS = ("79990000001", "79990000003", "79990000010", "79990000011")


async def main() -> None:
    async with Engine.open() as engine:
        calls = [await engine.dial(Dial(to=number, script=SCRIPT)) for number in NUMBERS]
        for result in await asyncio.gather(*(call.result() for call in calls)):
            print(result["to"], result["disposition"], result["sip_code"], result["hangup_cause"])


asyncio.run(main())
