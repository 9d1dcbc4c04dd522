"""Errors: how often the account's requests were refused, by hour, method and code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from starlette.responses import Response

from api.messages import in_language
from api.page.visit import Visit, Way
from api.problems import PROBLEMS, Code
from api.store import refusals
from api.store.refusals import HOUR_S

DAYS = (1, 7, 30)
WIDTH, HEIGHT = 720, 160  # of the picture, in units of its own


class Bar(NamedTuple):
    """An hour in the picture."""

    x: float
    y: float
    width: float
    height: float
    at: float  # when the hour began
    many: int


def show(visit: Visit) -> Response:
    """The picture and the table of some days."""
    asked = visit.query.get("days", "")
    days = int(asked) if asked in map(str, DAYS) else DAYS[1]
    last = int(visit.service.now() // HOUR_S)
    first = last - days * 24 + 1
    with visit.service.database.read() as db:
        by_hour = refusals.by_hour(db, visit.account.id, first)
        totals = refusals.totals(db, visit.account.id, first)
    return visit.page(
        "refusals.html", days=days, spans=DAYS, bars=bars(by_hour, first, last), most=max(by_hour.values(), default=0),
        total=sum(by_hour.values()), totals=totals, first=first * HOUR_S, width=WIDTH, height=HEIGHT,
        title=lambda code: _title(code, visit.language),
    )  # fmt: skip


def _title(code: str, language: str) -> str:
    return in_language(PROBLEMS[Code(code)].title, language) if code in list(Code) else code


def bars(by_hour: Mapping[int, int], first: int, last: int) -> list[Bar]:
    """A bar for each hour from the first to the last that had any; the highest is as high as the picture."""
    width, most = WIDTH / (last - first + 1), max(by_hour.values(), default=1)
    found = []
    for hour, count in sorted(by_hour.items()):
        height = max(2.0, HEIGHT * count / most)
        x = (hour - first) * width
        found.append(Bar(round(x, 2), round(HEIGHT - height, 2), round(max(width * 0.8, 0.8), 2), round(height, 2),
                         hour * HOUR_S, count))  # fmt: skip
    return found


WAYS = (Way("GET", "/refusals", show),)
