"""What a further leg of a call holds: its place on the trunk and its media slot. The shell of `OpenLeg`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.media import wire
from engine.media.plane import MediaSlot, NoPorts
from engine.orders import LegOpened, LegRefused
from engine.trunks import TrunkRoom

Heard = Callable[[float, wire.SlotEvent], None]
Said = Callable[[LegOpened | LegRefused], None]


class FurtherLeg:
    """Begins to wait at once; `release` must follow. `said` is called once, unless it is released before."""

    def __init__(self, room: TrunkRoom, open_slot: Callable[[], MediaSlot], session: int, said: Said) -> None:
        self.slot: MediaSlot | None = None
        self._room = room
        self._open_slot = open_slot
        self._session = session
        self._said = said
        self._entered = False
        self._waiting = asyncio.get_running_loop().create_task(self._open())

    @property
    def waits(self) -> bool:
        """For its place on the trunk, or for the trunk's pace."""
        return not self._waiting.done()

    def release(self) -> None:
        """Wait no longer; give place and slot back. Idempotent."""
        self._waiting.cancel()
        if self.slot is not None:
            self.slot.send(wire.Close())
        if self._entered:
            self._entered = False
            self._room.leave()

    async def _open(self) -> None:
        await self._room.enter(urgent=True)
        self._entered = True
        try:
            self.slot = self._open_slot()
        except NoPorts as error:
            self._said(LegRefused(f"no RTP port is free ({error})"))
        else:
            self._said(LegOpened(self.slot.port, self._session))
