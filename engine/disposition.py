"""How a call ended: one word of a closed set, and the Q.850 cause beside it.

The map from SIP final codes follows RFC 3398 section 7.2.4.1; where a response carries `Reason: Q.850` (RFC 3326)
that cause wins over the mapped one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from engine.events import Failed, Origin


class Disposition(StrEnum):
    """Every call ends in exactly one of these."""

    ANSWERED_HUMAN = "answered_human"
    ANSWERED_MACHINE = "answered_machine"
    ANSWERED_SILENCE = "answered_silence"
    ANSWERED_FAX = "answered_fax"
    ANSWERED_UNKNOWN = "answered_unknown"
    ANSWERED = "answered"  # no detector was asked
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNALLOCATED = "unallocated"
    UNAVAILABLE = "unavailable"
    CONGESTION = "congestion"
    TRUNK_ERROR = "trunk_error"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # the service died in the call
    WINDOW_CLOSED = "window_closed"
    SUPPRESSED = "suppressed"
    INTERNAL_ERROR = "internal_error"

    @property
    def answered(self) -> bool:
        return self.value.startswith("answered")


class EndedBy(StrEnum):
    """Who ended the call."""

    CALLEE = "callee"
    US = "us"
    MANAGER = "manager"
    NETWORK = "network"
    WATCHDOG = "watchdog"


class Verdict(NamedTuple):
    """A disposition with its default cause and the one who brought it about."""

    disposition: Disposition
    cause: int
    ended_by: EndedBy


REQUEST_TERMINATED = 487  # what our CANCEL brings

NORMAL_CLEARING = 16
USER_BUSY = 17
NO_ANSWER_FROM_USER = 19
NO_CIRCUIT = 34
NETWORK_OUT_OF_ORDER = 38
BEARER_NOT_IMPLEMENTED = 79
RECOVERY_ON_TIMER_EXPIRY = 102
INTERWORKING = 127

_REJECTED, _BUSY = Disposition.REJECTED, Disposition.BUSY
_UNALLOCATED, _UNAVAILABLE = Disposition.UNALLOCATED, Disposition.UNAVAILABLE
_CONGESTION, _TRUNK_ERROR = Disposition.CONGESTION, Disposition.TRUNK_ERROR

FINAL_CODES: dict[int, tuple[Disposition, int]] = {
    401: (_TRUNK_ERROR, 21),
    402: (_TRUNK_ERROR, 21),
    403: (_REJECTED, 21),
    404: (_UNALLOCATED, 1),
    405: (_TRUNK_ERROR, 63),
    406: (_TRUNK_ERROR, 79),
    407: (_TRUNK_ERROR, 21),
    408: (_UNAVAILABLE, 102),
    410: (_UNALLOCATED, 22),
    415: (_TRUNK_ERROR, 79),
    480: (_UNAVAILABLE, 18),
    484: (_UNALLOCATED, 28),
    485: (_UNALLOCATED, 1),
    486: (_BUSY, 17),
    488: (_TRUNK_ERROR, 31),
    500: (_CONGESTION, 41),
    502: (_CONGESTION, 38),
    503: (_CONGESTION, 41),
    504: (_CONGESTION, 102),
    600: (_BUSY, 17),
    603: (_REJECTED, 21),
    604: (_UNALLOCATED, 1),
    606: (_REJECTED, 21),
    607: (_REJECTED, 21),
    608: (_REJECTED, 21),
}
OTHER_CODES: dict[int, tuple[Disposition, int]] = {  # by class
    3: (_TRUNK_ERROR, 31),
    4: (_TRUNK_ERROR, 127),
    5: (_CONGESTION, 127),
    6: (_REJECTED, 21),
}
_OF_THE_CALLEE = {_BUSY, _REJECTED, _UNAVAILABLE}  # the rest is the network's doing


def of_final_code(code: int, q850: int | None = None) -> Verdict:
    """What a final response other than 2xx means, with the cause of its Reason header where it has one."""
    disposition, cause = FINAL_CODES.get(code) or OTHER_CODES.get(code // 100, (_TRUNK_ERROR, INTERWORKING))
    ended_by = EndedBy.CALLEE if disposition in _OF_THE_CALLEE and code != 408 else EndedBy.NETWORK
    return Verdict(disposition, q850 or cause, ended_by)


def of_failure(failed: Failed, given_up: Verdict | None) -> Verdict:
    """What a leg without an answer comes to; `given_up` is why we gave it up, if we did."""
    if failed.origin is Origin.REMOTE and failed.code is not None and failed.code != REQUEST_TERMINATED:
        return of_final_code(failed.code, failed.q850)  # even after our CANCEL: what crossed it is the truth
    if given_up is not None:
        return given_up
    if failed.code is not None:
        return of_final_code(failed.code, failed.q850)
    return NOTHING_CAME if failed.origin is Origin.TIMEOUT else NO_ADDRESS


NOTHING_CAME = Verdict(_TRUNK_ERROR, RECOVERY_ON_TIMER_EXPIRY, EndedBy.NETWORK)
NO_ADDRESS = Verdict(_TRUNK_ERROR, NETWORK_OUT_OF_ORDER, EndedBy.NETWORK)
RANG_OUT = Verdict(Disposition.NO_ANSWER, NO_ANSWER_FROM_USER, EndedBy.US)
CALLED_OFF = Verdict(Disposition.CANCELLED, NORMAL_CLEARING, EndedBy.US)
NO_CODEC = Verdict(_TRUNK_ERROR, BEARER_NOT_IMPLEMENTED, EndedBy.US)
NO_LINE = Verdict(_CONGESTION, NO_CIRCUIT, EndedBy.US)  # of our own trunk
BROKEN = Verdict(Disposition.INTERNAL_ERROR, 41, EndedBy.US)
