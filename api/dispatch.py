"""The runner of the dial queue: claims as many calls as the engine can take now, and sees each to its end.

Runs in the engine's loop. The database is reached in threads of its own, so that no call ever waits for it.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import structlog

from api import numbers
from api.dialing import Dialing
from api.hub import Hub
from api.metrics import Metrics
from api.node import Node
from api.recordings import Recordings
from api.script_store import ScriptStore
from api.shielded import to_its_end
from api.store import claims, nodes, queue
from api.store.claims import Claim, Claimed, Limits
from api.store.database import Database
from api.tariff import Tariff
from engine.config import TrunkConfig
from engine.dial import Dial
from engine.ongoing import OngoingCall
from engine.trunks import TrunkState

POLL_S = 0.5  # for calls whose time has come, and for the pace of the trunks
BATCH = 200  # claimed in one transaction
_THREADS = 4
_Result = TypeVar("_Result")

_log = structlog.get_logger("zvonar.queue")


class Dialer(Protocol):
    """What is used of `engine.engine.Engine`."""

    @property
    def trunks(self) -> Sequence[TrunkConfig]: ...

    @property
    def registrations(self) -> Mapping[str, TrunkState]: ...

    @property
    def busy(self) -> float: ...

    def room(self, trunk: str) -> int: ...

    def census(self) -> dict[str, int]: ...

    async def dial(self, dial: Dial, fence: Callable[[], Awaitable[bool]] | None = None) -> OngoingCall: ...


class Dispatcher:
    """Owns the calls of this node from the claim to the result."""

    def __init__(
        self,
        engine: Dialer,
        database: Database,
        node: Node,
        hub: Hub,
        scripts: ScriptStore,
        recordings: Recordings,
        *,
        tariff: Tariff,
        metrics: Metrics,
        journals: Path | None,
        now: Callable[[], float],
        told: Callable[[], None],
    ) -> None:
        self.engine = engine
        self.database = database
        self.node = node
        self.hub = hub
        self.scripts = scripts
        self.recordings = recordings
        self.tariff = tariff
        self.metrics = metrics
        self.journals = journals
        self.now = now
        self.told = told  # a webhook was queued
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="queue")
        self._calls: dict[asyncio.Task[None], Dialing] = {}
        self._starting: Counter[str] = Counter()  # claimed, and not in the engine's own count yet
        self._claiming: asyncio.Task[None] | None = None
        self._beating: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._unsure = False  # a claim broke, and may have been committed all the same

    def start(self) -> None:
        """Begin to claim and to beat."""
        self._claiming = asyncio.create_task(self._claim_on())
        self._beating = asyncio.create_task(self._beat_on())

    def wake(self) -> None:
        """Something was queued; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._event.set)
        except RuntimeError:
            _log.debug("woken_after_the_end")

    def hurry(self) -> None:
        """Do not wait any longer for calls to end by themselves; from the engine's loop."""
        self._hurry.set()

    async def stop(self, drain_s: float, within_s: float) -> None:
        """Claim no more; let what goes on end by itself for so long, then hang it up and write its results.

        What takes longer even then is left as interrupted.
        """
        await _end(self._claiming)
        for dialing in self._calls.values():
            dialing.call_off()
        if self._calls:
            _log.info("draining", calls=len(self._calls), within_s=drain_s)
            await self._calls_end(drain_s)
        for dialing in self._calls.values():
            dialing.hangup()
        if self._calls:
            await asyncio.wait(list(self._calls), timeout=within_s)
        for task in list(self._calls):
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await _end(self._beating)
        try:
            await self.in_thread(self.node.let_calls_go)
        except Exception:
            _log.exception("node_cannot_let_go")
        self._threads.shutdown(wait=False)

    async def _calls_end(self, within_s: float) -> None:
        hurried = asyncio.create_task(self._hurry.wait())
        until = self.now() + within_s
        while self._calls and not self._hurry.is_set() and (left := until - self.now()) > 0:
            await asyncio.wait([*self._calls, hurried], timeout=left, return_when=asyncio.FIRST_COMPLETED)
        await _end(hurried)

    async def in_thread(self, work: Callable[..., _Result], *arguments: Any) -> _Result:
        """Do what blocks, elsewhere."""
        context = contextvars.copy_context()  # what is logged there says of which call
        return await to_its_end(self._loop.run_in_executor(self._threads, lambda: context.run(work, *arguments)))

    def entered(self, trunk: str) -> None:
        """The engine counts a call itself from now on."""
        self._starting[trunk] -= 1

    async def _claim_on(self) -> None:
        while True:
            self._event.clear()
            try:
                more = await self._claim()
            except Exception:
                _log.exception("queue_cannot_be_read")
                more, self._unsure = False, True
            if not more:
                try:
                    async with asyncio.timeout(POLL_S):
                        await self._event.wait()
                except TimeoutError:
                    pass

    async def _claim(self) -> bool:
        """Claim for each trunk what it has room for; true if there may be more at once."""
        if self._unsure:
            await self.in_thread(self._let_go, [dialing.call_id for dialing in self._calls.values()])
            self._unsure = False
        more = False
        for trunk in self.engine.trunks:
            room = min(self.engine.room(trunk.name) - self._starting[trunk.name], BATCH)
            if room <= 0 or not self.node.alive:
                continue
            limits = Limits.of(trunk, numbers.of_trunk(trunk))
            claim = await self.in_thread(self._claim_in_thread, limits, room)
            for call in claim.calls:
                self._begin(call, limits)
            more = more or claim.more
        return more

    def _claim_in_thread(self, limits: Limits, room: int) -> Claim:
        now = self.now()
        with self.database.read() as db:
            if not claims.waiting(db, limits.numbers, now):
                return Claim([], more=False)
        with self.database.write() as db:
            return claims.claim(db, self.node.id, limits, room, now)

    def _let_go(self, known: Sequence[int]) -> None:
        with self.database.write() as db:
            queue.release(db, self.node.id, self.now(), keep=known)

    def _begin(self, claimed: Claimed, limits: Limits) -> None:
        dialing = Dialing(self, claimed, limits)
        self._starting[limits.trunk] += 1
        task = asyncio.create_task(dialing.run(), name=f"call {claimed.api_call_id}")
        self._calls[task] = dialing
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        del self._calls[task]
        if not task.cancelled() and task.exception():
            _log.error("dialing_broke", task=task.get_name(), exc_info=task.exception())
        self._event.set()

    async def _beat_on(self) -> None:
        while True:
            try:
                lives = await self.in_thread(self.node.beat)
                if await self.in_thread(self.node.sweep):
                    self.told()
            except Exception:
                _log.exception("node_cannot_beat")
                lives = self.node.alive
            if not lives:
                _log.error("node_was_taken_for_dead", calls=len(self._calls))
                for dialing in self._calls.values():
                    dialing.hangup()
            await asyncio.sleep(nodes.BEAT_S)


async def _end(task: asyncio.Task[Any] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
