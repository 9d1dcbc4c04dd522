"""Telephone numbers as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import phones
from api.fields import Unfit


@pytest.mark.parametrize(
    "written",
    [
        "79991234567",
        79991234567,
        79991234567.0,
        "+7 (999) 123-45-67",
        "8 999 123 45 67",
        "89991234567",
        " 7-999-123-45-67 ",
        "7.999.123.45.67",
        "+7\u00a0999\u2011123\u201345\u201367",
    ],
)
def test_eleven_digits(written: Any) -> None:
    assert phones.normal(written) == "79991234567"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "abc",
        "7999123456",
        "799912345678",
        None,
        True,
        [],
        {},
        1.5,
        "+",
        "09991234567",
        "٧٩٩٩١٢٣٤٥٦٧",
        "7999123456x",
        "++79991234567",
    ],
)
def test_no_number(written: Any) -> None:
    with pytest.raises(Unfit):
        phones.normal(written)


@given(st.text(max_size=30))
def test_eleven_digits_or_none(written: str) -> None:
    try:
        digits = phones.normal(written)
    except Unfit:
        return
    assert len(digits) == 11
    assert digits.isdigit()
    assert phones.normal(digits) == digits


def test_lists() -> None:
    assert phones.listed("1, 2;3\n4,") == ["1", " 2", "3", "4"]
    assert phones.listed('["1", "2"]') == ["1", "2"]
    assert phones.listed({"0": "1", "x": "2"}) == ["1", "2"]
    assert phones.listed(5) == [5]
    assert phones.listed(None) == []
    with pytest.raises(Unfit):
        phones.listed(["1"] * (phones.MAX_PHONES + 1))
