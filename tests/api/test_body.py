"""All forms of a body come to the same values."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import body
from api.refusal import Refusal

NAMES = st.text("abcXYZ_", min_size=1, max_size=6)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8)
TREES = st.recursive(
    TEXTS,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3),
    max_leaves=12,
)


def flat(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, item in value.items() for pair in flat(f"{name}[{key}]", item)]
    if isinstance(value, list):
        return [pair for index, item in enumerate(value) for pair in flat(f"{name}[{index}]", item)]
    return [(name, value)]


@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_form_and_json_are_the_same(values: dict[str, Any]) -> None:
    pairs = [pair for name, value in values.items() for pair in flat(name, value)]
    form = urlencode(pairs).encode()
    raw_brackets = "&".join(f"{name}={quote(value)}" for name, value in pairs).encode()
    text = json.dumps(values).encode()
    assert body.parse("application/x-www-form-urlencoded", form) == values
    assert body.parse("application/x-www-form-urlencoded", raw_brackets) == values
    assert body.parse("application/json", text) == values
    assert body.parse("application/x-www-form-urlencoded", text) == values
    assert body.parse("", text) == values
    body.check(values)


@given(
    st.binary(max_size=200),
    st.sampled_from(["application/json", "application/x-www-form-urlencoded", "", "text/plain"]),
)
def test_any_bytes_are_read_or_refused(raw: bytes, kind: str) -> None:
    with contextlib.suppress(Refusal):  # nothing else may be raised
        body.check(body.parse(kind, raw))


@pytest.mark.parametrize(
    ("pairs", "values"),
    [
        ([("a[]", "1"), ("a[]", "2")], {"a": ["1", "2"]}),
        ([("a[0][b]", "1"), ("a[1][b]", "2")], {"a": [{"b": "1"}, {"b": "2"}]}),
        ([("a[1]", "y"), ("a[0]", "x")], {"a": ["x", "y"]}),
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("a", "1"), ("a[b]", "2")], {"a": {"b": "2"}}),
        ([("a[b", "1")], {"a[b": "1"}),
        ([("[]", "1")], {"[]": "1"}),
    ],
)
def test_nesting(pairs: list[tuple[str, str]], values: dict[str, Any]) -> None:
    assert body.nested(pairs) == values


def test_nesting_is_bounded() -> None:
    with pytest.raises(Refusal):
        body.nested([("a" + "[b]" * 100, "1")])


@pytest.mark.parametrize("value", ["\0", "\ud800", {"a\0": 1}, [["\0"]]])
def test_what_no_field_can_hold(value: Any) -> None:
    with pytest.raises(Refusal):
        body.check({"field": value})
