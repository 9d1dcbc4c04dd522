"""What the scripts of the voice menu are told is what the engine and the API do."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from page_visitor import signed_in

from api.create_fields import Block
from api.messages import ENGLISH, RUSSIAN
from api.page import menu_facts
from api.page.menu_facts import told
from ivr.menu import MENU_GATHER, MenuError, compile_menu


class _Facts(HTMLParser):
    """The text of the element that the scripts read."""

    inside, text = False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = ("id", "menu-facts") in attrs

    def handle_data(self, data: str) -> None:
        self.text += data if self.inside else ""

    def handle_endtag(self, tag: str) -> None:
        self.inside = False


def _nested(deep: int) -> list[dict[str, Any]]:
    return [{"digit": "1", "ivrs": _nested(deep - 1)}] if deep else []


def test_bounds_are_the_engine_s() -> None:
    facts = told(ENGLISH)
    made = compile_menu("1", [{"digit": key} for key in facts["keys"]], tag=None, voice=False, name="t").script
    assert {block.name for block in made.blocks} == {facts["root"]} | {
        f"{facts['root']}.{key}" for key in facts["keys"]
    }
    assert (facts["wait_s"] * 1000, facts["tries"]) == (MENU_GATHER.timeout_ms, MENU_GATHER.tries)
    compile_menu("1", _nested(facts["most_deep"]), tag=None, voice=False, name="t")
    with pytest.raises(MenuError):
        compile_menu("1", _nested(facts["most_deep"] + 1), tag=None, voice=False, name="t")


def test_as_many_blocks_as_told_and_no_more() -> None:
    keys, most = told(ENGLISH)["keys"], told(ENGLISH)["most_blocks"]
    whole = [{"digit": a, "ivrs": [{"digit": b, "ivrs": [{"digit": c} for c in keys]} for b in keys]} for a in keys]
    left = most

    def cut(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        nonlocal left
        kept = []
        for block in blocks:
            if left:
                left -= 1
                kept.append({**block, "ivrs": cut(block.get("ivrs", []))})
        return kept

    menu = cut(whole)
    assert len(compile_menu("1", menu, tag=None, voice=False, name="t").blocks) == most + 1
    left = most + 1
    with pytest.raises(MenuError):
        compile_menu("1", cut(whole), tag=None, voice=False, name="t")


def test_what_is_refused_is_told_in_words() -> None:
    assert told(RUSSIAN)["off"]["recognize"].startswith("пока недоступно")
    assert told(ENGLISH)["off"].keys() == {"recognize", "smsText"}


def test_what_is_taken_is_not_called_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(menu_facts, "_GOOD", {"tag": "yes", "needBlock": 1})
    assert told(ENGLISH)["off"] == {}
    assert Block.model_validate({"digit": "1", "tag": "yes"}).tag == "yes"


def test_the_emulator_s_page_bears_them(running: Any, client: Any) -> None:
    with signed_in(running.service.database, running.url) as visitor:
        page = visitor.get("/", headers={"Accept-Language": "en"}).text
    read = _Facts()
    read.feed(page)
    assert json.loads(read.text) == json.loads(json.dumps(told(ENGLISH)))
