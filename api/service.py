"""The service behind the HTTP: the store, the engine in its thread, the dial queue, the webhooks, started in order."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog

from api import numbers
from api.clips import ClipStore
from api.delivery import Deliverer
from api.dispatch import Dialer, Dispatcher
from api.guard import LOOPBACK
from api.hub import Hub
from api.node import Node
from api.script_store import ScriptStore
from api.store import accounts, outbox, queue
from api.store.database import Database
from engine.clips.cache import ClipCache
from engine.clock import SystemClock
from engine.config import Config, TrunkConfig
from engine.engine import Engine
from engine.thread import EngineThread

CALLS_END_WITHIN_S = 8.0
WEBHOOKS_END_WITHIN_S = 2.0
_ANSWER_WITHIN_S = 2.0

_log = structlog.get_logger("zvonar.service")

Opener = Callable[[Config], AbstractAsyncContextManager[Dialer]]


class Service:
    """Made and started once a process. `start` and `stop` run in the loop that serves HTTP."""

    def __init__(self, config: Config, opener: Opener = Engine.open) -> None:
        self.database = Database(config.store.url)
        folder = config.store.folder or self.database.folder
        if config.store.clips is None:
            # The engine converts into the same folder, so an upload that was checked is converted already.
            store = config.store.model_copy(update={"clips": folder / "clips"})
            config = config.model_copy(update={"store": store})
        assert config.store.clips is not None
        self.config = config
        self.clips = ClipStore(folder / "records", ClipCache(config.store.clips))
        self.hub = Hub()
        self.now: Callable[[], float]
        self.trunks: list[TrunkConfig] = []
        self._thread: EngineThread[Dialer] = EngineThread(lambda: opener(config))
        self._engine: Dialer
        self._dispatcher: Dispatcher | None = None
        self._deliverer: Deliverer | None = None

    async def start(self) -> None:
        """Bring the tables up to date, open the engine, take over what a dead process left. Raises ConfigError."""
        await asyncio.to_thread(self.database.migrate)
        self._engine = await asyncio.to_thread(self._thread.start)
        self.trunks = list(self._engine.trunks)
        self.now = SystemClock(self._thread.loop).now
        node = await asyncio.to_thread(Node, self.database, self.now)
        await asyncio.to_thread(node.sweep)
        await asyncio.to_thread(self._look_for_strays)
        networks = [ipaddress.ip_network(text, strict=False) for text in self.config.webhook.allow_networks]
        if self.config.sandboxed:
            networks += LOOPBACK
        self._deliverer = Deliverer(self.database, node, networks, self.now)
        self._deliverer.start()
        self._dispatcher = await asyncio.wrap_future(self._thread.run(self._dispatch(node, self._deliverer)))

    async def quiesce(self) -> None:
        """End the calls and write their results; HTTP is still answered."""
        dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher:
            await asyncio.wrap_future(self._thread.run(dispatcher.stop(CALLS_END_WITHIN_S)))
        self.hub.close_all()

    async def stop(self) -> None:
        """Close everything; what is not delivered by then comes after the next start."""
        await self.quiesce()
        deliverer, self._deliverer = self._deliverer, None
        if deliverer:
            await deliverer.stop(WEBHOOKS_END_WITHIN_S)
        await asyncio.to_thread(self._thread.stop)
        self.database.dispose()

    def wake(self) -> None:
        """Something was queued."""
        if self._dispatcher:
            self._dispatcher.wake()

    async def health(self) -> dict[str, Any]:
        """What is open, and whether all is well (`ok`)."""
        report: dict[str, Any] = {"ok": False}
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                report |= await asyncio.wrap_future(self._thread.run(self._census()))
                report |= await asyncio.to_thread(self._store_census)
                report["ok"] = True
        except TimeoutError:
            report["problem"] = f"no answer within {_ANSWER_WITHIN_S:g} s"
        except Exception as error:  # whatever it is, it is what health is asked for
            report["problem"] = type(error).__name__
        return report

    def has_accounts(self) -> bool:
        """Anybody could use the service."""
        with self.database.read() as db:
            return accounts.exist(db)

    async def _dispatch(self, node: Node, deliverer: Deliverer) -> Dispatcher:
        dispatcher = Dispatcher(
            self._engine, self.database, node, self.hub, ScriptStore(self.database, self.clips),
            journals=self.config.store.journals, now=self.now, told=deliverer.wake,
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
        with self.database.read() as db:
            return {**queue.census(db, self.now()), "webhooks": outbox.census(db)}
