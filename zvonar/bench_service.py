"""`zvonar bench service`: how the service keeps its promises while it is loaded, beside the same when it is empty.

A real `zvonar serve`, its far end and this client are processes of their own on one machine. Three stages:

empty     nothing waits; digits alone, immediate calls alone, then the first creates of many and gets of many
waiting   `calls` planned calls wait and `accounts` accounts poll; each figure alone again
loaded    the same, and all figures are taken at once, creates and gets of many one after another
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import Progress

from zvonar.bench_load import BenchError, Client, poll
from zvonar.bench_peer import DECLINES, MOST_PRESSES, TALKS, TONES_HZ
from zvonar.bench_report import Stage, show, verdict
from zvonar.bench_served import OUTGOING, Account, Peer, Served, far_end, serve, tone

POLLED_IDS = 50  # of each account that polls
TALKS_AT_ONCE = 4
PAUSE_S = (0.02, 0.12)  # between immediate calls
ALONE = 3  # creates and gets of many in a stage in which they are alone
INVITED_WITHIN_S = 10.0
PLANNED_S = 7 * 86_400
_LONG_S, _SHORT_S = 5.0, 0.3


class Sizes(NamedTuple):
    """What is asked for on the command line."""

    calls: int  # planned ones that wait
    batch: int  # in one create and in one get
    accounts: int  # that poll
    seconds: float  # of each measurement

    @property
    def presses(self) -> int:
        """Of one call that talks: so many that it ends about when a measurement does."""
        return max(1, min(MOST_PRESSES, int(self.seconds)))


def service(sizes: Sizes, *, postgres: str | None, as_json: bool) -> int:
    """Measure on SQLite, and on PostgreSQL where a URL is given; exit status 0 if every target is met."""
    console = Console(highlight=False, stderr=as_json)
    told: dict[str, dict[str, Stage]] = {}
    failed: list[BaseException] = []
    try:
        with Progress(console=console, disable=as_json, transient=True) as progress:
            for name in ("sqlite", "postgresql") if postgres else ("sqlite",):
                told[name] = asyncio.run(_store(sizes, postgres if name == "postgresql" else None, progress))
    except* BenchError as group:
        failed = _leaves(group)
    if failed:
        console.print(f"zvonar bench service: {failed[0]}", style="red")
        return 1
    if as_json:
        rows = {name: verdict(stages) for name, stages in told.items()}
        print(json.dumps({"sizes": sizes._asdict(), **rows}))
    else:
        for name, stages in told.items():
            show(console, name, sizes.batch, stages)
    return 0 if all(row["met"] is not False for stages in told.values() for row in verdict(stages)["figures"]) else 1


def _leaves(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


async def _store(sizes: Sizes, postgres: str | None, progress: Progress) -> dict[str, Stage]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zvonar-bench-")))
        peer = await stack.enter_async_context(far_end())
        served = await stack.enter_async_context(serve(folder, postgres or f"sqlite:///{folder}/zvonar.db", peer))
        clips = [tone(TONES_HZ[0], _LONG_S), tone(TONES_HZ[1], _LONG_S), tone(TONES_HZ[sizes.presses % 2], _SHORT_S)]
        name = "postgresql" if postgres else "sqlite"
        [account] = await asyncio.to_thread(served.add_accounts, ["bench"], clips)
        pollers = [f"bench poller {number}" for number in range(sizes.accounts)]
        bench = _Bench(sizes, served, peer, account, progress, name)
        told = {"empty": await bench.alone("empty")}
        await bench.load()
        async with bench.polled(await asyncio.to_thread(served.add_accounts, pollers, clips[2:])):
            told["waiting"] = await bench.alone("waiting")
            told["loaded"] = await bench.together("loaded")
        return told


class _Bench:
    """Measures one service. The first account is the one that calls."""

    def __init__(
        self, sizes: Sizes, served: Served, peer: Peer, account: Account, progress: Progress, name: str
    ) -> None:
        self._sizes = sizes
        self._served = served
        self._peer = peer
        self._account = account
        self._progress = progress
        self._name = name
        self._serial = itertools.count(1)
        self._planned = 0
        self._ids: list[int] = []  # of one batch
        self._polls_ms: list[float] = []

    # --- stages -----------------------------------------------------------------------------------------

    async def alone(self, name: str) -> Stage:
        """One figure after another."""
        stage = Stage()
        await self._for_a_while(f"{name}: digits", self._talks(stage))
        idle_s, before = await self._idle_cpu_s(), self._served.cpu_s
        began = time.monotonic()
        await self._for_a_while(f"{name}: immediate calls", self._invites(stage))
        spent = self._served.cpu_s - before - idle_s * (time.monotonic() - began)
        stage.cpu["cpu ms a call"] = 1000 * spent / max(1, len(stage.of("invite")))
        before = self._served.cpu_s
        began = time.monotonic()
        for _ in range(ALONE):
            await self._create_many(stage)
        spent = self._served.cpu_s - before - idle_s * (time.monotonic() - began)
        stage.cpu["cpu s a thousand creates"] = 1000 * spent / (ALONE * self._sizes.batch)
        for _ in range(ALONE):
            await self._get_many(stage)
        self._take_polls(stage)
        return stage

    async def together(self, name: str) -> Stage:
        """All at once."""
        stage = Stage()
        self._polls_ms.clear()
        before, began = self._served.cpu_s, time.monotonic()
        await self._for_a_while(f"{name}: all at once", self._talks(stage), self._invites(stage), self._many(stage))
        stage.cpu["cores used"] = (self._served.cpu_s - before) / (time.monotonic() - began)
        self._take_polls(stage)
        return stage

    async def load(self) -> None:
        """Plan calls until as many wait as are wanted."""
        bar = self._progress.add_task(f"{self._name}: planning calls", total=self._sizes.calls, completed=self._planned)
        while self._planned < self._sizes.calls:
            await self._create_many(Stage(), min(self._sizes.batch, self._sizes.calls - self._planned))
            self._progress.update(bar, completed=self._planned)
        self._progress.remove_task(bar)

    @asynccontextmanager
    async def polled(self, accounts: list[Account]) -> AsyncIterator[None]:
        """Meanwhile these accounts poll."""
        async with asyncio.TaskGroup() as group:
            polls = []
            for account in accounts:
                client = Client(self._served.port, account.key)
                wanted = self._planned_call(account.records[0], [self._phone(DECLINES) for _ in range(POLLED_IDS)])
                ids = [element["id"] for element in (await client.ask("create", **wanted)).data]
                polls.append(group.create_task(poll(client, ids, self._polls_ms)))
            yield
            for task in polls:
                task.cancel()

    async def _for_a_while(self, what: str, *works: Any) -> None:
        """Do these until the time is over; each then ends what it has begun."""
        bar = self._progress.add_task(f"{self._name}: {what}", total=self._sizes.seconds)
        self._until = time.monotonic() + self._sizes.seconds
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
            while not all(task.done() for task in tasks):
                await asyncio.wait(tasks, timeout=0.2)
                left = max(0.0, self._until - time.monotonic())
                self._progress.update(bar, completed=self._sizes.seconds - left)
        self._progress.remove_task(bar)

    def _goes_on(self) -> bool:
        return time.monotonic() < self._until

    # --- figures ----------------------------------------------------------------------------------------

    async def _invites(self, stage: Stage) -> None:
        with closing(Client(self._served.port, self._account.key)) as client:
            while self._goes_on() or not stage.of("invite"):
                phone = self._phone(DECLINES)
                body = client.body(phone=phone, outgoingPhone=OUTGOING, record={"id": self._account.records[2]})
                invited = self._peer.invited(phone)
                asked_at = time.time()
                stage.add("create", (await client.send("create", body)).ms)
                try:
                    async with asyncio.timeout(INVITED_WITHIN_S):
                        stage.add("invite", 1000 * (await invited - asked_at))
                except TimeoutError:
                    raise BenchError(f"an immediate call had no INVITE within {INVITED_WITHIN_S:g} s") from None
                await asyncio.sleep(random.uniform(*PAUSE_S))

    async def _talks(self, stage: Stage) -> None:
        self._peer.digits_ms, self._peer.lost = [], 0
        async with asyncio.TaskGroup() as group:
            for _ in range(TALKS_AT_ONCE):
                group.create_task(self._talk())
        stage.add("digit", *self._peer.digits_ms)
        stage.lost = self._peer.lost

    async def _talk(self) -> None:
        first, second, last = self._account.records
        presses = self._sizes.presses
        menu: list[dict[str, Any]] = []
        for depth in range(presses, 0, -1):
            clip = last if depth == presses else (first, second)[depth % 2]
            menu = [{"digit": "1", "record": {"id": clip}, "ivrs": menu}]
        while self._goes_on() or not self._peer.digits_ms:
            phone = self._phone(f"{TALKS}{presses}")
            over = self._peer.over(phone)
            with closing(Client(self._served.port, self._account.key)) as client:
                await client.ask("create", phone=phone, outgoingPhone=OUTGOING, record={"id": first}, ivrs=menu)
            await over

    async def _many(self, stage: Stage) -> None:
        while self._goes_on():
            await self._create_many(stage)
            await asyncio.sleep(random.uniform(0, 1))
            await self._get_many(stage)
            await asyncio.sleep(random.uniform(0, 1))

    async def _create_many(self, stage: Stage, count: int | None = None) -> None:
        phones = [self._phone(DECLINES) for _ in range(count or self._sizes.batch)]
        with closing(Client(self._served.port, self._account.key)) as client:
            answer = await client.ask("create", **self._planned_call(self._account.records[2], phones))
        stage.add("create many", answer.ms)
        self._planned += len(phones)
        if len(phones) == self._sizes.batch:
            self._ids = [element["id"] for element in await asyncio.to_thread(lambda: answer.data)]

    async def _get_many(self, stage: Stage) -> None:
        with closing(Client(self._served.port, self._account.key)) as client:
            stage.add("get many", (await client.ask("get", apiCallIdList=self._ids)).ms)

    def _planned_call(self, record: int, phones: list[str]) -> dict[str, Any]:
        planned_at = int(time.time()) + PLANNED_S
        return {"phones": phones, "outgoingPhone": OUTGOING, "record": {"id": record}, "plannedAt": planned_at}

    def _phone(self, begin: str) -> str:
        return f"{begin}{next(self._serial):0{11 - len(begin)}}"

    def _take_polls(self, stage: Stage) -> None:
        stage.add("poll", *self._polls_ms)
        self._polls_ms.clear()

    async def _idle_cpu_s(self) -> float:
        """CPU seconds a second of the service to which nothing new is said."""
        before, began = self._served.cpu_s, time.monotonic()
        await asyncio.sleep(min(2.0, self._sizes.seconds))
        return (self._served.cpu_s - before) / (time.monotonic() - began)
