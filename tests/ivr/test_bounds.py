"""How long a script can keep a callee."""

from __future__ import annotations

from ivr.bounds import longest_ms
from ivr.menu import compile_menu
from ivr.model import Block, Gather, Limits, Pause, PromptItem, Record, Script, Transfer


def plays(_item: PromptItem) -> int:
    return 4000


def test_a_clip_alone() -> None:
    assert longest_ms(compile_menu("1", [], tag=None, voice=False, name="x").script, plays) == 4000


def test_a_menu_asks_twice_and_goes_the_longest_way() -> None:
    ivrs = [{"digit": 1}, {"digit": 2, "record": 5, "ivrs": [{"digit": 3, "record": 6}]}]
    script = compile_menu("1", ivrs, tag=None, voice=False, name="x").script
    assert longest_ms(script, plays) == 2 * (4000 + 5000) + 2 * (4000 + 5000) + 4000


def test_a_loop_is_bounded_by_the_script() -> None:
    again = Block("a", (Record("1"), Pause(500)), gather=Gather(), on=(("1", "a"),))
    assert longest_ms(Script("x", "a", (again,), Limits(duration_ms=90_000)), plays) == 90_000


def test_a_talk_with_a_manager_is_bounded_by_the_script() -> None:
    blocks = (
        Block("a", (Record("1"),), gather=Gather(), on=(("1", "b"),)),
        Block("b", transfer=Transfer(("101",))),
    )
    assert longest_ms(Script("x", "a", blocks, Limits(duration_ms=90_000)), plays) == 90_000
    assert longest_ms(Script("x", "a", (blocks[0], Block("b"))), plays) == 9000


def test_several_digits_take_their_time() -> None:
    block = Block("a", (), gather=Gather(min=1, max=4, timeout_ms=5000, between_ms=3000, tries=2))
    assert longest_ms(Script("x", "a", (block,)), plays) == 2 * (5000 + 3 * 3000)
