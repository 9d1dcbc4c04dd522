"""`zvonar replay`: a journal run again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from engine.journal import JournalError, replay
from zvonar.call import line

SAME, DIFFERS, UNREADABLE = 0, 1, 2


def show(journal: Path, *, as_json: bool) -> int:
    """Replay and tell; the exit status."""
    try:
        again = replay(journal)
    except JournalError as error:
        print(f"zvonar: {error}", file=sys.stderr)
        return UNREADABLE
    console = Console(highlight=False, soft_wrap=True)
    for fact in again.facts:
        if as_json:
            print(json.dumps(fact, ensure_ascii=False))
        else:
            console.print(line(fact, began=again.facts[0]["at"]))
    difference = again.difference
    if difference is None:
        if not as_json:
            end = "" if again.whole else "; the journal stops before the end of the call"
            console.print(f"\nthe same {len(again.facts)} facts from {again.inputs} inputs{end}")
        return SAME
    print(
        f"zvonar: {journal}: fact {difference.seq} differs\n"
        f"  recorded: {_told(difference.recorded)}\n  replayed: {_told(difference.replayed)}",
        file=sys.stderr,
    )
    return DIFFERS


def _told(fact: dict[str, Any] | None) -> str:
    return "nothing" if fact is None else json.dumps(fact, ensure_ascii=False)
