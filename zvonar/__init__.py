"""Zvonar places telephone calls for programs. The names for embedding:

from zvonar import Dial, Engine

async with Engine.open() as engine:
    call = await engine.dial(Dial(to="79990000001", script="appointment.yaml"))
    async for fact in call:
        print(fact)
    result = await call.result()
"""

import logging
import sys

import structlog

from engine.config import Config, ConfigError
from engine.dial import Dial, DialError
from engine.engine import Engine
from engine.ongoing import OngoingCall

__all__ = ["Config", "ConfigError", "Dial", "DialError", "Engine", "OngoingCall"]

if not structlog.is_configured():  # a program that embeds us and says nothing of logs gets warnings, on stderr
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
