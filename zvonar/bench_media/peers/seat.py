"""What each peer's process needs of the bench: room for its sockets, and a line to speak on."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Mapping
from typing import Any


def raise_limit() -> None:
    """As many open files as the system grants."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def say(message: Mapping[str, Any]) -> None:
    """A line of JSON to the bench."""
    os.write(1, json.dumps(message).encode() + b"\n")
