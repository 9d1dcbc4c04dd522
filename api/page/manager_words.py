"""The connection to a manager, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.messages import Message
from api.page import outcomes
from api.page.formats import phone
from api.page.seconds import Seconds


def told(fact: Mapping[str, Any], after_s: float) -> Message | None:
    """A fact of it; `after_s` is how long ago the manager was called. None: it is no such fact."""
    to = phone(str(fact.get("to", "")))
    match fact["type"]:
        case "transfer_started" if fact.get("shown"):
            return Message("calls the manager {to}, who sees {shown}", to=to, shown=phone(str(fact["shown"])))
        case "transfer_started":
            return Message("calls the manager {to}", to=to)
        case "transfer_ringing":
            return Message("it rings at the manager's")
        case "transfer_answered":
            return Message("the manager {to} answered after {time}", to=to, time=Seconds(after_s))
        case "transfer_failed":
            return Message("the manager {to} was not reached: {why}", to=to, why=why(str(fact.get("disposition", ""))))
        case "transfer_ended":
            talked = Seconds(int(fact.get("duration_ms") or 0) / 1000)
            by = outcomes.ENDED_BY.get(str(fact.get("ended_by")))
            if by is None:
                return Message("the talk with the manager is over after {time}", time=talked)
            return Message("the talk with the manager is over after {time}: {who}", time=talked, who=by)
    return None


def result(told_before: Message, manager: Mapping[str, Any] | None) -> Message:
    """The result of a call, with what came of its manager."""
    if manager is None:
        return told_before
    if manager["answered_at"] is None:
        return _not_reached(told_before, manager["status"])
    if manager["ended_at"] is None:
        return Message("{result}, talked to the manager", result=told_before)
    talked = Seconds(manager["ended_at"] - manager["answered_at"])
    return Message("{result}, talked to the manager for {time}", result=told_before, time=talked)


def of_row(told_before: Message, status: str | None) -> Message:
    """The same where only the disposition of the manager's leg is known; None: there was none."""
    if status is None:
        return told_before
    if status == "answered":
        return Message("{result}, talked to the manager", result=told_before)
    return _not_reached(told_before, status)


def why(disposition: str) -> Message:
    """Why no manager came."""
    return outcomes.DISPOSITIONS.get(disposition) or Message("{kind}", kind=disposition)


def _not_reached(told_before: Message, status: str) -> Message:
    return Message("{result}, the manager was not reached: {why}", result=told_before, why=why(status))
