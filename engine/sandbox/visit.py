"""One call to a subscriber: follows the steps of the table, and owns the leg's media and its only timer.

steps    --leg over-->             closing   the timer is cancelled, the slot told to close
closing  --Closed or Faulted-->    gone
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from engine.clock import Clock, Timer
from engine.events import Answered, Ended, Failed, RemoteOffer, SignallingEvent
from engine.media.plane import MediaPlane, MediaSlot, NoPorts
from engine.media.wire import Close, Closed, Faulted, Interrupt, Play, Remote, SendDigits, SlotEvent
from engine.sandbox.subscribers import Answer, Early, HangUp, Press, Reject, Ring, Say, Step, Wait
from engine.sip import sdp

CODECS = ("pcma", "pcmu")
NOT_ACCEPTABLE_HERE, UNAVAILABLE = 488, 503


class Line(Protocol):
    """What a visit needs of signalling: its accepting side."""

    def ring(self, leg: str, code: int = 180, sdp: bytes = b"") -> None: ...

    def answer(self, leg: str, sdp: bytes) -> None: ...

    def reject(self, leg: str, code: int, reason: str = "") -> None: ...

    def hangup(self, leg: str, cause: int = 16) -> None: ...

    def answer_offer(self, leg: str, sdp: bytes) -> None: ...


class Visit:
    """`gone` is called once, when nothing of the call is left."""

    def __init__(
        self,
        leg: str,
        offer: bytes,
        steps: tuple[Step, ...],
        *,
        line: Line,
        plane: MediaPlane,
        clips: Mapping[str, int],
        clock: Clock,
        host: str,
        session: int,
        gone: Callable[[], object],
    ) -> None:
        self._leg = leg
        self._offer = offer  # b"": the caller wants ours
        self._steps = list(steps)
        self._line = line
        self._plane = plane
        self._clips = clips
        self._clock = clock
        self._host = host
        self._session = session
        self._version = 0
        self._gone = gone
        self._slot: MediaSlot | None = None
        self._description = b""  # ours, once media is open
        self._timer: Timer | None = None
        self._over = False
        self._plays = 0

    @property
    def timers(self) -> int:
        """How many timers are set."""
        return int(self._timer is not None)

    def proceed(self) -> None:
        """Do what comes next, up to the next wait."""
        self._timer = None
        while self._steps and not self._over:
            step = self._steps.pop(0)
            if isinstance(step, Wait):
                self._timer = self._clock.call_at(self._clock.now() + step.seconds, self.proceed)
                return
            self._do(step)

    def hear(self, event: SignallingEvent) -> None:
        """What the leg says."""
        match event:
            case Answered(description) if description:  # the answer to our offer, with the ACK
                self._send_to(description)
            case RemoteOffer(offer):
                self._reoffered(offer)
            case Failed() | Ended():
                self._leave()
            case _:
                pass

    def _do(self, step: Step) -> None:
        line, leg = self._line, self._leg
        match step:
            case Ring():
                line.ring(leg)
            case Early(clip):
                if self._open():
                    line.ring(leg, 183, self._description)
                    self._play(clip)
            case Answer():
                if self._open():
                    line.answer(leg, self._description)
            case Say(clip):
                self._play(clip)
            case Press(digits):
                self._send(SendDigits(digits))
            case Reject(code):
                line.reject(leg, code)
            case HangUp():
                line.hangup(leg)

    # --- media ------------------------------------------------------------------------------------------

    def _open(self) -> bool:
        """Media is there, opened now if it was not; otherwise the call is refused."""
        if self._slot is not None:
            return True
        try:
            self._slot = self._plane.open(self._listen)
            self._description, media = self._describe(self._offer)
        except NoPorts as error:
            self._refuse(UNAVAILABLE, str(error))
            return False
        except sdp.SdpError:
            self._refuse(NOT_ACCEPTABLE_HERE, "")
            return False
        if media is not None:
            self._send(_remote(media))
        return True

    def _describe(self, offer: bytes) -> tuple[bytes, sdp.Media | None]:
        assert self._slot is not None
        host, port, session, version = self._host, self._slot.port, self._session, self._version
        if not offer:
            return sdp.offer(host, port, CODECS, session=session, version=version), None
        return sdp.answer(offer, host, port, CODECS, session=session, version=version)

    def _refuse(self, code: int, reason: str) -> None:
        self._steps.clear()
        self._line.reject(self._leg, code, reason)

    def _reoffered(self, offer: bytes) -> None:
        if self._slot is None:
            self._line.answer_offer(self._leg, b"")
            return
        self._version += 1
        try:
            description, media = self._describe(offer)
        except sdp.SdpError:
            self._line.answer_offer(self._leg, b"")
            return
        self._line.answer_offer(self._leg, description)
        if media is not None:
            self._send(_remote(media))

    def _send_to(self, description: bytes) -> None:
        try:
            self._send(_remote(sdp.read(description, CODECS)))
        except sdp.SdpError:
            self._line.hangup(self._leg)

    def _play(self, clip: str) -> None:
        self._plays += 1
        self._send(Play(self._plays, (self._clips[clip],), Interrupt.NONE))

    def _send(self, command: Remote | Play | SendDigits | Close) -> None:
        if self._slot is not None:
            self._slot.send(command)

    def _listen(self, _at: float, event: SlotEvent) -> None:
        """What the media process says: a subscriber only minds its end."""
        if not isinstance(event, Closed | Faulted):
            return
        self._slot = None
        if self._over:
            self._gone()
        else:  # its media died: nobody can be heard any more
            self._stop()
            self._line.hangup(self._leg)

    # --- the end ----------------------------------------------------------------------------------------

    def _leave(self) -> None:
        if self._over:
            return
        self._over = True
        self._stop()
        if self._slot is None:
            self._gone()
        else:
            self._send(Close())

    def _stop(self) -> None:
        self._steps.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _remote(media: sdp.Media) -> Remote:
    return Remote(
        media.host, media.port, media.payload_type, media.dtmf_type, media.dtmf_rate, media.ptime_ms,
        media.send, media.receive, media.rtcp_host, media.rtcp_port,
    )  # fmt: skip
