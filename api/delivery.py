"""Delivers webhooks from the outbox: in order per call, at least once, many at a time, few to one receiver or account.

Each try is kept with what came back. The address is checked and pinned (`api.guard`), no redirect is followed, and of
an answer no more than `ANSWER_BYTES` is read.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx2
import structlog
from standardwebhooks import Webhook

from api import bodies, failure
from api.guard import EVERYWHERE, GuardedTransport, Network
from api.metrics import Metrics
from api.node import Node
from api.shielded import to_its_end
from api.store import outbox
from api.store.database import Database
from api.store.outbox import Delivery, Room, Try

TIMEOUT_S = 10.0
AT_ONCE = 200
AT_ONCE_PER_HOST = 10
AT_ONCE_PER_ACCOUNT = 40
ANSWER_BYTES = 64 * 1024  # of an answer that are read
ANSWER_WITHIN_S = 2.0  # after the status, which is what counts
ANSWER_CHARACTERS = 2000  # of it that are kept
POLL_S = 1.0
# After the n-th failed try; past the last one, which comes about three days after the first, it is given up.
AGAIN_S: tuple[float, ...] = (*[5.0 * 2**n for n in range(13)], *[7.5 * 3600] * 7)
JITTER = 0.1
_SETTLE_AGAIN_S = 1.0
_Result = TypeVar("_Result")

_log = structlog.get_logger("zvonar.webhook")


class Deliverer:
    """Belongs to the service's loop; `wake` may be called from any thread."""

    def __init__(
        self,
        database: Database,
        node: Node,
        networks: Sequence[Network],
        metrics: Metrics,
        now: Callable[[], float],
        ours: re.Pattern[str] | None = None,
    ) -> None:
        """`ours` are the addresses of receivers of this service: over HTTP like all others, but wherever they lie."""
        self._database = database
        self._node = node
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._client, self._to_ours = _client(networks), _client(EVERYWHERE)
        self._ours = ours
        self._metrics = metrics
        self._hosts: Counter[str] = Counter()
        self._accounts: Counter[int] = Counter()
        self._tasks: dict[asyncio.Task[None], int] = {}  # the webhook that each delivers
        self._unsure = False  # a claim broke, and may have been committed all the same
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
        await self._to_ours.aclose()

    async def _deliver_on(self) -> None:
        while True:
            self._event.clear()
            try:
                room = Room(AT_ONCE - len(self._tasks), AT_ONCE_PER_HOST, AT_ONCE_PER_ACCOUNT)
                if self._unsure:
                    await self._in_thread(self._let_go, list(self._tasks.values()))
                    self._unsure = False
                going_on = dict(self._hosts), dict(self._accounts)
                due = await self._in_thread(self._claim, room, *going_on) if room.total > 0 else []
            except Exception:
                _log.exception("outbox_cannot_be_read")
                due, self._unsure = [], True
            for delivery in due:
                self._begin(delivery)
            try:
                async with asyncio.timeout(POLL_S):
                    await self._event.wait()
            except TimeoutError:
                pass

    def _claim(self, room: Room, hosts: dict[str, int], busy_accounts: dict[int, int]) -> list[Delivery]:
        now = self._now()
        with self._database.read() as db:
            if not outbox.waiting(db, now):
                return []
        with self._database.write() as db:
            return outbox.claim(db, self._node.id, room, hosts, busy_accounts, now)

    async def _in_thread(self, work: Callable[..., _Result], *arguments: Any) -> _Result:
        return await to_its_end(self._loop.run_in_executor(None, lambda: work(*arguments)))

    def _let_go(self, known: Sequence[int]) -> None:
        with self._database.write() as db:
            outbox.release(db, self._node.id, keep=known)

    def _begin(self, delivery: Delivery) -> None:
        self._hosts[delivery.host] += 1
        self._accounts[delivery.account_id] += 1
        task = asyncio.create_task(self._deliver(delivery, self._node.id), name=f"webhook {delivery.id}")
        self._tasks[task] = delivery.id
        task.add_done_callback(lambda ended: self._over(ended, delivery))

    def _over(self, task: asyncio.Task[None], delivery: Delivery) -> None:
        del self._tasks[task]
        self._hosts -= Counter([delivery.host])
        self._accounts -= Counter([delivery.account_id])
        if not task.cancelled() and task.exception():
            _log.error("delivery_broke", task=task.get_name(), exc_info=task.exception())
        self._event.set()

    async def _deliver(self, delivery: Delivery, node: str) -> None:
        tried = await self._send(delivery)
        failed_now = delivery.tries - delivery.began_at_try
        again_at = None if tried.delivered else again(failed_now, self._now(), random.random())
        told = _log.info if tried.delivered else _log.warning
        told("webhook", id=delivery.id, call=delivery.api_call_id, kind=delivery.kind, host=delivery.host,
             tries=delivery.tries, answer=tried.status or tried.answer, delivered=tried.delivered)  # fmt: skip
        result = "delivered" if tried.delivered else "failed" if again_at else "given_up"
        self._metrics.webhook_tries.labels(result).inc()
        while True:
            try:
                await self._in_thread(self._settle, delivery, node, tried, again_at)
            except Exception:
                _log.exception("delivery_cannot_be_noted", id=delivery.id)
                await asyncio.sleep(_SETTLE_AGAIN_S)
            else:
                return

    def _settle(self, delivery: Delivery, node: str, tried: Try, again_at: float | None) -> None:
        with self._database.write() as db:
            outbox.settle(db, delivery, node, tried, again_at, self._now())

    async def _send(self, delivery: Delivery) -> Try:
        """One try."""
        body = json.dumps(bodies.with_try(delivery.body, delivery.tries), separators=(",", ":"))
        began = self._now()
        headers = {
            **delivery.headers, **signature(delivery.secret, delivery.id, began, body),
            "content-type": "application/json", "accept-encoding": "identity",
        }  # fmt: skip
        headers.setdefault("user-agent", "Zvonar")
        status, answer = await self._exchange(delivery.url, headers, body)
        return Try(began, round((self._now() - began) * 1000), headers, status, answer)

    async def _exchange(self, url: str, headers: dict[str, str], body: str) -> tuple[int | None, str]:
        """The status of the answer and its beginning; None, and the reason, where none came."""
        client = self._to_ours if self._ours and self._ours.fullmatch(url) else self._client
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                client.stream("POST", url, content=body, headers=headers) as response,
            ):
                return response.status_code, await _beginning(response)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as error:
            return None, failure.told(error)[:ANSWER_CHARACTERS]


def _client(networks: Sequence[Network]) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=GuardedTransport(networks, AT_ONCE), timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
    )


async def _beginning(response: httpx2.Response) -> str:
    """The beginning of an answer's body; what goes wrong behind the status takes nothing back."""
    raw = bytearray()
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            async for chunk in response.aiter_raw():
                raw += chunk
                if len(raw) >= ANSWER_BYTES:
                    break
    except (httpx2.HTTPError, OSError, TimeoutError):
        pass
    return raw[:ANSWER_BYTES].decode("utf-8", errors="replace").replace("\0", "\ufffd")[:ANSWER_CHARACTERS]


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
