"""What each peer's process needs of the bench: room for its sockets, and a line to speak on."""

from __future__ import annotations

import json
import os
import resource
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any


def raise_limit() -> None:
    """As many open files as the system grants."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def say(message: Mapping[str, Any]) -> None:
    """A line of JSON to the bench."""
    os.write(1, json.dumps(message).encode() + b"\n")


def free_ports() -> Iterator[int]:
    """Ports of loopback that nobody has now, outside of those that the system gives by itself."""
    for port in range(10000, 30000, 2):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            probe.close()
            yield port
