"""What is decided about a call before it starts."""

from __future__ import annotations

from dataclasses import dataclass

from engine.sip import sdp


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one call. `media_*` is where we receive RTP; `session` names our SDP. Numbers are digits without plus."""

    call: str
    to: str
    outgoing: str
    trunk: str
    timeout_s: float
    codecs: tuple[sdp.Codec, ...]
    media_host: str
    media_port: int
    session: int
    detect_end_of_speech: bool = False
    record_to: str | None = None  # a file; .wav or .ogg
    journal: str | None = None  # the file that keeps this call, for its result
