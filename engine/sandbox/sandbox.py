"""The sandbox: subscribers to practise on, over real SIP and RTP, with the same signalling and media as our own side.

An actor's stage, not a second stack: what proves interoperation are the tests against Asterisk and SIPp.
"""

from __future__ import annotations

import itertools
from functools import partial
from pathlib import Path

from engine.clips.cache import ClipCache
from engine.clock import Clock
from engine.config import SANDBOX, SANDBOX_NUMBERS, SipConfig, TrunkConfig
from engine.events import Incoming, SignallingEvent
from engine.media.plane import MediaPlane
from engine.sandbox import subscribers
from engine.sandbox.visit import Visit
from engine.sip.signalling import Signalling

CLIPS = Path(__file__).parent / "clips"


class Sandbox:
    """Belongs to the loop's thread; the media plane and the clips are its host's."""

    def __init__(self, plane: MediaPlane, clips: ClipCache, clock: Clock, bind: str = "127.0.0.1:0") -> None:
        self._plane = plane
        self._cache = clips
        self._clock = clock
        self._signalling = Signalling(SipConfig(bind=bind), (), clock, self._heard, accepts=True)
        self._clips: dict[str, int] = {}
        self._visits: dict[str, Visit] = {}
        self._sessions = itertools.count(1)

    async def start(self) -> None:
        """Load what the subscribers say, and wait for calls; the plane has been started. ConfigError, ClipError."""
        self._clips = {
            name: self._plane.load(self._cache.prepare(CLIPS / f"{name}.wav")) for name in subscribers.clips()
        }
        await self._signalling.start()

    async def stop(self) -> None:
        """Hang up what is going on and take no more calls."""
        await self._signalling.stop()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port on which it listens."""
        return self._signalling.address

    def config(self) -> TrunkConfig:
        """The trunk that leads here."""
        host, port = self.address
        return TrunkConfig(name=SANDBOX, server=f"{host}:{port}", numbers=SANDBOX_NUMBERS)

    def census(self) -> dict[str, int]:
        """What is open here; the ports are counted by the plane."""
        census = self._signalling.census()
        return {
            "dialogs": census["dialogs"],
            "timers": census["timers"] + sum(visit.timers for visit in self._visits.values()),
        }

    def _heard(self, leg: str, _at: float, event: SignallingEvent) -> None:
        if isinstance(event, Incoming):
            self._visits[leg] = visit = Visit(
                leg,
                event.sdp,
                subscribers.subscriber(event.to).steps,
                line=self._signalling,
                plane=self._plane,
                clips=self._clips,
                clock=self._clock,
                host=self._signalling.media_host(SANDBOX),
                session=next(self._sessions),
                gone=partial(self._visits.pop, leg),
            )
            visit.proceed()
        elif leg in self._visits:
            self._visits[leg].hear(event)
