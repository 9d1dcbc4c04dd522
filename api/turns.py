"""Whose call is next: accounts take turns, and each account's numbers too. Pure.

The account that was served longest ago is first, however many calls it has; so one call of one account never waits
for the hundred thousand of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Lane(NamedTuple):
    """What one account has waiting on one number. `served_at` is when it was served last."""

    outgoing: str
    account_id: int
    served_at: float


def picks(lanes: Sequence[Lane], room: int, room_of_number: Mapping[str, int]) -> dict[Lane, int]:
    """How many calls to take from each lane: `room` in all, and no more from a number than it has room for.

    A lane may turn out to have fewer; what it leaves is given out in the next round.
    """
    left = dict(room_of_number)
    order: dict[int, list[Lane]] = {}
    served: dict[int, float] = {}
    for lane in sorted(lanes, key=lambda lane: lane.served_at):
        order.setdefault(lane.account_id, []).append(lane)
        served[lane.account_id] = max(served.get(lane.account_id, 0.0), lane.served_at)
    accounts = sorted(order, key=lambda account: served[account])
    taken: dict[Lane, int] = {}
    while room > 0 and accounts:
        for account in list(accounts):
            if room <= 0:
                break
            chosen = next((lane for lane in order[account] if left.get(lane.outgoing, 0) > 0), None)
            if chosen is None:
                accounts.remove(account)
                continue
            order[account].remove(chosen)
            order[account].append(chosen)  # its numbers take turns as well
            taken[chosen] = taken.get(chosen, 0) + 1
            left[chosen.outgoing] -= 1
            room -= 1
    return taken
