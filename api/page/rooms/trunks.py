"""Numbers and trunks: their state, what goes over them, the last hour; the nodes and the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from starlette.responses import Response

from api import numbers
from api.overview import STARTS_OVER_S, Look, Minute
from api.page.roles import OPERATORS
from api.page.visit import Visit, Way
from api.store.nodes import DEAD_AFTER_S
from engine.config import TrunkConfig

HEIGHT = 100.0  # of the picture; a minute is 10 wide


@dataclass(frozen=True, slots=True)
class Registration:
    """Of a trunk at a node."""

    node: str
    up: bool
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class Number:
    """An outgoing number of a trunk."""

    digits: str
    calls: int
    starts: Decimal  # a second


@dataclass(frozen=True, slots=True)
class Bar:
    """A minute in the picture: heights and places from the top."""

    minute: Minute
    clock: str
    x: int
    answered: float
    failed: float
    y_answered: float
    y_failed: float


@dataclass(frozen=True, slots=True)
class Picture:
    """The last hour; `running` are the points of a line."""

    bars: Sequence[Bar]
    running: str
    most: int
    answered: int
    failed: int
    faults: int
    peak: int


@dataclass(frozen=True, slots=True)
class Trunk:
    """A trunk as it is shown."""

    config: TrunkConfig
    registrations: Sequence[Registration]
    calls: int
    starts: Decimal
    numbers: Sequence[Number]
    picture: Picture


def show(visit: Visit) -> Response:
    """The page; for htmx only what changes."""
    look = visit.service.overview.look()
    calls_of = {node.id: sum(now.count for now in look.now if now.node == node.id) for node in look.nodes}
    return visit.page(
        "trunks_live.html" if visit.partial else "trunks.html",
        trunks=[_trunk(trunk, look, visit.account.timezone) for trunk in visit.service.trunks],
        nodes=look.nodes, waits=look.waits, at=look.at, calls_of=calls_of, here=visit.service.node_id,
        dead_after=DEAD_AFTER_S,
    )  # fmt: skip


def _trunk(config: TrunkConfig, look: Look, timezone: str) -> Trunk:
    mine = [now for now in look.now if now.trunk == config.name]
    registrations = [
        Registration(node.id, state["up"], state["reason"], state["at"])
        for node in look.nodes
        if config.register_ and (state := node.trunks.get(config.name)) is not None
    ]
    starts = sum(count for (trunk, _), count in look.starts.items() if trunk == config.name)
    return Trunk(
        config=config,
        registrations=registrations,
        calls=sum(now.count for now in mine),
        starts=_a_second(starts),
        numbers=[
            Number(
                digits,
                sum(now.count for now in mine if now.number == digits),
                _a_second(look.starts[config.name, digits]),
            )
            for digits in numbers.of_trunk(config)
        ],
        picture=picture(look.minutes(config.name), timezone),
    )


def _a_second(count: int) -> Decimal:
    return Decimal(count) / STARTS_OVER_S


def picture(minutes: Sequence[Minute], timezone: str) -> Picture:
    """The minutes drawn; bars and line have one scale."""
    most = max((max(minute.answered + minute.failed, minute.running) for minute in minutes), default=0)
    scale = HEIGHT / max(most, 1)
    zone = ZoneInfo(timezone)
    bars = []
    for place, minute in enumerate(minutes):
        answered, failed = minute.answered * scale, minute.failed * scale
        clock = f"{datetime.fromtimestamp(minute.at, zone):%H:%M}"
        bars.append(
            Bar(minute, clock, place * 10, round(answered, 2), round(failed, 2), round(HEIGHT - answered, 2),
                round(HEIGHT - answered - failed, 2))
        )  # fmt: skip
    line = " ".join(f"{place * 10 + 5},{HEIGHT - minute.running * scale:.2f}" for place, minute in enumerate(minutes))
    return Picture(
        bars=bars,
        running=line,
        most=most,
        answered=sum(minute.answered for minute in minutes),
        failed=sum(minute.failed for minute in minutes),
        faults=sum(minute.faults for minute in minutes),
        peak=max((minute.running for minute in minutes), default=0),
    )


WAYS = (Way("GET", "/trunks", show, OPERATORS),)
