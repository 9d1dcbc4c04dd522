"""`transfer` of a block: YAML -> `Transfer`."""

from __future__ import annotations

import re

from ivr.model import CallerId, Transfer
from ivr.value import Value, did_you_mean

MAX_MANAGERS = 10
MIN_RING_MS, MAX_RING_MS = 1000, 5 * 60_000

_KEYS = ("to", "caller_id", "ring", "digits")
_DIGITS = re.compile(r"[0-9*#A-D,]{1,40}")
_NUMBER = re.compile(r"\+?([0-9]{3,15})")
_EXAMPLE = '`transfer: {to: "+74951234567", ring: 30s}`'


def number_of(written: str) -> str | None:
    """The digits of a telephone number without its plus; None if it is none."""
    match = _NUMBER.fullmatch(written.strip())
    return None if match is None else match[1]


def read(value: Value) -> Transfer:
    """Raises ScriptError."""
    fields = value.fields("transfer", _EXAMPLE, _KEYS)
    if "to" not in fields:
        raise value.wrong("transfer does not say to whom", f"for example {_EXAMPLE}")
    default = Transfer(to=())
    return Transfer(
        to=_numbers(fields["to"][1]),
        caller_id=_caller_id(fields["caller_id"][1]) if "caller_id" in fields else default.caller_id,
        ring_ms=_ring(fields["ring"][1]) if "ring" in fields else default.ring_ms,
        digits=_digits(fields["digits"][1]) if "digits" in fields else default.digits,
    )


def _numbers(value: Value) -> tuple[str, ...]:
    if not value.is_list():
        return (_number(value),)
    items = value.items("to", '`to: ["+74951234567", "+74957654321"]`', MAX_MANAGERS)
    if not items:
        raise value.wrong("to is an empty list", 'give it a number, for example `to: "+74951234567"`')
    return tuple(map(_number, items))


def _number(value: Value) -> str:
    number = number_of(value.raw("to"))
    if number is None:
        raise value.wrong(f"{value.shown} is no telephone number", "give 3 to 15 digits, a plus is allowed")
    return number


def _caller_id(value: Value) -> CallerId:
    name = value.raw("caller_id")
    if name not in list(CallerId):
        raise value.wrong(f"caller_id is {value.shown}", did_you_mean(name, [one.value for one in CallerId]))
    return CallerId(name)


def _digits(value: Value) -> str:
    digits = value.raw("digits")
    if not _DIGITS.fullmatch(digits):
        raise value.wrong(
            f"digits is {value.shown}", 'give up to 40 keys, a comma waits 2 s: digits: "102" or "1,,102"'
        )
    return digits


def _ring(value: Value) -> int:
    ring_ms = value.time_ms("ring", MAX_RING_MS)
    if ring_ms < MIN_RING_MS:
        raise value.wrong(f"ring is {value.shown}", f"nobody answers within that; give at least {MIN_RING_MS // 1000}s")
    return ring_ms
