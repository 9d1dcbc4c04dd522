"""The clients of `zvonar bench service`: plain HTTP/1.1 over sockets, as cheap as can be.

Whatever a client computes is taken from the service it measures: they share the machine.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any, NamedTuple

POLL_S = 1.0
WITHIN_S = 60.0  # an answer that takes longer is none


class BenchError(Exception):
    """The bench cannot go on; one line, for a person."""


class Answer(NamedTuple):
    """What came, and in how many ms the whole of it."""

    ms: float
    body: bytes

    @property
    def data(self) -> Any:
        """What the envelope holds."""
        return json.loads(self.body)["data"]


class Client:
    """One connection, kept open; one request at a time. `close` it."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._key = key
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, **fields: Any) -> Answer:
        """Post to `/apiCalls/METHOD`. Raises BenchError for anything but success."""
        return await self.send(method, self.body(**fields))

    def body(self, **fields: Any) -> bytes:
        """The body of such a request, made beforehand."""
        return json.dumps({"apiKey": self._key, **fields}).encode()

    async def send(self, method: str, body: bytes) -> Answer:
        """Post a body that is made already. Raises BenchError."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
        reader, writer = self._streams
        head = (
            f"POST /apiCalls/{method} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        writer.write(head.encode() + body)
        try:
            async with asyncio.timeout(WITHIN_S):
                status, length = _read_head(await reader.readuntil(b"\r\n\r\n"))
                answer = await reader.readexactly(length)
        except (TimeoutError, OSError, EOFError) as error:
            raise BenchError(f"{method}: no answer ({type(error).__name__}); the service's log says why") from error
        if status != 200:
            raise BenchError(f"{method}: answered {status}: {answer[:300].decode(errors='replace')}")
        return Answer(1000 * (time.perf_counter() - began), answer)

    def close(self) -> None:
        """No more requests."""
        if self._streams is not None:
            self._streams[1].close()


async def poll(client: Client, ids: Sequence[int], told_ms: list[float]) -> None:
    """Ask for these calls once a second, until cancelled; how long each answer took goes into `told_ms`."""
    body = client.body(apiCallIdList=list(ids))
    due = time.monotonic() + random.uniform(0, POLL_S)
    with closing(client):
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            told_ms.append((await client.send("get", body)).ms)
            due = max(due + POLL_S, time.monotonic())


def _read_head(head: bytes) -> tuple[int, int]:
    status = int(head.split(b" ", 2)[1])
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return status, int(value)
    raise BenchError("the service answers without Content-Length")
