"""Delivers webhooks from the outbox: in order per call, at least once, many at a time, few to one receiver."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx2
import structlog
from standardwebhooks import Webhook

from api import bodies
from api.guard import GuardedTransport, Network
from api.node import Node
from api.store import outbox
from api.store.database import Database
from api.store.outbox import Delivery

TIMEOUT_S = 10.0
AT_ONCE = 100
AT_ONCE_PER_HOST = 10
POLL_S = 1.0
# After the n-th failed try; past the last one, which comes about three days after the first, it is given up.
AGAIN_S: tuple[float, ...] = (*[5.0 * 2**n for n in range(13)], *[8 * 3600] * 7)
JITTER = 0.2
_SETTLE_AGAIN_S = 1.0

_log = structlog.get_logger("zvonar.webhook")


class Deliverer:
    """Belongs to the service's loop; `wake` may be called from any thread."""

    def __init__(self, database: Database, node: Node, networks: Sequence[Network], now: Callable[[], float]) -> None:
        self._database = database
        self._node = node
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._client = httpx2.AsyncClient(
            transport=GuardedTransport(networks, AT_ONCE), timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
        )
        self._busy: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._main: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to deliver."""
        self._main = asyncio.create_task(self._deliver_on())

    def wake(self) -> None:
        """There is something to deliver."""
        try:
            self._loop.call_soon_threadsafe(self._event.set)
        except RuntimeError:
            _log.debug("woken_after_the_end")

    async def stop(self, within_s: float) -> None:
        """Take no more; those on their way get so long to arrive, the rest is delivered after the next start."""
        if self._main:
            self._main.cancel()
            await asyncio.gather(self._main, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=within_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def _deliver_on(self) -> None:
        while True:
            self._event.clear()
            try:
                room = AT_ONCE - len(self._tasks)
                busy = [host for host, count in self._busy.items() if count >= AT_ONCE_PER_HOST]
                due = await asyncio.to_thread(self._claim, busy, room) if room > 0 else []
            except Exception:
                _log.exception("outbox_cannot_be_read")
                due = []
            for delivery in due:
                self._begin(delivery)
            try:
                async with asyncio.timeout(POLL_S):
                    await self._event.wait()
            except TimeoutError:
                pass

    def _claim(self, busy: Sequence[str], room: int) -> list[Delivery]:
        now = self._now()
        with self._database.read() as db:
            if not outbox.waiting(db, now):
                return []
        with self._database.write() as db:
            return outbox.claim(db, self._node.id, busy, AT_ONCE_PER_HOST, room, now)

    def _begin(self, delivery: Delivery) -> None:
        self._busy[delivery.host] += 1
        task = asyncio.create_task(self._deliver(delivery, self._node.id), name=f"webhook {delivery.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._over(ended, delivery.host))

    def _over(self, task: asyncio.Task[None], host: str) -> None:
        self._tasks.discard(task)
        self._busy[host] -= 1
        if not self._busy[host]:
            del self._busy[host]
        if not task.cancelled() and task.exception():
            _log.error("delivery_broke", task=task.get_name(), exc_info=task.exception())
        self._event.set()

    async def _deliver(self, delivery: Delivery, node: str) -> None:
        delivered, answer = await self._send(delivery)
        again_at = None if delivered else again(delivery.tries, self._now(), random.random())
        told = _log.info if delivered else _log.warning
        told("webhook", id=delivery.id, call=delivery.api_call_id, kind=delivery.kind, host=delivery.host,
             tries=delivery.tries, answer=answer, delivered=delivered)  # fmt: skip
        while True:
            try:
                await asyncio.to_thread(self._settle, delivery, node, delivered, again_at)
            except Exception:
                _log.exception("delivery_cannot_be_noted", id=delivery.id)
                await asyncio.sleep(_SETTLE_AGAIN_S)
            else:
                return

    def _settle(self, delivery: Delivery, node: str, delivered: bool, again_at: float | None) -> None:
        with self._database.write() as db:
            outbox.settle(db, delivery, node, delivered=delivered, again_at=again_at, now=self._now())

    async def _send(self, delivery: Delivery) -> tuple[bool, str]:
        """One try: whether it arrived, and what came back."""
        body = json.dumps(bodies.with_try(delivery.body, delivery.tries), separators=(",", ":"))
        try:
            headers = {
                **delivery.headers, **signature(delivery.secret, delivery.id, self._now(), body),
                "content-type": "application/json",
            }  # fmt: skip
            headers.setdefault("user-agent", "Zvonar")
            async with asyncio.timeout(TIMEOUT_S):
                # The status is all that we read of the answer.
                async with self._client.stream("POST", delivery.url, content=body, headers=headers) as response:
                    return response.is_success, str(response.status_code)
        except TimeoutError:
            return False, f"nothing within {TIMEOUT_S:g} s"
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as error:
            return False, str(error) or type(error).__name__


def signature(secret: str, number: int, now: float, body: str) -> dict[str, str]:
    """The headers of Standard Webhooks. The id stays the same in all tries, so a receiver can know a repetition."""
    message = f"msg_{number}"
    at = datetime.fromtimestamp(int(now), UTC)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": Webhook(secret).sign(message, at, body),
    }


def again(tries: int, now: float, chance: float) -> float | None:
    """When to try again after so many failed tries; None: give it up. `chance` in [0, 1) spreads them."""
    if tries > len(AGAIN_S):
        return None
    return now + AGAIN_S[tries - 1] * (1 + JITTER * chance)
