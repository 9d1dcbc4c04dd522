"""Work in a thread that is not left behind when the one who waits for it is cancelled."""

from __future__ import annotations

import asyncio
from typing import TypeVar

_Result = TypeVar("_Result")

ENDS_WITHIN_S = 5.0


async def to_its_end(work: asyncio.Future[_Result]) -> _Result:
    """The result; a cancellation comes through when the work is done, or after `ENDS_WITHIN_S`.

    A thread cannot be cancelled: its transaction would be committed behind the back of whoever closes the store.
    """
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work], timeout=ENDS_WITHIN_S)
        if work.done() and not work.cancelled():
            work.exception()  # nobody will ask
        raise
