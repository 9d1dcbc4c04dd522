"""Whatever dies when: nobody is called twice, nothing is lost, and the money adds up.

Real services are killed, frozen and robbed of their media process at random moments (the seed is told), while programs
create calls with Idempotency-Keys; a carrier of the test counts the INVITEs by itself, a receiver the webhooks. Then
the tables are audited (`bookkeeping`), and compared with what those two saw.

`ZVONAR_SOAK_S` makes the trouble last so long (`make soak`); `ZVONAR_SEED` repeats a run.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import bookkeeping
import pytest
from chaos import Account, Inbox, Node, Orderer, account, in_threads, upload
from sqlalchemy import create_engine, make_url, select, update
from sqlalchemy.exc import OperationalError
from witness import Witness

from api.store.schema import CallStatus, accounts, api_calls, calls, lanes, outbox
from engine.journal import replay

SOAK_S = float(os.environ.get("ZVONAR_SOAK_S", "0"))
SEED = int(os.environ.get("ZVONAR_SEED", "0")) or random.randrange(1, 1 << 30)
TROUBLE_S = SOAK_S or 9.0
ACCOUNTS = 4
BALANCE = Decimal("5000.55")
NUMBERS = ("79932432781", "74951234567")


class World:
    """Nodes on one store, their carrier, their receiver, their accounts."""

    def __init__(
        self, folder: Path, store: str, nodes: int, carrier: Witness, cut: Callable[[str], int] | None
    ) -> None:
        self.cut = cut  # ends all connections to the store
        self.url = store
        self.folder = folder
        self.carrier = carrier
        self.luck = random.Random(SEED)
        self.inbox = Inbox(SEED)
        numbers = ", ".join(f'"{number}"' for number in NUMBERS)
        config = (
            f'[store]\nurl = "{store}"\nfolder = "{folder}"\njournals = "{folder}/journals"\n'
            f'[webhook]\nallow_networks = ["127.0.0.0/8"]\n'
            '[tariff]\nstep_s = 1\ncall = "0.35"\n[tariff.prefixes]\n"7999" = "0.1234"\n"79991" = "1.5"\n'
            f'[[trunk]]\nname = "carrier"\nserver = "127.0.0.1:{carrier.port}"\nnumbers = [{numbers}]\ncps = 40\n'
        )
        self.nodes = [
            Node(f"node{number}", folder, config, ports=f"{20000 + number * 1000}-{20999 + number * 1000}")
            for number in range(nodes)
        ]
        self.accounts = [account(store, folder, f"a{number}", BALANCE) for number in range(ACCOUNTS)]
        chosen = make_url(store)
        patience: dict[str, Any] = {
            "timeout": 60
        }  # a node may be frozen for ten seconds with SQLite's only lock in its hand
        if chosen.get_backend_name() == "postgresql":
            chosen, patience = chosen.set(drivername="postgresql+psycopg"), {}
        self.db = create_engine(chosen, pool_pre_ping=True, connect_args=patience)
        self.negative: list[Any] = []
        self.dead = 0
        in_threads([node.start for node in self.nodes])

    def close(self) -> None:
        in_threads([lambda node=node: node.end() for node in self.nodes])  # type: ignore[misc]
        self.inbox.close()
        self.db.dispose()

    # --- programs ---------------------------------------------------------------------------------------

    def order(self, account: Account, ended: threading.Event, seed: int) -> None:
        """Create calls until `ended`: one or several at once, planned, with a menu, with redials."""
        luck, orderer = random.Random(seed), Orderer(self.nodes, seed)
        serial = itertools.count()
        while not ended.is_set():
            number = next(serial)
            phones = [
                f"7999{account.number}{number:04}{luck.randrange(100):02}" for _ in range(luck.choice((1, 1, 2, 3)))
            ]
            wanted: dict[str, Any] = {
                "apiKey": account.key, "phones": list(dict.fromkeys(phones)), "outgoingPhone": luck.choice(NUMBERS),
                "record": {"id": account.record}, "webhookUrl": self.inbox.url + "/end", "timeout": 3,
                "ivrs": [{"digit": 1, "id": 5, "webhookUrl": self.inbox.url + "/block"}],
            }  # fmt: skip
            if luck.random() < 0.2:
                wanted["plannedAt"] = int(time.time()) + luck.randrange(1, 5)
            if luck.random() < 0.3:
                wanted["smartDelay"] = 2
            told = orderer.post("create", f"{account.number}-{number}", json=wanted)
            assert told["code"] == 200, told
            assert len(told["data"]) == len(wanted["phones"])
            account.placed |= {one["id"]: one["phone"] for one in told["data"]}
            time.sleep(luck.random() * 0.25)
        self.dead += orderer.broken
        orderer.close()

    def watch(self, ended: threading.Event) -> None:
        """Look at the money all the time; and let nobody wait two minutes for a redial."""
        while not ended.wait(0.1):
            try:
                with self.db.connect() as db:
                    self.negative += db.execute(select(accounts).where(accounts.c.balance < accounts.c.held)).all()
                self.hasten()
            except OperationalError:  # our connection was cut with all others
                assert self.cut is not None

    def hasten(self) -> None:
        """Redials are due now."""
        late = (calls.c.status == CallStatus.CREATED, calls.c.waits_for == "redial", calls.c.due_at > time.time())
        with self.db.connect() as db:
            if db.execute(select(calls.c.id).where(*late).limit(1)).first() is None:
                return
        with self.db.begin() as db:
            db.execute(update(calls).where(*late).values(due_at=time.time()))
        with self.db.begin() as db:  # in the order in which the service locks them
            db.execute(select(lanes).order_by(lanes.c.account_id, lanes.c.outgoing).with_for_update())
            db.execute(update(lanes).values(next_due=time.time()))

    # --- trouble ----------------------------------------------------------------------------------------

    def trouble(self, seconds: float) -> Counter[str]:
        """Kill, freeze, rob; at the end every node runs."""
        done: Counter[str] = Counter()
        until = time.monotonic() + seconds
        frozen = threading.Thread(target=self.nodes[-1].freeze, args=(10.0,))
        if len(self.nodes) > 1:  # one sleeps for ten seconds while another dies
            frozen.start()
        while time.monotonic() < until:
            time.sleep(self.luck.uniform(0.2, 1.6))
            node = self.nodes[0] if frozen.is_alive() else self.luck.choice(self.nodes)
            what = self.luck.choices(("kill", "media", "freeze", "cut"), (6, 2, 1, 4 if self.cut else 0))[0]
            if what == "kill":
                node.kill()
                time.sleep(self.luck.choice((0.0, 0.0, 0.5)))
                node.start()
            elif what == "media":
                node.kill_media()
            elif what == "cut" and self.cut is not None:
                self.cut(self.url)
            else:
                node.freeze(self.luck.uniform(0.2, 1.5))
            done[what] += 1
        if len(self.nodes) > 1:
            frozen.join()
        else:
            self.nodes[0].freeze(10.0)
        done["long freeze"] += 1
        return done

    def settled(self) -> bool:
        """No call is open and no webhook waits."""
        with self.db.connect() as db:
            open_call = select(calls.c.id).where(calls.c.finished_at.is_(None)).limit(1)
            webhook = select(outbox.c.id).where(outbox.c.done_at.is_(None)).limit(1)
            return db.execute(open_call).first() is None and db.execute(webhook).first() is None


@pytest.fixture(params=["one node, sqlite", pytest.param("two nodes, postgresql", marks=pytest.mark.peer)])
def world(request: pytest.FixtureRequest, tmp_path: Path, sound: Callable[..., bytes]) -> Iterator[World]:
    with Witness() as carrier:
        if request.param.endswith("sqlite"):
            yield from _world(tmp_path, f"sqlite:///{tmp_path}/zvonar.db", 1, carrier, None, sound(0.5))
            return
        peer = request.getfixturevalue("postgres")
        with peer.database() as url:
            yield from _world(tmp_path, url, 2, carrier, peer.terminate, sound(0.5))
            log = peer.log_end(100_000)
            assert "deadlock" not in log, log[log.index("deadlock") - 200 :][:2000]


def _world(
    folder: Path, url: str, nodes: int, carrier: Witness, cut: Callable[[str], int] | None, clip: bytes
) -> Iterator[World]:
    made = World(folder, url, nodes, carrier, cut)
    try:
        orderer = Orderer(made.nodes, SEED)
        for account in made.accounts:
            upload(orderer, account, clip)
        orderer.close()
        yield made
    finally:
        made.close()


def test_nothing_is_lost_or_doubled(world: World, tell: Callable[[str], None]) -> None:
    tell(f"kill: {TROUBLE_S:.0f} s of trouble and then the audit, seed {SEED}")
    ordered, watched = threading.Event(), threading.Event()
    done: Counter[str] = Counter()

    def trouble() -> None:
        try:
            done.update(world.trouble(TROUBLE_S))
        finally:
            ordered.set()

    watcher = threading.Thread(target=world.watch, args=(watched,))
    watcher.start()
    try:
        in_threads([
            trouble,
            *(partial(world.order, account, ordered, SEED + account.number) for account in world.accounts),
        ])  # fmt: skip
        _until(world.settled, lambda: bookkeeping.faults(world.url, over=True)[:20], within_s=45 + SOAK_S / 2)
    finally:
        watched.set()
        watcher.join()
    with world.db.connect() as db:
        rows = db.execute(select(calls).order_by(calls.c.id)).all()
        sent = {row.id: row.webhook_sent for row in db.execute(select(api_calls))}
    dispositions = Counter(row.disposition for row in rows)
    tell(
        f"kill: {dict(done)}; {len(sent)} api-calls, {len(world.carrier.invites)} INVITEs, {dict(dispositions)}; "
        f"{world.dead} requests broken off, {len(world.inbox.came)} webhooks, {len(world.inbox.refused)} refused once"
    )
    assert bookkeeping.faults(world.url, over=True) == []
    assert world.negative == []
    _check_orders(world, sent)
    _check_invites(world, rows)
    _check_webhooks(world, sent)
    _check_journals(world)
    _check_nodes(world, cut=bool(done["cut"]))
    assert done["kill"], "the seed brought no kill"


def _check_orders(world: World, sent: dict[int, int]) -> None:
    """What was answered exists once, and nothing else does."""
    placed = [number for account in world.accounts for number in account.placed]
    assert sorted(placed) == sorted(sent)
    assert set(sent.values()) == {1}
    with world.db.connect() as db:
        phones = {row.id: row.phone for row in db.execute(select(api_calls))}
    assert phones == {number: phone for account in world.accounts for number, phone in account.placed.items()}


def _check_invites(world: World, rows: Any) -> None:
    """By number: as many INVITEs as dialings that passed the fence; fewer only by those that a death cut off."""
    invites = Counter(invite.to for invite in world.carrier.invites)
    fenced = Counter(row.phone for row in rows if row.invited_at is not None)
    sure = Counter(row.phone for row in rows if row.invited_at is not None and row.disposition != "interrupted")
    assert len({invite.call_id for invite in world.carrier.invites}) == len(world.carrier.invites)
    assert {phone: (count, fenced[phone]) for phone, count in invites.items() if count > fenced[phone]} == {}
    assert {phone: (invites[phone], count) for phone, count in sure.items() if invites[phone] < count} == {}
    of_api_call: dict[int, list[Any]] = {}
    for row in rows:
        of_api_call.setdefault(row.api_call_id, []).append(row.disposition)
    for number, dispositions in of_api_call.items():
        again = dispositions[:-1]  # after these it was dialled again
        assert not set(again) & {"interrupted", "answered"}, (number, dispositions)
        assert len(dispositions) <= 7


def _check_webhooks(world: World, sent: dict[int, int]) -> None:
    """Each end came, always by the same name; and whatever came of a block came first at least once."""
    names: dict[int, set[str]] = {}
    first: dict[int, dict[str, int]] = {}
    for place, (name, kind, number) in enumerate(world.inbox.came):
        first.setdefault(number, {}).setdefault(kind, place)
        if kind == "end":
            names.setdefault(number, set()).add(name)
    assert set(names) == set(sent)
    assert {number: came for number, came in names.items() if len(came) > 1} == {}
    assert all(places["block"] < places["end"] for places in first.values() if "block" in places)
    assert any("block" in places for places in first.values()), "nobody pressed a key"


def _check_journals(world: World) -> None:
    """Journals run again to the same facts, also those that a death cut off."""
    journals = sorted((world.folder / "journals").iterdir())
    assert journals
    chosen = random.Random(SEED).sample(journals, min(40, len(journals)))
    for path in chosen:
        if path.stat().st_size:
            assert replay(path).difference is None, path


def _check_nodes(world: World, *, cut: bool) -> None:
    """Nothing is left open, and nothing broke that nobody expected."""
    nothing = dict.fromkeys(("dialogs", "ports", "tasks", "timers", "calls", "due", "planned", "webhooks"), 0)
    idle = {"ok": True} | nothing
    for node in world.nodes:
        _until(lambda node=node: node.health() == idle, node.health, within_s=40)  # type: ignore[misc]
        # Whom the store cuts off gets a 503 and a trace; what was begun in the background is looked after by itself.
        wrong = ["database is locked", "deadlock", "dialing_broke", "delivery_broke", "call_broke"]
        wrong += [] if cut else ["request_broke", "Traceback"]
        assert node.logged(*wrong) == []


def _until(condition: Callable[[], bool], told: Callable[[], Any], within_s: float) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, told()
        time.sleep(0.1)
