"""A number and its string are the same; 0/1 and false/true likewise."""

from __future__ import annotations

import contextlib
import itertools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import api.blacklist
import api.create_fields
import api.get
import api.moderation
import api.record
import api.templates
import api.webhooks
from api import fields
from api.create_fields import Create, SaveTemplate
from api.fields import Unfit
from api.messages import RUSSIAN
from api.refusal import Refusal


@given(st.integers(-fields.MAX_INTEGER, fields.MAX_INTEGER))
def test_whole_numbers(number: int) -> None:
    assert fields.integer(number) == number
    assert len(str(number)) > 17 or fields.integer(str(number)) == number


@pytest.mark.parametrize("value", ["x", 1.5, "1.5", [], [1], {"a": 1}, 2**60, "9" * 5000, float("inf"), float("nan")])
def test_no_whole_number(value: Any) -> None:
    if value == []:
        assert fields.integer(value) is None
        return
    with pytest.raises(Unfit):
        fields.integer(value)


@pytest.mark.parametrize(
    ("value", "meant"),
    [(1, 1), ("1", 1), (True, 1), ("true", 1), (0, 0), ("0", 0), (False, 0), ("false", 0), (None, 0), ("", 0)],
)
def test_flags(value: Any, meant: int) -> None:
    assert fields.flag(value) == meant


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
NAMES = [spec.alias or name for name, spec in Create.model_fields.items()]


@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6))
def test_any_values_are_taken_or_refused(values: dict[str, Any]) -> None:
    with contextlib.suppress(Refusal):  # nothing else may be raised
        fields.take(Create, values)


METHODS = [api.blacklist.AddPhones, api.create_fields.CreateWithTemplate, api.get.Get, api.get.Remove,
           api.moderation.Decision, api.record.CreateRecord, api.record.DeleteRecord, api.templates.GetTemplates,
           api.webhooks.ListWebhooks, api.webhooks.Resend, Create, SaveTemplate]  # fmt: skip
INNER = ["digit", "record", "ivrs", "id", "text", "gender", "phone", "comment", "webhookUrl", "webhookHeaders"]
NESTED = st.recursive(
    JSON | st.sampled_from(["[1", "[[1]]", '{"a": 1}', '[{"digit": []}]', "1,x", "1e999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("model", METHODS, ids=lambda model: model.__name__)
@given(st.data())
def test_what_is_refused_is_said_in_russian(model: type[fields.Fields], data: st.DataObject) -> None:
    """Whatever is wrong, and whoever finds it, pydantic too."""
    names = [spec.alias or name for name, spec in model.model_fields.items()]
    try:
        fields.take(model, data.draw(st.dictionaries(st.sampled_from(names), NESTED, max_size=6)))
    except Refusal as refusal:
        for message in [*itertools.chain(*refusal.errors.values())]:
            assert message != fields.UNFIT  # nothing is as vague as that
            assert re.search("[а-яё]", message.render(RUSSIAN))


@pytest.mark.parametrize(
    "url", ["http://a", "https://example.com:8443/x?y=1#z", "http://127.0.0.1:80/", "http://[::1]/"]
)
def test_addresses(url: str) -> None:
    assert fields.take(Create, {"webhookUrl": url}).webhook_url == url


@pytest.mark.parametrize(
    "url", ["a", "//a", "http://", "http://a:99999/", "http://a b/", "file:///etc/passwd", "http://a\n/", 5, "h" * 3000]
)
def test_no_addresses(url: Any) -> None:
    with pytest.raises(Refusal):
        fields.take(Create, {"webhookUrl": url})


@pytest.mark.parametrize("value", ['{"a": NaN}', '{"a": [-Infinity]}', '{"a": 1e999}', {"a": float("inf")}, "[1]", "{"])
def test_parameters_that_no_webhook_can_carry(value: Any) -> None:
    with pytest.raises(Refusal):
        fields.take(Create, {"webhookParameters": value})
