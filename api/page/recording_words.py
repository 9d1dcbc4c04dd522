"""The recording of a call, in words: what became of it, and what is missing of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from api.messages import Message
from api.page.seconds import Seconds
from api.recordings import STOPPED
from api.store.recordings import FAILED, INCOMPLETE

_MISSING = re.compile(r"([0-9]+) ms are missing, for the disk was too slow")
_WHY = {  # the engine's words; what an operating system says stays as it is
    "no space left on the disk": Message("no space left on the disk"),
    STOPPED: Message("the service stopped in the call"),
    "the media process died": Message("the process of the sound failed"),
    "the process that writes recordings died": Message("the process that writes recordings failed"),
    "the writer did not answer in time": Message("the process that writes recordings did not answer in time"),
}


def told(fact: Mapping[str, Any]) -> Message:
    """The fact `recording`."""
    match fact.get("state"):
        case None:
            return Message("the call is recorded")
        case str(state) if state == FAILED:
            return Message("the call could not be recorded: {why}", why=why(str(fact.get("why") or "")))
        case str(state) if state == INCOMPLETE:
            return Message("the recording is incomplete: {why}", why=why(str(fact.get("why") or "")))
    return Message("the recording is saved: {time}", time=Seconds(int(fact.get("duration_ms") or 0) / 1000))


def why(text: str) -> Message:
    """What is missing of a recording, and why."""
    missing = _MISSING.fullmatch(text)
    if missing:
        return Message("{time} is missing, for the disk was too slow", time=Seconds(int(missing[1]) / 1000))
    return _WHY.get(text) or Message("{kind}", kind=text)
