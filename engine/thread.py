"""The engine in a thread of its own, with a loop of its own: what a service beside it does never delays a call."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

Opened = TypeVar("Opened")
Result = TypeVar("Result")


class EngineThread(Generic[Opened]):
    """Opens the engine in its thread and runs coroutines there. Its methods are for other threads."""

    def __init__(self, opener: Callable[[], AbstractAsyncContextManager[Opened]]) -> None:
        self._opener = opener
        self._thread = threading.Thread(target=self._main, name="engine", daemon=True)
        self._opened: concurrent.futures.Future[Opened] = concurrent.futures.Future()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    def start(self) -> Opened:
        """Start the thread and wait until the engine is open; raises what opening it raised (ConfigError)."""
        self._thread.start()
        return self._opened.result()

    def run(self, work: Coroutine[Any, Any, Result]) -> concurrent.futures.Future[Result]:
        """Run a coroutine in the engine's loop; RuntimeError once that has ended."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self, within_s: float = 15.0) -> bool:
        """Close the engine (running calls are hung up) and end the thread; false if that takes longer."""
        if self._thread.is_alive() and self._opened.done():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(within_s)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """The engine is open and its loop runs."""
        return self._thread.is_alive() and self._opened.done()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The engine's loop, once it is open."""
        return self._loop

    def _main(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)

    async def _live(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with self._opener() as engine:
            self._opened.set_result(engine)
            await self._stop.wait()
