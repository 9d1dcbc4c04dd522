"""Calling windows by the wall clock: past midnight, and in the nights when the clock is changed."""

from __future__ import annotations

from datetime import datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.window import ALL_DAYS, Opening, Window

MOSCOW, BERLIN, LORD_HOWE = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")


def clock(text: str) -> time:
    return time.fromisoformat(text)


def window(start: str, end: str, zone: ZoneInfo = MOSCOW, days: frozenset[int] = ALL_DAYS) -> Window:
    return Window(clock(start), clock(end), days, zone)


def at(text: str, zone: ZoneInfo = MOSCOW, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def opening(opens: str, closes: str, zone: ZoneInfo = MOSCOW) -> Opening:
    return Opening(at(opens, zone), at(closes, zone))


@pytest.mark.parametrize(
    ("asked", "opens", "closes"),
    [
        ("2026-11-24 08:59", "2026-11-24 09:00", "2026-11-24 18:00"),
        ("2026-11-24 09:00", "2026-11-24 09:00", "2026-11-24 18:00"),
        ("2026-11-24 17:59:59", "2026-11-24 17:59:59", "2026-11-24 18:00"),
        ("2026-11-24 18:00", "2026-11-25 09:00", "2026-11-25 18:00"),
        ("2026-11-27 18:00", "2026-11-30 09:00", "2026-11-30 18:00"),  # Friday evening to Monday
    ],
)
def test_working_hours(asked: str, opens: str, closes: str) -> None:
    hours = window("09:00", "18:00", days=frozenset({1, 2, 3, 4, 5}))
    assert hours.next_opening(at(asked)) == opening(opens, closes)


@pytest.mark.parametrize(
    ("asked", "opens", "closes"),
    [
        ("2026-11-27 12:00", "2026-11-27 22:00", "2026-11-28 06:00"),
        ("2026-11-28 03:00", "2026-11-28 03:00", "2026-11-28 06:00"),  # it began on Friday
        ("2026-11-28 23:00", "2026-12-04 22:00", "2026-12-05 06:00"),  # Saturday is none of its days
    ],
)
def test_past_midnight(asked: str, opens: str, closes: str) -> None:
    nights = window("22:00", "06:00", days=frozenset({5}))
    assert nights.next_opening(at(asked)) == opening(opens, closes)


def test_days_without_hours() -> None:
    weekend = window("00:00", "00:00", days=frozenset({6, 7}))
    assert weekend.next_opening(at("2026-11-24 12:00")) == opening("2026-11-28 00:00", "2026-11-30 00:00")
    assert weekend.next_opening(at("2026-11-29 23:59")) == opening("2026-11-29 23:59", "2026-11-30 00:00")


def test_any_day_at_any_time_never_closes() -> None:
    assert window("00:00", "00:00").next_opening(5.0) == Opening(5.0, None)


def test_a_window_that_never_opens() -> None:
    assert window("09:00", "09:00").never_opens
    assert not window("00:00", "00:00").never_opens


def test_hours_that_the_spring_leaves_out() -> None:
    """29 March 2026 in Berlin: 02:00 becomes 03:00."""
    inside_the_gap = window("02:15", "02:45", BERLIN)
    assert inside_the_gap.next_opening(at("2026-03-29 00:00", BERLIN)) == opening(
        "2026-03-30 02:15", "2026-03-30 02:45", BERLIN
    )
    from_the_gap = window("02:30", "05:00", BERLIN)
    assert from_the_gap.next_opening(at("2026-03-29 00:00", BERLIN)) == opening(
        "2026-03-29 03:00", "2026-03-29 05:00", BERLIN
    )
    into_the_gap = window("01:00", "02:30", BERLIN)
    assert into_the_gap.next_opening(at("2026-03-29 00:00", BERLIN)) == opening(
        "2026-03-29 01:00", "2026-03-29 03:00", BERLIN
    )


def test_hours_that_the_autumn_repeats() -> None:
    """25 October 2026 in Berlin: 03:00 becomes 02:00, so 02:30 comes twice."""
    whole = window("01:00", "05:00", BERLIN).next_opening(at("2026-10-25 00:00", BERLIN))
    assert whole == opening("2026-10-25 01:00", "2026-10-25 05:00", BERLIN)
    assert whole.closes_at - whole.opens_at == 5 * 3600  # type: ignore[union-attr, operator]
    short = window("02:15", "02:45", BERLIN)
    first = short.next_opening(at("2026-10-25 00:00", BERLIN))
    assert first == Opening(at("2026-10-25 02:15", BERLIN), at("2026-10-25 02:45", BERLIN))
    second = short.next_opening(at("2026-10-25 02:45", BERLIN))
    assert second == Opening(at("2026-10-25 02:15", BERLIN, fold=1), at("2026-10-25 02:45", BERLIN, fold=1))


ZONES = st.sampled_from([MOSCOW, BERLIN, LORD_HOWE, ZoneInfo("America/St_Johns"), ZoneInfo("Pacific/Apia")])
CLOCKS = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
DAYS = st.frozensets(st.integers(1, 7), min_size=1)
MOMENTS = st.floats(1_000_000_000, 2_000_000_000) | st.sampled_from(
    [at(day, zone) for zone in (BERLIN, LORD_HOWE) for day in ("2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25")]
)


@given(CLOCKS, CLOCKS, DAYS, ZONES, MOMENTS)
def test_an_opening_is_the_next_and_whole(
    start: time, end: time, days: frozenset[int], zone: ZoneInfo, asked: float
) -> None:
    """Before it nothing is open, within it everything is, at its end nothing is: looked at minute by minute."""
    hours = Window(start, end, days, zone)
    if hours.never_opens:
        return
    found = hours.next_opening(asked)
    if found is None:  # a clock change may leave out the one opening of a week
        return
    assert found.opens_at >= asked
    assert hours.inside(found.opens_at)
    before = [asked + 60 * minute for minute in range(int((found.opens_at - asked) // 60))]
    assert not any(map(hours.inside, before))
    if found.closes_at is not None:
        assert not hours.inside(found.closes_at)
        within = [found.opens_at + 60 * minute for minute in range(int((found.closes_at - found.opens_at) // 60))]
        assert all(map(hours.inside, within))


@given(CLOCKS, CLOCKS, DAYS, ZONES, MOMENTS)
def test_openings_follow_one_another(
    start: time, end: time, days: frozenset[int], zone: ZoneInfo, asked: float
) -> None:
    hours = Window(start, end, days, zone)
    found: list[Opening] = []
    moment: float | None = asked
    while moment is not None and len(found) < 5:
        following = hours.next_opening(moment)
        if following is None:
            return
        found.append(following)
        moment = following.closes_at
    assert all((one.closes_at or 0) <= other.opens_at for one, other in pairwise(found))
