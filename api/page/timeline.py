"""A dialing as a picture: a horizontal axis of time, with what was rung, played, heard, pressed and said. Pure.

Lengths are in the units of the picture, `WIDTH` wide; the template draws, this says where.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.page.telling import Teller

WIDTH, LEFT = 960.0, 90.0
_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
_TICKS = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that lasts. `part` is how much of the width of a clip was heard."""

    kind: str  # ring, talk, clip, speech, calling, manager
    x: float
    width: float
    text: str
    part: float = 0.0
    row: int = 0  # clips are drawn in two rows by turns: what was not heard of one lies beside the next


@dataclass(frozen=True, slots=True)
class Mark:
    """Something at a moment."""

    kind: str  # answered, digit, verdict, ended
    x: float
    text: str
    short: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Bars, marks, and the axis: where a tick stands, and after how many seconds."""

    bars: list[Bar]
    marks: list[Mark]
    ticks: list[tuple[float, float]]


def dialings(facts: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The facts of an api-call, dialing by dialing."""
    found: list[list[Mapping[str, Any]]] = []
    for fact in facts:
        if fact["type"] == "dialing" or not found:
            found.append([])
        found[-1].append(fact)
    return found


def picture(facts: Sequence[Mapping[str, Any]], teller: Teller, language: str) -> Picture | None:
    """The picture of one dialing; None where nothing lasted."""
    began, over = float(facts[0]["at"]), float(facts[-1]["at"])
    if over - began < 0.05:
        return None
    scale = (WIDTH - LEFT) / (over - began)

    def place(at: float) -> float:
        return round(LEFT + (min(max(at, began), over) - began) * scale, 1)

    bars, marks = [], []
    answered = next((float(fact["at"]) for fact in facts if fact["type"] == "answered"), None)
    rang = next((float(fact["at"]) for fact in facts if fact["type"] in ("ringing", "early_media")), None)
    if rang is not None:
        bars.append(_bar("ring", place(rang), place(answered or over), _said(teller, facts, "ringing", language)))
    if answered is not None:
        bars.append(_bar("talk", place(answered), place(over), ""))
    playing: dict[Any, tuple[float, str, int | None]] = {}
    speaks: float | None = None
    manager: tuple[str, float, str] | None = None  # calling or manager, since when, in words
    for fact in facts:
        at, text = float(fact["at"]), teller.tell(fact).render(language)
        match fact["type"]:
            case "prompt_started":
                playing[fact.get("play")] = (at, text, teller.plays_ms(fact))
            case "prompt_ended" if fact.get("play") in playing:
                since, what, whole_ms = playing.pop(fact["play"])
                heard_s = int(fact.get("heard_ms") or 0) / 1000
                until = place(since + max(heard_s, (whole_ms or 0) / 1000))
                heard = max(0.0, place(since + heard_s) - place(since))
                width = max(2.0, round(until - place(since), 1))
                row = sum(bar.kind == "clip" for bar in bars) % 2
                bars.append(Bar("clip", place(since), width, f"{what}, {text}", round(heard, 1), row))
            case "speech_started":
                speaks = at
            case "speech_ended" if speaks is not None:
                bars.append(_bar("speech", place(speaks), place(at), ""))
                speaks = None
            case "transfer_started":
                manager = ("calling", at, text)
            case "transfer_answered" | "transfer_failed" | "transfer_ended" as kind if manager is not None:
                what, since, said = manager
                bars.append(_bar(what, place(since), place(at), f"{said}, {text}"))
                manager = ("manager", at, text) if kind == "transfer_answered" else None
            case "digit":
                marks.append(Mark("digit", place(at), text, str(fact.get("digit", ""))))
            case "answered" | "verdict" | "ended" as kind:
                marks.append(Mark(kind, place(at), text))
    if speaks is not None:
        bars.append(_bar("speech", place(speaks), place(over), ""))
    if manager is not None:
        bars.append(_bar(manager[0], place(manager[1]), place(over), manager[2]))
    step = next((one for one in _STEPS_S if (over - began) / one <= _TICKS), (over - began) / _TICKS)
    ticks = [(place(began + count * step), count * step) for count in range(int((over - began) / step) + 1)]
    return Picture(bars, marks, ticks)


def _bar(kind: str, x: float, until: float, text: str) -> Bar:
    return Bar(kind, x, max(2.0, round(until - x, 1)), text)


def _said(teller: Teller, facts: Sequence[Mapping[str, Any]], kind: str, language: str) -> str:
    return next((teller.tell(fact).render(language) for fact in facts if fact["type"] == kind), "")
