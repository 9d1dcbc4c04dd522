"""Zvonar places telephone calls for programs. The names for embedding:

from zvonar import Dial, Engine

async with Engine.open() as engine:
    call = await engine.dial(Dial(to="79990000001", script="appointment.yaml"))
    async for fact in call:
        print(fact)
    result = await call.result()
"""

from engine.config import Config, ConfigError
from engine.dial import Dial, DialError
from engine.engine import Engine
from engine.ongoing import OngoingCall

__all__ = ["Config", "ConfigError", "Dial", "DialError", "Engine", "OngoingCall"]
