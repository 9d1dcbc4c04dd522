"""The log on stderr: JSON lines, or lines for people where one looks; never a whole key, password or secret."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

FORMAT_ENV = "ZVONAR_LOG"  # "json" or "text"; without it, text on a terminal and JSON elsewhere
_KEY = re.compile(r"(?<![A-Za-z0-9])([A-Za-z0-9]{4})[A-Za-z0-9]{56}(?![A-Za-z0-9])")  # an account's apiKey
_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")
_NAMED = re.compile(r"(?i)((?:password|secret)['\"]?\s*[=:]\s*['\"]?)[^'\"\s,;&]+")
_HIDDEN_FIELDS = ("password", "secret", "api_key", "apikey", "authorization")


def hide(text: str) -> str:
    """The text without secrets: of a key its first four characters are left, so that people can tell keys apart."""
    return _NAMED.sub(r"\1...", _SECRET.sub("whsec_...", _KEY.sub(r"\1...", text)))


def configure(*, quiet: bool = False) -> None:
    """Set up the log of this process, for our own lines and for those of the libraries; `quiet`: warnings only."""
    asked = os.environ.get(FORMAT_ENV, "").lower()
    as_json = asked == "json" or (asked != "text" and not quiet and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
        structlog.processors.format_exc_info,
        _hide,
    ]
    # Behind the timestamp there is nothing left to raise, so that a log line can break nothing.
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=24)
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def _hide(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if name.lower() in _HIDDEN_FIELDS:
            event[name] = "..."
        elif isinstance(value, str):
            event[name] = hide(value)
        elif not isinstance(value, (int, float, bool, type(None))):
            event[name] = hide(str(value))
    return event
