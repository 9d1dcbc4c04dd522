"""Scripts as JSON and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.model import Block, CallerId, File, Gather, Interrupt, Limits, Pause, Record, Script, Text, Transfer
from ivr.plain import dump, restore

words = st.text(max_size=8)
texts = st.builds(Text, words, st.sampled_from(["female", "male"]), st.none() | words)
items = st.one_of(st.builds(File, words), st.builds(Record, words), texts, st.builds(Pause, st.integers(1, 10_000)))
gathers = st.builds(
    Gather, st.integers(1, 9), st.integers(1, 9), st.none() | words, st.integers(1), st.integers(1), st.integers(1)
)
transfers = st.builds(
    Transfer, st.lists(words, max_size=2).map(tuple), st.sampled_from(CallerId), st.integers(1, 9000), words
)
blocks = st.builds(
    Block,
    words,
    st.lists(items, max_size=3).map(tuple),
    st.sampled_from(Interrupt),
    st.none() | gathers,
    st.lists(st.tuples(words, words), max_size=3).map(tuple),
    st.lists(words, max_size=3).map(tuple),
    st.none() | transfers,
)
scripts = st.builds(Script, words, words, st.lists(blocks, max_size=3).map(tuple), st.builds(Limits, st.integers(1)))


@given(scripts)
def test_a_script_survives_json_exactly(script: Script) -> None:
    restored = restore(json.loads(json.dumps(dump(script))))
    assert restored == script
    assert hash(restored) == hash(script)


def test_what_was_written_before_there_were_transfers_is_read() -> None:
    script = Script("x", "a", (Block("a", (File("f.wav"),), gather=Gather()),))
    plain = dump(script)
    del plain["blocks"][0]["transfer"]
    assert restore(plain) == script


@pytest.mark.parametrize(
    "plain", [{}, {"name": "x"}, {"name": "x", "start": "a", "limits": {"hours": 1}, "blocks": []}]
)
def test_what_is_no_script(plain: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a script"):
        restore(plain)
