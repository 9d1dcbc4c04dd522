"""A script as plain JSON data and back, exactly: what a journal keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivr.model import (
    Block,
    CallerId,
    File,
    Gather,
    Interrupt,
    Limits,
    Pause,
    PromptItem,
    Record,
    Script,
    Text,
    Transfer,
)


def dump(script: Script) -> dict[str, Any]:
    """Objects, lists, strings, numbers and None only; `restore` gives an equal script again."""
    return {
        "name": script.name,
        "start": script.start,
        "limits": {"duration_ms": script.limits.duration_ms, "visits": script.limits.visits},
        "blocks": [_dump_block(block) for block in script.blocks],
    }


def restore(plain: Mapping[str, Any]) -> Script:
    """The script that `dump` was given; ValueError if this is no such thing."""
    try:
        return Script(
            name=plain["name"],
            start=plain["start"],
            blocks=tuple(_restore_block(block) for block in plain["blocks"]),
            limits=Limits(**plain["limits"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a script as `dump` writes it: {error!r}") from error


def _dump_block(block: Block) -> dict[str, Any]:
    gather = block.gather
    return {
        "name": block.name,
        "prompt": [_dump_item(item) for item in block.prompt],
        "interrupt": str(block.interrupt),
        "gather": gather and {name: getattr(gather, name) for name in Gather.__slots__},
        "on": [list(pair) for pair in block.on],
        "tags": list(block.tags),
        "transfer": block.transfer and _dump_transfer(block.transfer),
    }


def _restore_block(plain: Mapping[str, Any]) -> Block:
    gather, transfer = plain["gather"], plain.get("transfer")  # which earlier versions did not write
    return Block(
        name=plain["name"],
        prompt=tuple(_restore_item(item) for item in plain["prompt"]),
        interrupt=Interrupt(plain["interrupt"]),
        gather=None if gather is None else Gather(**gather),
        on=tuple((outcome, target) for outcome, target in plain["on"]),
        tags=tuple(plain["tags"]),
        transfer=None if transfer is None else _restore_transfer(transfer),
    )


def _dump_transfer(transfer: Transfer) -> dict[str, Any]:
    return {
        "to": list(transfer.to),
        "caller_id": str(transfer.caller_id),
        "ring_ms": transfer.ring_ms,
        "digits": transfer.digits,
    }


def _restore_transfer(plain: Mapping[str, Any]) -> Transfer:
    return Transfer(tuple(plain["to"]), CallerId(plain["caller_id"]), plain["ring_ms"], plain.get("digits", ""))


def _dump_item(item: PromptItem) -> dict[str, Any]:
    match item:
        case File(path):
            return {"file": path}
        case Record(id):
            return {"record": id}
        case Text(text, voice, lang):
            return {"text": text, "voice": voice, "lang": lang}
        case Pause(ms):
            return {"pause_ms": ms}


def _restore_item(plain: Mapping[str, Any]) -> PromptItem:
    match plain:
        case {"file": path}:
            return File(path)
        case {"record": id}:
            return Record(id)
        case {"text": text, "voice": voice, "lang": lang}:
            return Text(text, voice, lang)
        case {"pause_ms": ms}:
            return Pause(ms)
    raise ValueError(f"{plain!r} is no item of a prompt")
