"""The lists that `zvonar bench media` takes. Pure."""

from __future__ import annotations

from typing import Final

import typer

MOST_CALLS: Final = 4000
PEERS: Final = ("pyvoip", "asyncio", "asterisk", "floor")


def counts(text: str) -> list[int]:
    """Numbers of calls, in the order given. typer.BadParameter for anything else."""
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if not (part.isascii() and part.isdigit() and 1 <= int(part) <= MOST_CALLS):
            raise typer.BadParameter(
                f"--calls: {part!r} is no number of calls; write for example 50,200,1000 (each 1 to {MOST_CALLS})"
            )
    return [int(part) for part in parts]


def peers(text: str) -> list[str]:
    """Names of peers, each once. typer.BadParameter for one that we do not know."""
    names = [name.strip() for name in text.split(",")] if text.strip() else []
    for name in names:
        if name not in PEERS:
            raise typer.BadParameter(f"--against: {name!r} is none of {', '.join(PEERS)}")
    return list(dict.fromkeys(names))
