"""How long a page of the table takes over a million calls: `python tests/api/page/million.py URL [COUNT]`.

The store is filled by SQL: a request for 100 calls each, twenty minutes of calls a second.
"""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal

from sqlalchemy import func, insert, select, text

from api.store import accounts, call_table, plan_table
from api.store.call_table import Filter
from api.store.database import Database
from api.store.schema import calls, requests

START = 1_700_000_000.0
OPTIONS = {
    "webhookUrl": None, "webhookParameters": None, "webhookHeaders": None, "plannedAt": None, "timeout": 30,
    "tag": None,
    "detectEndOfSpeech": False, "voiceDetectionEnabled": False, "robotsBlockEnabled": False, "needRecording": False,
    "needRecognition": False, "smartDelay": None, "startTime": None, "endTime": None, "weekdays": None,
    "prevCallId": None, "useOutgoingPhoneForManager": False, "label": "shop",
}  # fmt: skip
_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :count) ",
    "postgresql": "WITH n AS (SELECT generate_series(1, :count) AS n) ",
}
_FILTERS = {
    "all": Filter(), "state waiting": Filter(state="waiting"), "state going on": Filter(state="going_on"),
    "state over": Filter(state="over"), "result busy": Filter(disposition="busy"),
    "result, rare": Filter(disposition="suppressed"), "result, none": Filter(disposition="interrupted"),
    "phone": Filter(phone="79000500000"), "phone, none": Filter(phone="79999999999"),
    "end of a phone": Filter(ending="4567"), "end, none": Filter(ending="x"), "number": Filter(number=500_000),
    "outgoing": Filter(outgoing="74950000001"), "outgoing, none": Filter(outgoing="1"),
    "tag": Filter(tag="rare"), "tag, none": Filter(tag="nothing"), "label": Filter(label="shop"),
    "label, none": Filter(label="nobody"), "dates": Filter(since=START + 300_000, until=START + 301_000),
    "dates, none": Filter(since=START - 2000, until=START - 1000),
    "busy in dates": Filter(disposition="busy", since=START + 300_000, until=START + 301_000),
    "busy, label, none": Filter(disposition="busy", label="nobody"),
}  # fmt: skip


def fill(database: Database, count: int) -> int:
    """The account that has them."""
    with database.write() as db:
        made, _ = accounts.add(db, database.seal, "million", balance=Decimal(1000), moderated=True, now=START)
        account = made.id
        row = {"account_id": account, "options": OPTIONS, "script": {}, "menu": {}, "created_at": START}
        db.execute(insert(requests), [row] * (count // 100))
        kind, concat = db.dialect.name, "CAST(79000000000 + n AS TEXT)"
        db.execute(
            text(
                _NUMBERS[kind] + "INSERT INTO api_calls (request_id, account_id, phone, outgoing, price, webhook_try,"
                " webhook_sent, created_at) SELECT 1 + (n - 1) / 100, :account, " + concat + ", '74950000001', 0, 0, 0,"
                " :start + n FROM n"
            ) if kind == "postgresql" else text(
                "INSERT INTO api_calls (request_id, account_id, phone, outgoing, price, webhook_try, webhook_sent,"
                " created_at) " + _NUMBERS[kind] + "SELECT 1 + (n - 1) / 100, :account, " + concat + ", '74950000001',"
                " 0, 0, 0, :start + n FROM n"
            ),
            {"count": count, "account": account, "start": START},
        )  # fmt: skip
        some = (
            "INSERT INTO calls (request_id, api_call_id, account_id, phone, outgoing, status, waits_for, due_at,"
            " created_at, updated_at, finished_at, disposition, heard_ms, answers, path, tags, to_block, held, cost)"
            " SELECT request_id, id, account_id, phone, outgoing,"
            " CASE WHEN id % 10 = 0 THEN 'created' WHEN id % 50001 = 1 THEN 'started' ELSE 'finished' END, 'plan',"
            " :start + 2000000 + id % 100000, created_at, created_at,"
            " CASE WHEN id % 10 = 0 OR id % 50001 = 1 THEN NULL ELSE created_at + 20 END,"
            " CASE WHEN id % 10 = 0 OR id % 50001 = 1 THEN NULL WHEN id = 777 THEN 'suppressed'"
            " WHEN id % 5 = 1 THEN 'busy' ELSE 'answered' END,"
            " 1000, '[]', '[]', CASE WHEN id % 9999 = 0 THEN '[\"rare\"]' ELSE '[]' END, 0, 0, 0"
            " FROM api_calls WHERE account_id = :account"
        )
        if kind == "postgresql":
            some = some.replace("'[]', '[]', CASE", "CAST('[]' AS json), CAST('[]' AS json), CASE")
            some = some.replace("'[\"rare\"]' ELSE '[]'", "CAST('[\"rare\"]' AS json) ELSE CAST('[]' AS json)")
        db.execute(text(some), {"account": account, "start": START})
    with database.write() as db:
        db.execute(text("ANALYZE"))
    return account


def main(url: str, count: int) -> None:
    """Fill, unless it is filled, and measure."""
    database = Database(url)
    database.migrate()
    with database.read() as db:
        there = db.execute(select(func.max(calls.c.account_id))).scalar_one()
    began = time.perf_counter()
    account = there or fill(database, count)
    print(f"filled in {time.perf_counter() - began:.1f} s")
    for name, wanted in _FILTERS.items():
        took = []
        for _ in range(5):
            began = time.perf_counter()
            with database.read() as db:
                found = call_table.page(db, account, wanted, None, 50)
                if found.rows:
                    call_table.newer(db, account, wanted, found.rows[0].id, 50)
            took.append((time.perf_counter() - began) * 1000)
        told = {"rows": len(found.rows), "looked": found.looked_until is not None}
        print(f"{name:22} {max(took):7.1f} ms at most  {sorted(took)[2]:7.1f} ms  {json.dumps(told)}")
    for name, plan in {"plans": plan_table.Filter(), "plans, none": plan_table.Filter(waits_for="redial")}.items():
        began = time.perf_counter()
        with database.read() as db:
            some = plan_table.page(db, account, plan, None, 50)
        page_ms = (time.perf_counter() - began) * 1000
        began = time.perf_counter()
        with database.read() as db:
            plan_table.hours(db, account, START + 2_000_000, 24)
        hours_ms = (time.perf_counter() - began) * 1000
        began = time.perf_counter()
        with database.read() as db:
            number = plan_table.count(db, account, plan)
        count_ms = (time.perf_counter() - began) * 1000
        print(
            f"{name:22} page {page_ms:.1f} ms {len(some.rows)}  hours {hours_ms:.1f} ms  {number} in {count_ms:.1f} ms"
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
