"""The journal of a call: its script and settings, its inputs with their times, and the facts that came out.

A text file of JSON lines: first `{"journal": 1, "call", "settings", "script"}`, then, in the order they happened,
`{"at", "in": event}` (with `"leg"` where it is a manager's) and `{"fact": {...}}`. `replay` feeds the inputs to a new
`Call` and compares the facts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from engine.call import Call
from engine.codec import Codec
from engine.orders import INPUT_KINDS, Fact, Input, Output
from engine.settings import Settings
from ivr import parser
from ivr.model import Script

VERSION = 1
_CODEC = Codec(INPUT_KINDS)


class JournalError(Exception):
    """The file is no journal that this version can read; one line, with file, line and what is wrong."""


class Journal:
    """Writes one call's journal; every line is flushed, so that what a crash leaves can be read."""

    def __init__(self, path: Path, settings: Settings, script: Script) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._call = settings.call
        self._file: TextIO = path.open("w", encoding="utf-8", buffering=1)
        head = {
            "journal": VERSION,
            "call": settings.call,
            "settings": asdict(settings),
            "script": parser.dump(script),
        }
        self._line(head)

    def took(self, at: float, event: Input, leg: str = "") -> None:
        """An input went into the call."""
        self._line({"at": at, "in": _CODEC.encode(event)} | ({"leg": leg} if leg else {}))

    def told(self, fact: Fact) -> None:
        """A fact came out."""
        self._line({"fact": fact.as_dict(self._call)})

    def failed(self, at: float, reason: str) -> None:
        """The call broke, and was made to end (`Call.fail`)."""
        self._line({"at": at, "fail": reason})

    def close(self) -> None:
        self._file.close()

    def _line(self, value: dict[str, Any]) -> None:
        self._file.write(json.dumps(value, ensure_ascii=False) + "\n")


class Difference(NamedTuple):
    """The first place where a replay and its journal part: a fact's number, and both readings (None: no such fact)."""

    seq: int
    recorded: dict[str, Any] | None
    replayed: dict[str, Any] | None


class Replay(NamedTuple):
    """What came of a replay. `whole` is false for a journal that stops before the call's end."""

    call: str
    inputs: int
    facts: list[dict[str, Any]]
    difference: Difference | None
    whole: bool


def replay(path: Path) -> Replay:
    """Run the journal's inputs again. Raises JournalError."""
    lines = _lines(path)
    number, head = next(lines, (1, None))
    if not isinstance(head, dict) or head.get("journal") != VERSION:
        raise JournalError(f"{path}:{number}: is no journal of version {VERSION}; name a file that --journal wrote")
    try:
        settings = Settings(**{**head["settings"], "codecs": tuple(head["settings"]["codecs"])})
        call = Call(settings, parser.restore(head["script"]))
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"{path}:{number}: the head cannot be read ({error!r})") from error
    recorded: list[dict[str, Any]] = []
    replayed: list[dict[str, Any]] = []
    inputs = 0
    for number, line in lines:
        if "fact" in line:
            recorded.append(line["fact"])
            continue
        outputs = _again(call, line, f"{path}:{number}")
        inputs += 1
        # Through JSON, since that is what the recorded ones went through.
        replayed += [
            json.loads(json.dumps(output.as_dict(settings.call))) for output in outputs if isinstance(output, Fact)
        ]
    return Replay(settings.call, inputs, replayed, _compare(recorded, replayed), _ended(recorded))


def _again(call: Call, line: dict[str, Any], place: str) -> list[Output]:
    try:
        at = float(line["at"])
        event = _CODEC.decode(line["in"]) if "in" in line else None
        reason = str(line["fail"]) if event is None else ""
        leg = str(line.get("leg", ""))
    except (KeyError, ValueError, TypeError) as error:
        raise JournalError(f"{place}: is no line of a journal ({error})") from error
    if event is None:
        return call.fail(at, reason)
    try:
        return call.step(at, event, leg)
    except Exception:  # as it did when it was recorded: a line with "fail" follows
        return []


def _ended(facts: list[dict[str, Any]]) -> bool:
    return bool(facts) and facts[-1].get("type") == "ended"


def _compare(recorded: list[dict[str, Any]], replayed: list[dict[str, Any]]) -> Difference | None:
    for index in range(max(len(recorded), len(replayed))):
        was = recorded[index] if index < len(recorded) else None
        now = replayed[index] if index < len(replayed) else None
        if not _same(was, now):
            return Difference(index + 1, was, now)
    return None


def _same(was: dict[str, Any] | None, now: dict[str, Any] | None) -> bool:
    """A field that we tell and the journal does not is no difference: an earlier version did not know it."""
    if was is None or now is None:
        return was is now
    return all(name in now and now[name] == value for name, value in was.items())


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise JournalError(f"{path}: {error.strerror}; name a file that can be read") from error
    except UnicodeDecodeError as error:
        raise JournalError(f"{path}: is not text; name a file that --journal wrote") from error
    *whole, rest = text.split("\n")
    # A crash may leave half a line at the end: what came before it still counts.
    for number, line in enumerate(whole or [rest], 1):
        try:
            value = json.loads(line)
        except ValueError as error:
            raise JournalError(f"{path}:{number}: is not JSON; name a file that --journal wrote") from error
        if not isinstance(value, dict):
            raise JournalError(f"{path}:{number}: is no line of a journal")
        yield number, value
