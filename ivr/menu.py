"""`ivrs` of the HTTP contract -> the same graph of blocks that a script is.

A menu takes one digit, waits 5 s for it and asks twice; a block without children plays its clip and hangs up.
A block with a `managerPhone` plays its clip, connects the callee to the manager (to the first who answers, where it is
several numbers), and hangs up when either hangs up. A block is named by the digits that lead to it: `menu`, `menu.1`,
`menu.1.2`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ivr.model import Block, CallerId, Gather, Interrupt, Limits, Record, Script, Transfer
from ivr.transfer import MAX_MANAGERS, number_of

ROOT = "menu"
KEYS = "0123456789*#"
MAX_DEPTH = 10  # menus below one another
MAX_BLOCKS = 500

# `*` and `#` are choices here, so nothing terminates.
MENU_GATHER = Gather(min=1, max=1, terminator=None, timeout_ms=5000, tries=2)
# A talk is no menu: the usual ten minutes would cut it.
MANAGER_LIMITS = Limits(duration_ms=30 * 60_000)
_BETWEEN_NUMBERS = re.compile(r"[,;]")


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
    managers: tuple[str, ...] = ()  # digits without plus, tried in order


@dataclass(frozen=True, slots=True)
class Menu:
    """A script, and for each of its blocks what the request said of it."""

    script: Script
    blocks: Mapping[str, MenuBlock]


def compile_menu(
    record: str,
    ivrs: Sequence[Mapping[str, Any]],
    *,
    tag: str | None,
    voice: bool,
    name: str,
    manager_caller_id: CallerId = CallerId.CALLEE,
) -> Menu:
    """The menu of a `create`. `voice` lets the callee's voice stop the first clip. Raises MenuError.

    Each of `ivrs` has the contract's keys (`digit`, `id`, `record: {id}`, `tag`, `webhookUrl`,
    `webhookParameters`, `needBlock`, `managerPhone`, `ivrs`); numbers and their strings are the same, others are not
    looked at. `managerPhone` is a number, several with commas between them, or an array.
    """
    blocks: dict[str, Block] = {}
    notes: dict[str, MenuBlock] = {}
    _add(blocks, notes, ROOT, MenuBlock(digit="", record=record, tag=tag), ivrs, "ivrs")
    if voice:
        first = blocks[ROOT]
        interrupt = Interrupt.ANY if first.gather else Interrupt.VOICE
        blocks[ROOT] = replace(first, interrupt=interrupt)
    transfers = {
        block.name: replace(block, transfer=Transfer(notes[block.name].managers, manager_caller_id))
        for block in blocks.values()
        if notes[block.name].managers
    }
    limits = MANAGER_LIMITS if transfers else Limits()
    return Menu(Script(name, ROOT, tuple((blocks | transfers).values()), limits), notes)


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
        if child_note.managers and child.get("ivrs"):
            raise MenuError(
                f"{place}.managerPhone", "a block that connects to a manager takes no digits: remove its ivrs"
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
        managers=_managers(child.get("managerPhone"), f"{path}.managerPhone"),
    )


def _managers(value: Any, path: str) -> tuple[str, ...]:
    written = value if isinstance(value, list | tuple) else _BETWEEN_NUMBERS.split(_word(value) or "")
    words = [word for one in written if (word := (_word(one) or "").strip())]
    if len(words) > MAX_MANAGERS:
        raise MenuError(path, "{count} managers; name {most} at most", count=len(words), most=MAX_MANAGERS)
    found = []
    for word in words:
        number = number_of(word)
        if number is None:
            raise MenuError(path, "{number!r} is no telephone number: give 3 to 15 digits", number=word[:20])
        found.append(number)
    return tuple(found)


def _word(value: Any) -> str | None:
    """A scalar as the contract sends it, number or string; nothing and the empty string are None."""
    return None if value is None or value == "" or isinstance(value, (list, dict)) else str(value)
