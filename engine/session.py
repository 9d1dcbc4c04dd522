"""Our side of a leg's session description: offers, answers, and what the far end's mean for our media (RFC 3264)."""

from __future__ import annotations

from engine.events import AnswerOffer
from engine.media import wire
from engine.settings import Settings
from engine.sip import sdp


class Session:
    """Of one leg. `number` names it; its version grows with each description."""

    def __init__(self, settings: Settings, port: int, number: int) -> None:
        self._host = settings.media_host
        self._codecs = settings.codecs
        self._port = port
        self._number = number
        self._version = 0

    def offer(self) -> bytes:
        """What we can do."""
        return sdp.offer(self._host, self._port, self._codecs, session=self._number, version=self._version)

    def answered(self, answer: bytes) -> wire.Remote:
        """Where the far end's answer wants to be sent to. Raises SdpError."""
        return _remote(sdp.read(answer, self._codecs))

    def answer(self, offer: bytes) -> tuple[AnswerOffer, wire.Remote | None]:
        """What to say to an offer in the dialog, and where to send from now on. Raises SdpError: refuse it."""
        self._version += 1
        if not offer:  # the peer wants ours (RFC 3261 section 14.2); its ACK brings the answer
            return AnswerOffer(self.offer()), None
        description, media = sdp.answer(
            offer, self._host, self._port, self._codecs, session=self._number, version=self._version
        )
        return AnswerOffer(description), _remote(media)


def _remote(media: sdp.Media) -> wire.Remote:
    return wire.Remote(
        media.host, media.port, media.payload_type, media.dtmf_type, media.dtmf_rate, media.ptime_ms,
        media.send, media.receive, media.rtcp_host, media.rtcp_port,
    )  # fmt: skip
