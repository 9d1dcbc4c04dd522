"""Zvonar places telephone calls for programs. The names for embedding:

from zvonar import Dial, Engine

async with Engine.open() as engine:
    call = await engine.dial(Dial(to="79990000001", script="appointment.yaml"))
    async for fact in call:
        print(fact)
    result = await call.result()
"""

import sys

import structlog

from engine.config import Config, ConfigError
from engine.dial import Dial, DialError
from engine.engine import Engine
from engine.ongoing import OngoingCall

__all__ = ["Config", "ConfigError", "Dial", "DialError", "Engine", "OngoingCall"]

if not structlog.is_configured():  # the log of a program that embeds us and says nothing of logs: stdout is its own
    structlog.configure(
        processors=[  # plain tracebacks: others print locals, and a secret may be among them
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
