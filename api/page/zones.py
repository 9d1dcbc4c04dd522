"""Time zones, as people may choose them."""

from __future__ import annotations

import zoneinfo
from functools import cache

_PARTS = frozenset((
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
))  # fmt: skip


@cache
def every() -> tuple[str, ...]:
    """Their names, in order: places, and UTC."""
    known = (name for name in zoneinfo.available_timezones() if name.partition("/")[0] in _PARTS or name == "UTC")
    return tuple(sorted(known))


def found(typed: str) -> str | None:
    """The name that was meant: small letters and blanks are forgiven, nothing else."""
    wanted = typed.strip().replace(" ", "_").casefold()
    return next((name for name in every() if name.casefold() == wanted), None)
