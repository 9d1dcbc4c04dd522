"""Whether, and when, a callee is called again. Pure.

`smartDelay` redials who did not answer, whatever the cause, three times at most in all. A decline is final, and so is
a number that does not exist. An attempt that failed on the way, through a trunk's fault, rang at nobody's telephone:
it is made again without counting as one of the callee's, but not for ever either.
"""

from __future__ import annotations

from collections.abc import Sequence

NOT_REACHED = frozenset({"busy", "no_answer", "unavailable", "congestion"})
FAULTS = frozenset({"trunk_error"})
MOST_REDIALS = 3
MOST_FAULTS = 3


def again_at(smart_delay_min: int | None, dispositions: Sequence[str], ended_at: float) -> float | None:
    """When the callee is due again after dialings that ended so, the last one at `ended_at`; None: not again."""
    if not smart_delay_min or not dispositions:
        return None
    last = dispositions[-1]
    if last in NOT_REACHED:
        counted, most = sum(how in NOT_REACHED for how in dispositions), MOST_REDIALS
    elif last in FAULTS:
        counted, most = sum(how in FAULTS for how in dispositions), MOST_FAULTS
    else:
        return None
    return ended_at + smart_delay_min * 60 if counted <= most else None
