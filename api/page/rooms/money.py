"""Money: what is there, what it went for, and what a call would cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from starlette.responses import Response

from api import phones
from api.fields import Unfit
from api.messages import Message
from api.page import paging, sheet
from api.page.visit import Visit, Way
from api.store import money
from api.store.money import Entry, Filter
from api.views import money as plain

ON_A_PAGE = 50
MAX_SECONDS = 24 * 3600
_READ_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call of so many seconds would cost."""

    phone: str
    seconds: int
    price: Decimal  # of a step
    steps: int
    cost: Decimal
    suffices: bool


def show(visit: Visit) -> Response:
    """Balance, tariff, ledger."""
    which = _filter(visit)
    before = paging.number(visit.query, "before")
    with visit.service.database.read() as db:
        found = money.page(db, visit.account.id, which, before, ON_A_PAGE + 1)
    shown = found[:ON_A_PAGE]
    cost, errors = _cost(visit)
    return visit.page(
        "money.html", entries=shown, kind=which.kind, since=visit.query.get("since", ""),
        until=visit.query.get("until", ""), tariff=visit.service.tariff, cost=cost, errors=errors,
        asked=(visit.query.get("phone", ""), visit.query.get("seconds", "")),
        paged=before is not None,
        older_page=paging.address("/money", visit.query, before=shown[-1].line.id) if len(found) > ON_A_PAGE else None,
        csv=paging.address("/money.csv", {name: visit.query.get(name, "") for name in ("kind", "since", "until")}),
        filtered=which != Filter(),
    )  # fmt: skip


def save(visit: Visit) -> Response:
    """The lines that are filtered, as CSV; newest first."""
    head = [name.render(visit.language) for name in _HEAD]
    return sheet.response("ledger", visit.language, head, _rows(visit, _filter(visit)))


_HEAD = (
    Message("Number"), Message("Time"), Message("Kind"), Message("Amount"), Message("Balance after it"),
    Message("Call"), Message("Telephone"), Message("Record"), Message("Comment"),
)  # fmt: skip


def _rows(visit: Visit, which: Filter) -> Iterator[list[object]]:
    before: int | None = None
    zone = ZoneInfo(visit.account.timezone)
    while True:
        with visit.service.database.read() as db:
            found = money.page(db, visit.account.id, which, before, _READ_AT_ONCE)
        for entry in found:
            yield _row(entry, zone)
        if len(found) < _READ_AT_ONCE:
            return
        before = found[-1].line.id


def _row(entry: Entry, zone: ZoneInfo) -> list[object]:
    line = entry.line
    at = datetime.fromtimestamp(line.created_at, zone)
    # A number below zero is no formula: it comes as one, not as a text.
    return [
        line.id, f"{at:%Y-%m-%d %H:%M:%S}", line.kind, _Plain(plain(line.amount)), _Plain(plain(line.balance)),
        entry.api_call_id or "", entry.phone or "", entry.record_name or "", line.comment,
    ]  # fmt: skip


class _Plain:
    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def _filter(visit: Visit) -> Filter:
    kind = visit.query.get("kind", "")
    zone = ZoneInfo(visit.account.timezone)
    until = _midnight(visit.query.get("until", ""), zone, days=1)
    kind = kind if kind in (money.CREDIT, money.CALL, money.CLIP) else ""
    return Filter(kind, _midnight(visit.query.get("since", ""), zone, days=0), until)


def _midnight(text: str, zone: ZoneInfo, days: int) -> float | None:
    try:
        day = datetime.fromisoformat(text[:10])
        return (day.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=zone).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def _cost(visit: Visit) -> tuple[Cost | None, dict[str, str]]:
    """What was asked for, or what is wrong with it by field."""
    if "phone" not in visit.query:
        return None, {}
    errors: dict[str, str] = {}
    phone = ""
    try:
        phone = phones.normal(visit.query["phone"])
    except Unfit as error:
        errors["phone"] = error.message.render(visit.language)
    seconds = paging.number(visit.query, "seconds")
    if seconds is None or seconds > MAX_SECONDS:
        wrong = Message("give a whole number of seconds, from 1 to {most}", most=MAX_SECONDS)
        errors["seconds"] = wrong.render(visit.language)
    if errors or seconds is None:
        return None, errors
    tariff = visit.service.tariff
    price, steps = tariff.price(phone), tariff.steps(seconds)
    free = visit.account.balance - visit.account.held
    return Cost(phone, seconds, price, steps, price * steps, price * steps <= free), {}


WAYS = (Way("GET", "/money", show), Way("GET", "/money.csv", save))
