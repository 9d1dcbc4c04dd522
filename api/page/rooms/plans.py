"""Plans: what waits, why, until when; and cancelling it."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from api.page import call_filter, outcomes
from api.page.visit import Visit, Way
from api.store import calls, plan_table
from api.store.plan_table import COUNTED, Filter

ON_A_PAGE = 50
HOURS = 24
_AT_ONCE = 2000  # cancelled in one transaction
REASONS = {"turn": "", "plan": "plan", "window": "window", "redial": "redial"}  # in the address -> in the store


def show(visit: Visit) -> Response:
    """A page of what waits, by due time, and how many start in the hours ahead."""
    wanted, now = _wanted(visit.query.get("why", ""), visit.query.get("phone", "")), visit.service.now()
    with visit.service.database.read() as db:
        found = plan_table.page(db, visit.account.id, wanted, _key(visit.query.get("after", "")), ON_A_PAGE)
        number = plan_table.count(db, visit.account.id, wanted)
        hours = plan_table.hours(db, visit.account.id, now, HOURS)
    fields = {name: visit.query[name] for name in ("why", "phone") if visit.query.get(name)}
    further = None
    if found.after is not None:
        further = "/plans?" + urlencode({**fields, "after": f"{found.after[0]!r}_{found.after[1]}"})
    return visit.page(
        "plans.html", rows=found.rows, number=number, counted=COUNTED, query=visit.query,
        filtered=bool(fields), now=now,
        further=further, paged=bool(visit.query.get("after")),
        first="/plans" + (f"?{urlencode(fields)}" if fields else ""),
        bars=_bars(hours, now, visit.account.timezone), planned=sum(hours),
        reasons=[(name, outcomes.WAITS_FOR[word]) for name, word in REASONS.items()], waits_for=outcomes.WAITS_FOR,
    )  # fmt: skip


def cancel(visit: Visit) -> Response:
    """Cancel one, or all that the filter matches: as `remove` of the contract does."""
    now, account = visit.service.now(), visit.account.id
    one = visit.text("call")
    if one.isascii() and one.isdigit() and len(one) <= 15:
        with visit.service.database.write() as db:
            calls.remove(db, account, [int(one)], now)
    elif visit.text("all") == "1":
        wanted, before = _wanted(visit.text("why"), visit.text("phone")), None
        while True:
            with visit.service.database.write() as db:
                numbers = plan_table.numbers(db, account, wanted, _AT_ONCE)
                if not numbers or numbers == before:
                    break
                calls.remove(db, account, numbers, now)
                before = numbers
    visit.service.told()
    return visit.go("/plans")


def _wanted(why: str, phone: str) -> Filter:
    return Filter(REASONS.get(why), call_filter.digits(phone[:60]))


def _key(text: str) -> tuple[float, int] | None:
    due, _, number = text.partition("_")
    try:
        return float(due), int(number)
    except ValueError:
        return None


def _bars(hours: list[int], now: float, timezone: str) -> list[dict[str, object]]:
    """The picture: {x, y, height, hour, number}, in a box of 720 by 90."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    most = max(hours) or 1
    return [
        {
            "x": place * 30 + 3, "y": round(90 - number / most * 84 - (2 if number else 0), 1),
            "height": round(number / most * 84 + (2 if number else 0), 1), "number": number,
            "hour": f"{datetime.fromtimestamp(now + place * 3600, ZoneInfo(timezone)):%H:%M}",
        }
        for place, number in enumerate(hours)
    ]  # fmt: skip


WAYS = (Way("GET", "/plans", show), Way("POST", "/plans/cancel", cancel))
