"""Which outcomes a block can have: what its `on` may name.

done               a block that only plays; one whose `on` names no string of digits: any that is complete
ended, failed      a transfer; so are busy, no_answer, rejected, for which `failed` stands in
a string of digits a gather that can bring it (its length fits, the terminator is not in it)
invalid, silence   a gather
voice              a prompt whose interrupt is `voice` or `any`
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ivr.model import DONE, ENDED, FAILED, FINER, INVALID, SILENCE, VOICE, Block, Gather, Interrupt
from ivr.value import Value, did_you_mean

DIGITS = re.compile(r"[0-9*#A-D]+")
OF_TRANSFER = (ENDED, FAILED, *sorted(FINER))


def is_digits(outcome: str) -> bool:
    """The outcome is a string of keys, not a word."""
    return DIGITS.fullmatch(outcome) is not None


def check_outcomes(block: Block, keys: Sequence[Value]) -> None:
    """Raise ScriptError for the first key of `on` that is no outcome of this block."""
    named = [str(key.node.value) for key in keys]
    digits = [name for name in named if is_digits(name)]
    for key, name in zip(keys, named, strict=True):
        if name in digits:
            _check_digits(block, key, name)
        elif name == DONE and block.gather and digits:
            raise key.wrong(
                "'done' stands beside strings of digits", "another string is `invalid`: name that, or no string"
            )
        elif name == VOICE:
            _check_voice(block, key)
        elif name in (INVALID, SILENCE) and block.gather is None:
            raise key.wrong(f"{name!r} needs a `gather`", "add `gather: {digits: 1}`, or use `done`")
        elif name in OF_TRANSFER and block.transfer is None:
            raise key.wrong(f"{name!r} needs a `transfer`", 'add `transfer: {to: "+74951234567"}` to the block')
        elif name == DONE and block.transfer is not None:
            raise key.wrong("'done' cannot happen here", "a transfer ends as `ended` or `failed`")
        elif name not in (DONE, INVALID, SILENCE, *OF_TRANSFER):
            raise key.wrong(f"{key.shown} is no outcome of block {block.name!r}", did_you_mean(name, _words(block)))


def _words(block: Block) -> list[str]:
    if block.transfer is not None:
        return [*OF_TRANSFER, VOICE]
    return [DONE, VOICE] if block.gather is None else ["a string of digits", INVALID, SILENCE, VOICE]


def _check_voice(block: Block, key: Value) -> None:
    if block.interrupt not in (Interrupt.VOICE, Interrupt.ANY):
        raise key.wrong("'voice' cannot happen here", "add `interrupt: voice` or `interrupt: any` to the block")
    if not block.prompt:
        raise key.wrong("'voice' cannot happen here", "add a `prompt` that it may interrupt")


def _check_digits(block: Block, key: Value, digits: str) -> None:
    if not key.quoted and len(digits) > 1 and digits.startswith("0"):
        raise key.wrong(f"{digits} begins with a zero and may be read as a number", f'write "{digits}"')
    if block.gather is None:
        raise key.wrong(f'"{digits}" needs a `gather`', f"add `gather: {{digits: {len(digits)}}}` to the block")
    problem = never(block.gather, digits)
    if problem is not None:
        raise key.wrong(f'"{digits}" can never come: {problem[0]}', problem[1])


def never(gather: Gather, digits: str) -> tuple[str, str] | None:
    """Why this gather cannot bring that string, with the remedy; None if it can."""
    if gather.terminator is not None and gather.terminator in digits:
        return f"{gather.terminator} is the terminator", "add `terminator: none` to the gather"
    if not gather.min <= len(digits) <= gather.max:
        wanted = str(gather.min) if gather.min == gather.max else f"{gather.min} to {gather.max}"
        return f"the gather takes {wanted} digits", f"write a string of {wanted}, or change the gather"
    return None
