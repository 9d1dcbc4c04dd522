from __future__ import annotations

import pytest
import typer

from zvonar.bench_media.command import turns
from zvonar.bench_media.options import counts, peers


def test_lists_are_taken_in_their_order() -> None:
    assert counts("50, 2000,1") == [50, 2000, 1]
    assert peers("asyncio, floor,asyncio") == ["asyncio", "floor"]
    assert peers("") == []


@pytest.mark.parametrize("text", ["", ",", "5,", "x", "0", "-1", "4001", "1.5", "٣", "1e3"])
def test_what_is_no_number_of_calls_is_named(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write for example 50,200,1000"):
        counts(text)


@pytest.mark.parametrize("text", ["zvonar", "floor,", "Floor", "floor asyncio"])
def test_an_unknown_peer_is_named(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is none of pyvoip, asyncio, asterisk, floor"):
        peers(text)


def test_the_plane_is_measured_before_each_peer() -> None:
    assert turns([]) == [("zvonar",)]
    assert turns(["floor", "asyncio"]) == [("zvonar", "floor"), ("zvonar", "asyncio")]
