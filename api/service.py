"""The service behind the HTTP: the store, the engine in its thread, the dial queue, the webhooks, started in order."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from typing import Any

import structlog

from api import numbers
from api.clips import ClipStore
from api.delivery import Deliverer
from api.dispatch import Dialer, Dispatcher
from api.guard import LOOPBACK, own_receivers
from api.hub import Hub
from api.messages import Message
from api.metrics import Metrics
from api.node import Node
from api.overview import Overview
from api.recordings import Recordings
from api.refusal_counts import RefusalCounts
from api.script_store import ScriptStore
from api.speech import Speech
from api.store import accounts, outbox, queue, recordings
from api.store.database import Database
from api.store.wakeup import CALLS, Listener
from api.tariff import Tariff
from engine.clips.cache import ClipCache
from engine.clips.upload import Limits
from engine.clock import SystemClock
from engine.config import Config, TrunkConfig
from engine.engine import Engine
from engine.speech.speaker import Speaker
from engine.thread import EngineThread

CALLS_END_WITHIN_S = 8.0  # once they are hung up
WEBHOOKS_END_WITHIN_S = 2.0
_ANSWER_WITHIN_S = 2.0

_log = structlog.get_logger("zvonar.service")


def records_folder(database: Database) -> Path:
    """Where the files of records lie."""
    return database.folder / "records"


Opener = Callable[[Config], AbstractAsyncContextManager[Dialer]]


class Service:
    """Made and started once a process. `start` and `stop` run in the loop that serves HTTP."""

    def __init__(self, config: Config, opener: Opener = Engine.open) -> None:
        self.database = Database(config.store.url, config.store.folder, config.store.secret_file)
        folder = self.database.folder
        if config.store.clips is None:
            # The engine converts into the same folder, so an upload that was checked is converted already.
            store = config.store.model_copy(update={"clips": folder / "clips"})
            config = config.model_copy(update={"store": store})
        assert config.store.clips is not None
        self.config = config
        limits = Limits(config.clips.max_mb << 20, config.clips.max_s)
        self.clips = ClipStore(records_folder(self.database), ClipCache(config.store.clips, limits.max_s), limits)
        self.tariff = Tariff.of(config.tariff)
        self.speech = Speech(Speaker(config.speech, config.store.clips / "spoken"), self.clips, self.tariff)
        self.recordings = Recordings(config.recording, config.api, self.database)
        self.hub = Hub()
        self.metrics = Metrics()
        self.refusals = RefusalCounts(self.database)
        self.now: Callable[[], float]
        self.overview: Overview
        self.trunks: list[TrunkConfig] = []
        self._thread: EngineThread[Dialer] = EngineThread(lambda: opener(config))
        self._engine: Dialer
        self._dispatcher: Dispatcher | None = None
        self._deliverer: Deliverer | None = None
        self._node: Node | None = None
        self._listener: Listener | None = None
        self._counting: asyncio.Task[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._draining: Dispatcher | None = None
        self._ending = False
        self._held = ExitStack()

    async def start(self) -> None:
        """Bring the tables up to date, open the engine, take over what a dead process left. Raises ConfigError."""
        self._held.enter_context(self.database.held())
        await asyncio.to_thread(self.database.prepare)
        self._engine = await asyncio.to_thread(self._thread.start)
        self.trunks = list(self._engine.trunks)
        self.now = SystemClock(self._thread.loop).now
        node = self._node = await asyncio.to_thread(
            Node, self.database, self.now, self.recordings, lambda: self._engine.registrations
        )
        self.overview = Overview(self.database, self.now)
        await asyncio.to_thread(node.sweep)
        await asyncio.to_thread(self._look_for_strays)
        networks = [ipaddress.ip_network(text, strict=False) for text in self.config.webhook.allow_networks]
        if self.config.sandboxed:
            networks += LOOPBACK
        ours = own_receivers(self.config.api.public_url, self.config.api.listen)
        self._deliverer = Deliverer(self.database, node, networks, self.metrics, self.now, ours)
        self._deliverer.start()
        self._dispatcher = await asyncio.wrap_future(self._thread.run(self._dispatch(node, self._deliverer)))
        self._listener = Listener(self.database, self._hear)
        self._listener.start()
        self._counting = asyncio.create_task(self.refusals.write_on())
        self._sweeping = asyncio.create_task(self.recordings.sweep_on(self.now))

    async def quiesce(self) -> None:
        """Start no more calls, let those that go on end (`[api] drain_s`), write their results.

        HTTP is still answered.
        """
        self._ending = True
        dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher:
            self._draining = dispatcher
            drained = dispatcher.stop(self.config.api.drain_s, CALLS_END_WITHIN_S)
            await asyncio.wrap_future(self._thread.run(drained))
        self.hub.close_all()

    def hurry(self) -> None:
        """End now: calls that go on are hung up."""
        if self._draining:
            self._thread.loop.call_soon_threadsafe(self._draining.hurry)

    async def stop(self) -> None:
        """Close everything; what is not delivered by then comes after the next start."""
        await self.quiesce()
        deliverer, self._deliverer = self._deliverer, None
        if deliverer:
            await deliverer.stop(WEBHOOKS_END_WITHIN_S)
        if self._counting:
            self._counting.cancel()
            await asyncio.gather(self._counting, return_exceptions=True)
            await asyncio.to_thread(self.refusals.write)
            self._counting = None
        if self._sweeping:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
            self._sweeping = None
        await asyncio.to_thread(self._leave)
        if self._listener:
            await asyncio.to_thread(self._listener.stop)
        await asyncio.to_thread(self._thread.stop)
        self.database.dispose()
        self._held.close()

    def _leave(self) -> None:
        node, self._node = self._node, None
        try:
            if node:
                node.leave()
        except Exception:  # the next start, or another node, sees to what it left
            _log.exception("node_cannot_leave")

    @property
    def ending(self) -> bool:
        """It was asked to end: nobody should wait for anything."""
        return self._ending

    def wake(self) -> None:
        """Calls were queued."""
        if self._dispatcher:
            self._dispatcher.wake()

    def told(self) -> None:
        """Webhooks were queued."""
        if self._deliverer:
            self._deliverer.wake()

    async def health(self) -> dict[str, Any]:
        """What is open, and whether all is well (`ok`)."""
        report: dict[str, Any] = {"ok": False}
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                report |= await asyncio.wrap_future(self._thread.run(self._census()))
                report |= await asyncio.to_thread(self._store_census)
                report["ok"] = True
        except TimeoutError:
            report["problem"] = Message("no answer within {seconds:g} s", seconds=_ANSWER_WITHIN_S)
        except Exception as error:  # whatever it is, it is what health is asked for
            report["problem"] = Message("the store or the engine fails: {error}", error=type(error).__name__)
        return report

    async def readiness(self) -> dict[str, Any]:
        """Whether requests can be taken (`ready`): the store answers, the engine runs, nobody ends us."""
        if self._ending:
            return {"ready": False, "problem": Message("the service is ending")}
        report = await self.health()
        return {"ready": True} if report["ok"] else {"ready": False, "problem": report["problem"]}

    async def show_metrics(self) -> bytes:
        """The page of `/metrics`."""
        census = await asyncio.wrap_future(self._thread.run(self._census()))
        waits, webhooks, recorded = await asyncio.to_thread(self._waits)
        return self.metrics.show(census, waits, webhooks, self._engine.busy, recorded)

    @property
    def node_id(self) -> str:
        """Who claims calls here; "" before the start and after the end."""
        return self._node.id if self._node else ""

    def has_accounts(self) -> bool:
        """Anybody could use the service."""
        with self.database.read() as db:
            return accounts.exist(db)

    async def _dispatch(self, node: Node, deliverer: Deliverer) -> Dispatcher:
        dispatcher = Dispatcher(
            self._engine, self.database, node, self.hub, ScriptStore(self.database, self.clips), self.recordings,
            tariff=self.tariff, metrics=self.metrics, journals=self.config.store.journals, now=self.now,
            told=deliverer.wake,
        )  # fmt: skip
        dispatcher.start()
        return dispatcher

    def _look_for_strays(self) -> None:
        """Calls whose number no trunk has any more wait until it is back; whoever runs the service must know."""
        known = [number for trunk in self.trunks for number in numbers.of_trunk(trunk)]
        with self.database.read() as db:
            strays = queue.strays(db, known)
        if strays:
            _log.warning("calls_wait_for_numbers_of_no_trunk", numbers=", ".join(strays))

    async def _census(self) -> dict[str, int]:
        return self._engine.census()

    def _store_census(self) -> dict[str, int]:
        self.database.check_there()
        with self.database.read() as db:
            return {**queue.census(db, self.now()), "webhooks": outbox.census(db)}

    def _waits(self) -> tuple[dict[str, int], int, int]:
        with self.database.read() as db:
            return queue.waits(db, self.now()), outbox.census(db), recordings.kept_bytes(db)

    def _hear(self, channel: str) -> None:
        """Another node has queued something."""
        if channel == CALLS:
            self.wake()
        else:
            self.told()
