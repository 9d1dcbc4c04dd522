"""Why a sound cannot become a clip: a stable code, and words that help, kept apart from what fills them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """What is wrong with it. The values are stable: programs may rely on them."""

    EMPTY = "clip_empty"
    TOO_LARGE = "clip_too_large"
    TOO_LONG = "clip_too_long"
    TOO_SHORT = "clip_too_short"
    NOT_AUDIO = "clip_not_audio"
    NO_SOUND = "clip_no_sound"
    CUT_OFF = "clip_cut_off"
    SILENT = "clip_silent"
    CLIPPED = "clip_clipped"
    UNDECODABLE = "clip_undecodable"
    BUSY = "clip_busy"


TEMPLATES: Final = {
    Reason.EMPTY: "is empty; record or copy it again",
    Reason.TOO_LARGE: "is too large; a clip has at most {max_mb} MB, so save it as MP3 or cut it",
    Reason.TOO_LONG: "is too long; at most {max_s} s can be played, cut it",
    Reason.TOO_SHORT: "is too short ({ms} ms); a clip lasts at least {min_ms} ms, record it again",
    Reason.NOT_AUDIO: "is no sound file that we can read; save it as WAV, MP3, OGG, Opus, FLAC, WebM, M4A, AAC or AMR",
    Reason.NO_SOUND: "has no sound in it; export it again together with its sound track",
    Reason.CUT_OFF: "is cut off or damaged: its sound ends before its end; copy or export it again",
    Reason.SILENT: "is silent; look whether the microphone was on, and record it again louder",
    Reason.CLIPPED: (
        "is overdriven: {percent} % of its sound is clipped, which crackles on the telephone; "
        "turn the recording level down and record it again"
    ),
    Reason.UNDECODABLE: "takes too much time or memory to decode; save it as WAV or MP3 and send that",
    Reason.BUSY: "has to wait: other clips are being converted; send it again in a minute",
}


class ClipRefused(Exception):
    """The sound cannot become a clip. The text is one line, without the file's name: `is silent; ...`.

    `params` fill the reason's template, in English here or in a translation of it.
    """

    def __init__(self, reason: Reason, **params: float) -> None:
        super().__init__(TEMPLATES[reason].format(**params))
        self.reason = reason
        self.params = params

    @property
    def code(self) -> str:
        return self.reason.value

    @property
    def template(self) -> str:
        return TEMPLATES[self.reason]

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (self.reason, self.params)


def _restore(reason: Reason, params: dict[str, float]) -> ClipRefused:
    return ClipRefused(reason, **params)
