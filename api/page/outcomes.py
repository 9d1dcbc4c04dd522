"""How calls end, in words: dispositions, hang-up causes, who ended them, what a waiting one waits for. Tables only."""

from __future__ import annotations

from api.messages import Message

# disposition -> a few words, for tables and filters; `telling.result` makes a sentence with times
DISPOSITIONS: dict[str, Message] = {
    "answered": Message("answered"),
    "answered_human": Message("a person answered"),
    "answered_machine": Message("an answering machine"),
    "answered_silence": Message("answered, and was silent"),
    "answered_fax": Message("a fax answered"),
    "answered_unknown": Message("answered, by whom is unclear"),
    "busy": Message("busy"),
    "no_answer": Message("did not answer"),
    "rejected": Message("declined the call"),
    "unallocated": Message("no such number"),
    "unavailable": Message("out of reach"),
    "congestion": Message("the network is overloaded"),
    "trunk_error": Message("a fault of the trunk"),
    "cancelled": Message("cancelled"),
    "interrupted": Message("cut off: the service stopped during the call"),
    "window_closed": Message("the calling hours were over"),
    "suppressed": Message("not called: on the stop list or not moderated"),
    "internal_error": Message("a fault of the service"),
}
STATUSES: dict[str, Message] = {
    "created": Message("waits"),
    "processed": Message("is about to be dialled"),
    "started": Message("is being dialled"),
    "answered": Message("is being talked to"),
    "finished": Message("over"),
    "canceled": Message("over, not answered"),
}
WAITS_FOR: dict[str, Message] = {
    "": Message("its turn: limits of the number and of the trunk"),
    "plan": Message("the planned time"),
    "window": Message("the calling hours"),
    "redial": Message("the redial"),
}
CAUSES: dict[int, Message] = {  # Q.850
    1: Message("the number does not exist"),
    16: Message("hung up as usual"),
    17: Message("the line is busy"),
    18: Message("the telephone does not respond"),
    19: Message("nobody took the call"),
    21: Message("the call was declined"),
    22: Message("the number has changed"),
    28: Message("the number is incomplete"),
    31: Message("ended without a reason given"),
    38: Message("the network is out of order"),
    41: Message("a temporary failure"),
    63: Message("the trunk does not offer this service"),
    79: Message("no common codec"),
    102: Message("the other side did not respond in time"),
    127: Message("another network's unknown reason"),
}
ENDED_BY: dict[str, Message] = {
    "callee": Message("the callee hung up"),
    "us": Message("we hung up"),
    "manager": Message("the manager hung up"),
    "network": Message("the network ended it"),
    "watchdog": Message("the watchdog ended it"),
}


def tone(disposition: str | None) -> str:
    """The class of a state: good, bad, warn or cool (not over)."""
    if disposition is None:
        return "cool"
    if disposition in ("answered", "answered_human"):
        return "good"
    if disposition in ("trunk_error", "internal_error", "interrupted", "congestion"):
        return "bad"
    return "warn"


def cause(number: int) -> Message:
    """A hang-up cause of Q.850."""
    return CAUSES.get(number) or Message("cause {number} of Q.850", number=number)
