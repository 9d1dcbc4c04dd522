"""`ivrs` of the HTTP contract as blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ivr.events import Begin, Digit, EnterBlock, HangUp, PlayPrompt, PromptEnded
from ivr.interpreter import Interpreter
from ivr.menu import Menu, MenuBlock, MenuError, compile_menu
from ivr.model import Block, CallerId, Gather, Interrupt, Limits, Record, Transfer

Ivrs = Sequence[Mapping[str, Any]]


def menu(ivrs: Ivrs, *, tag: str | None = None, voice: bool = False) -> Menu:
    return compile_menu("7", ivrs, tag=tag, voice=voice, name="call 1")


def test_a_greeting_alone_plays_and_hangs_up() -> None:
    script = menu([], tag="welcome").script
    assert script.blocks == (Block("menu", (Record("7"),), tags=("welcome",)),)


def test_a_menu_within_a_menu() -> None:
    made = menu(
        [
            {"digit": "1", "id": 11, "record": {"id": 8}, "tag": "yes",
             "webhookUrl": "http://x", "webhookParameters": "{}"},
            {"digit": 2, "ivrs": [{"digit": "*", "needBlock": 1, "ivrs": []}, {"digit": "#"}]},
        ]
    )  # fmt: skip
    gather = Gather(1, 1, None, 5000, 3000, 2)
    assert made.script.start == "menu"
    first = (("1", "menu.1"), ("2", "menu.2"))
    assert made.script.block("menu") == Block("menu", (Record("7"),), Interrupt.DIGITS, gather, first)
    assert made.script.block("menu.1") == Block("menu.1", (Record("8"),), tags=("yes",))
    second = (("*", "menu.2.*"), ("#", "menu.2.#"))
    assert made.script.block("menu.2") == Block("menu.2", (), Interrupt.DIGITS, gather, second)
    assert made.blocks["menu.1"] == MenuBlock("1", "11", "8", "yes", "http://x", "{}")
    assert made.blocks["menu.2.*"] == MenuBlock("*", need_block=True)
    assert set(made.blocks) == {block.name for block in made.script.blocks}


def test_it_walks() -> None:
    interpreter = Interpreter(menu([{"digit": "1", "record": "8"}]).script)
    interpreter.step(Begin())
    out = interpreter.step(Digit("1"))
    assert EnterBlock("menu.1", ()) in out
    assert PlayPrompt(2, (Record("8"),), Interrupt.NONE) in out
    assert interpreter.step(PromptEnded(2, "ended"))[-1] == HangUp("end")


def test_a_manager() -> None:
    ivrs = [{"digit": 1, "record": 8, "managerPhone": "+74951234567", "ivrs": []}]
    made = menu(ivrs)
    assert made.script.block("menu.1") == Block(
        "menu.1", (Record("8"),), transfer=Transfer(("74951234567",), CallerId.CALLEE)
    )
    assert made.blocks["menu.1"].managers == ("74951234567",)
    assert made.script.limits == Limits(duration_ms=1_800_000)
    shown = compile_menu("7", ivrs, tag=None, voice=False, name="x", manager_caller_id=CallerId.OUTGOING)
    assert shown.script.block("menu.1").transfer == Transfer(("74951234567",), CallerId.OUTGOING)


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        (74951234567, ("74951234567",)),
        ("101, +102;103", ("101", "102", "103")),
        (["101", 102], ("101", "102")),
        *[(none, ()) for none in (None, "", " ", [], ",")],
    ],
)
def test_managers_as_clients_write_them(written: Any, numbers: tuple[str, ...]) -> None:
    made = menu([{"digit": 1, "managerPhone": written}])
    assert made.blocks["menu.1"].managers == numbers
    assert made.script.limits == (Limits(duration_ms=1_800_000) if numbers else Limits())


@pytest.mark.parametrize(("ivrs", "interrupt"), [([], Interrupt.VOICE), ([{"digit": 1}], Interrupt.ANY)])
def test_the_voice_may_stop_the_first_clip_only(ivrs: Ivrs, interrupt: Interrupt) -> None:
    script = menu(ivrs, voice=True).script
    assert script.block("menu").interrupt is interrupt
    assert all(block.interrupt is Interrupt.NONE for block in script.blocks if block.name != "menu")


@pytest.mark.parametrize("absent", [None, "", 0, False, "0", "false"])
def test_need_block_as_clients_write_no(absent: Any) -> None:
    assert not menu([{"digit": 1, "needBlock": absent}]).blocks["menu.1"].need_block


def nested(depth: int) -> Ivrs:
    return [{"digit": 1, "ivrs": nested(depth - 1)}] if depth else []


@pytest.mark.parametrize(
    ("ivrs", "path"),
    [
        ([{"digit": "1"}, {"digit": 1}], "ivrs[1].digit"),
        ([{"digit": 1, "ivrs": [{"digit": 1}, {"digit": 2}, {"digit": "A"}]}], "ivrs[0].ivrs[2].digit"),
        ([{"digit": "12"}], "ivrs[0].digit"),
        ([{"digit": ""}], "ivrs[0].digit"),
        ([{}], "ivrs[0].digit"),
        ([{"digit": [1]}], "ivrs[0].digit"),
        ([{"digit": 1}, 5], "ivrs[1]"),
        ("12", "ivrs"),
        ({"digit": 1}, "ivrs"),
        ([{"digit": 1, "ivrs": "x"}], "ivrs[0].ivrs"),
        ([{"digit": 1, "managerPhone": "12"}], "ivrs[0].managerPhone"),
        ([{"digit": 1, "managerPhone": ["101", "office"]}], "ivrs[0].managerPhone"),
        ([{"digit": 1, "managerPhone": "101," * 11}], "ivrs[0].managerPhone"),
        ([{"digit": 1, "managerPhone": "101", "ivrs": [{"digit": 2}]}], "ivrs[0].managerPhone"),
        (nested(11), "ivrs[0]" + ".ivrs[0]" * 10 + ".ivrs"),
    ],
)  # fmt: skip
def test_wrong_menus_name_the_place(ivrs: Ivrs, path: str) -> None:
    with pytest.raises(MenuError) as caught:
        menu(ivrs)
    assert caught.value.path == path


def test_depth_and_size_are_bounded() -> None:
    menu(nested(10))
    with pytest.raises(MenuError, match="more than 500 blocks"):
        menu(
            [
                {"digit": a, "ivrs": [{"digit": b, "ivrs": [{"digit": c} for c in range(8)]} for b in range(8)]}
                for a in range(8)
            ]
        )
