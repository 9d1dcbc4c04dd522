"""What happened in a call, as marks on the time line of its recording. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from api.messages import Message

KINDS = {  # from top to bottom
    "clip": Message("our clips"),
    "speech": Message("the callee speaks"),
    "calling": Message("the manager is being called"),
    "manager": Message("the manager talks"),
    "digit": Message("keys"),
}
_BEGINS = {"prompt_started": "clip", "speech_started": "speech", "transfer_started": "calling"}
_BEGINS |= {"transfer_answered": "manager"}
_ENDS = {"prompt_ended": "clip", "speech_ended": "speech", "transfer_answered": "calling", "transfer_failed": "calling"}
_ENDS |= {"transfer_ended": "manager"}


class Mark(NamedTuple):
    """`until_ms` of a moment is `at_ms`; `short` stands on it."""

    kind: str
    at_ms: int
    until_ms: int
    text: str
    short: str


def marks(facts: Sequence[Mapping[str, Any]], words: Sequence[str], began_at: float, length_ms: int) -> list[Mark]:
    """The marks of one dialing, in their order of time; `words` are what its facts say."""

    def place(fact: Mapping[str, Any]) -> int:
        return min(max(0, round((float(fact["at"]) - began_at) * 1000)), length_ms)

    found: list[Mark] = []
    going_on: dict[str, tuple[int, str]] = {}
    for fact, text in zip(facts, words, strict=True):
        kind, at = str(fact["type"]), place(fact)
        ended = _ENDS.get(kind)
        if ended in going_on:
            since, what = going_on.pop(ended)
            found.append(Mark(ended, since, at, f"{what}, {text}", ""))
        if kind in _BEGINS:
            going_on[_BEGINS[kind]] = (at, text)
        if kind == "digit":
            found.append(Mark("digit", at, at, text, str(fact.get("digit", ""))))
    found += [Mark(kind, since, length_ms, text, "") for kind, (since, text) in going_on.items()]
    return sorted(found, key=lambda mark: (mark.at_ms, list(KINDS).index(mark.kind)))
