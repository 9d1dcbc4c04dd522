"""How a call sounded, in one line: from the statistics of its result (`media`). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.messages import Message

GOOD, FAIR = 4.0, 3.1  # MOS: from there "satisfied", below that "nearly all dissatisfied" (ITU-T G.107, annex B)
TOLD_LOSS = 0.001
TOLD_ROUND_TRIP_MS = 1.0


def sound(media: Mapping[str, Any] | None, language: str) -> str:
    """The line; empty where nothing is known."""
    if not media or (media.get("mos") is None and not media.get("one_way_audio")):
        return ""
    parts = [Message("sound went one way only")] if media.get("one_way_audio") else []
    score = media.get("mos")
    if score is not None:
        words = (
            Message("good sound (MOS {score})", score=_number(score, language)),
            Message("fair sound (MOS {score})", score=_number(score, language)),
            Message("bad sound (MOS {score})", score=_number(score, language)),
        )
        parts.append(words[0 if score >= GOOD else 1 if score >= FAIR else 2])
    lost = max(_share(media["lost"], media["received"] + media["lost"]), _share(media["remote_lost"], media["sent"]))
    if lost >= TOLD_LOSS:
        parts.append(Message("{percent} % of the packets lost", percent=_number(100 * lost, language)))
    if (media["round_trip_ms"] or 0.0) >= TOLD_ROUND_TRIP_MS:
        parts.append(Message("{ms} ms there and back", ms=round(media["round_trip_ms"])))
    return " · ".join(part.render(language) for part in parts)


def _share(lost: int | None, of: int) -> float:
    return lost / of if lost and of else 0.0


def _number(number: float, language: str) -> str:
    text = f"{number:.1f}"
    return text.replace(".", ",") if language == "ru" else text
