"""What things cost."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from api.tariff import MARGIN_S, Tariff

TARIFF = Tariff(60, Decimal("1.5"), {"7800": Decimal(0), "7": Decimal("2.25"), "79": Decimal(3)}, Decimal("0.9"), 200)


def test_the_longest_prefix_counts() -> None:
    prices = [str(TARIFF.price(phone)) for phone in ("79991234567", "74951234567", "78005553535", "380441234567")]
    assert prices == ["3", "2.25", "0", "1.5"]


def test_steps_are_started_steps() -> None:
    assert [TARIFF.steps(seconds) for seconds in (0, 0.1, 60, 60.1, 120)] == [0, 1, 1, 2, 2]


def test_clips_by_their_text() -> None:
    assert [str(TARIFF.clip_price("а" * length)) for length in (1, 200, 201)] == ["0.9", "0.9", "1.8"]


@given(st.decimals(0, 100, places=4), st.decimals(0, 1000, places=4), st.floats(1, 3600))
def test_a_bounded_call_costs_no_more_than_is_held(price: Decimal, more: Decimal, longest_s: float) -> None:
    """At creation the price of a step is held, later more; the call is hung up before it would cost more than that."""
    held = price + more
    pays_for_s = min(TARIFF.affordable_s(price, held), longest_s)
    assert price * TARIFF.steps(pays_for_s) <= held
    if held >= TARIFF.at_most(price, longest_s):
        assert pays_for_s >= longest_s - MARGIN_S
