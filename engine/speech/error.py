"""What can go wrong between a text and its clip: a closed set of codes, each with one sentence and its remedy."""

from __future__ import annotations

from typing import Final

MESSAGES: Final = {
    "text_too_long": "the text has {characters} characters; keep it to {limit}",
    "text_has_no_word": "the text has no letter and no digit; write at least one word",
    "too_many_pauses": "the text has pauses in {pauses} places; keep it to {limit}",
    "no_voice": "no voice speaks {language!r}; ask for a language that is listed, or install a voice for it",
    "unknown_voice": "there is no voice {voice!r}; leave it out, or name one of: {known}",
    "voice_cannot_say": "voice {voice!r} made no sound of this text; write it in letters of its language",
    "speech_missing": "voice {voice!r} cannot be started ({reason}); install it again or take it out of [speech]",
    "speech_timed_out": "voice {voice!r} was not done in {seconds:.0f} s; shorten the text or raise [speech] timeout_s",
    "speech_failed": "voice {voice!r} broke off ({reason}); try its program by hand or take it out of [speech]",
    "speech_too_long": "the speech lasts {seconds:.0f} s; shorten the text to at most {limit} s of speech",
    "speech_busy": "other texts are still being spoken after {seconds:.0f} s; try again later",
    "speech_not_kept": "{folder}: {reason}; make room there, or let it be written to",
}


class SpeechError(Exception):
    """A text cannot be spoken. `code` is stable; `message` and `params` make the line in any language."""

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.message = MESSAGES[code]
        self.params = params
        super().__init__(self.message.format(**params))
