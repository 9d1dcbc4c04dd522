"""`ivrs` of the HTTP contract -> the same graph of blocks that a script is.

A menu takes one digit, waits 5 s for it and asks twice; a block without children plays its clip and hangs up.
A block is named by the digits that lead to it: `menu`, `menu.1`, `menu.1.2`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ivr.model import Block, Gather, Interrupt, Record, Script

ROOT = "menu"
KEYS = "0123456789*#"
MAX_DEPTH = 10  # menus below one another
MAX_BLOCKS = 500

# `*` and `#` are choices here, so nothing terminates.
MENU_GATHER = Gather(min=1, max=1, terminator=None, timeout_ms=5000, tries=2)


class MenuError(ValueError):
    """A menu that cannot be made; `path` is where, for example `ivrs[0].ivrs[2].digit`.

    `template` and `values` are the sentence and what stands in its braces, for those who say it in another language.
    """

    def __init__(self, path: str, template: str, **values: object) -> None:
        super().__init__(f"{path}: {template.format(**values)}")
        self.path = path
        self.template = template
        self.values = values


@dataclass(frozen=True, slots=True)
class MenuBlock:
    """What the service has to know of a block when a call reaches it. `digit` is "" for the first one."""

    digit: str
    id: str | None = None
    record: str | None = None
    tag: str | None = None
    webhook_url: str | None = None
    webhook_parameters: str | None = None
    need_block: bool = False


@dataclass(frozen=True, slots=True)
class Menu:
    """A script, and for each of its blocks what the request said of it."""

    script: Script
    blocks: Mapping[str, MenuBlock]


def compile_menu(record: str, ivrs: Sequence[Mapping[str, Any]], *, tag: str | None, voice: bool, name: str) -> Menu:
    """The menu of a `create`. `voice` lets the callee's voice stop the first clip. Raises MenuError.

    Each of `ivrs` has the contract's keys (`digit`, `id`, `record: {id}`, `tag`, `webhookUrl`,
    `webhookParameters`, `needBlock`, `ivrs`); numbers and their strings are the same, others are not looked at.
    """
    blocks: dict[str, Block] = {}
    notes: dict[str, MenuBlock] = {}
    _add(blocks, notes, ROOT, MenuBlock(digit="", record=record, tag=tag), ivrs, "ivrs")
    if voice:
        first = blocks[ROOT]
        interrupt = Interrupt.ANY if first.gather else Interrupt.VOICE
        blocks[ROOT] = Block(first.name, first.prompt, interrupt, first.gather, first.on, first.tags)
    return Menu(Script(name, ROOT, tuple(blocks.values())), notes)


def _add(
    blocks: dict[str, Block],
    notes: dict[str, MenuBlock],
    name: str,
    note: MenuBlock,
    children: Sequence[Mapping[str, Any]],
    path: str,
) -> None:
    if name.count(".") > MAX_DEPTH:
        raise MenuError(path, "menus are nested more than {most} deep", most=MAX_DEPTH)
    if len(blocks) >= MAX_BLOCKS:
        raise MenuError(path, "the menu has more than {most} blocks", most=MAX_BLOCKS)
    on: dict[str, str] = {}
    below: list[tuple[str, MenuBlock, Sequence[Mapping[str, Any]], str]] = []
    for index, child in enumerate(_children(children, path)):
        place = f"{path}[{index}]"
        child_note = _note(child, place)
        if child_note.digit in on:
            raise MenuError(
                f"{place}.digit", "{digit!r} is taken by another block of this menu", digit=child_note.digit
            )
        target = f"{name}.{child_note.digit}"
        on[child_note.digit] = target
        below.append((target, child_note, child.get("ivrs") or (), f"{place}.ivrs"))
    gather = MENU_GATHER if on else None
    blocks[name] = Block(
        name=name,
        prompt=() if note.record is None else (Record(note.record),),
        interrupt=Interrupt.DIGITS if gather else Interrupt.NONE,
        gather=gather,
        on=tuple(on.items()),
        tags=() if note.tag is None else (note.tag,),
    )
    notes[name] = note
    for target, child_note, grandchildren, place in below:
        _add(blocks, notes, target, child_note, grandchildren, place)


def _children(children: Any, path: str) -> Sequence[Mapping[str, Any]]:
    if isinstance(children, str) or not isinstance(children, Sequence):
        raise MenuError(path, "must be an array of blocks")
    for index, child in enumerate(children):
        if not isinstance(child, Mapping):
            raise MenuError(f"{path}[{index}]", "must be an object")
    return children


def _note(child: Mapping[str, Any], path: str) -> MenuBlock:
    digit = _word(child.get("digit"))
    if digit is None:
        raise MenuError(f"{path}.digit", "is required: one of 0-9, * and #")
    if len(digit) != 1 or digit not in KEYS:
        raise MenuError(f"{path}.digit", "{digit!r} is not one of 0-9, * and #", digit=digit[:20])
    record = child.get("record")
    if isinstance(record, Mapping):
        record = record.get("id")
    return MenuBlock(
        digit=digit,
        id=_word(child.get("id")),
        record=_word(record),
        tag=_word(child.get("tag")),
        webhook_url=_word(child.get("webhookUrl")),
        webhook_parameters=_word(child.get("webhookParameters")),
        need_block=_word(child.get("needBlock")) in ("1", "true", "True"),
    )


def _word(value: Any) -> str | None:
    """A scalar as the contract sends it, number or string; nothing and the empty string are None."""
    return None if value is None or value == "" or isinstance(value, (list, dict)) else str(value)
