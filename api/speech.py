"""Records that are made from text: spoken, stored, and said what they cost. What goes wrong is a Refusal."""

from __future__ import annotations

from typing import NamedTuple

from api.clips import ClipStore
from api.messages import Message
from api.store.accounts import Account
from api.store.records import NewRecord
from api.tariff import Tariff
from engine.speech.speaker import Language, Speaker

# The contract's own sentence: clients show it as it is.
NEEDS_MODERATION = "Clips are made from text only for accounts that have passed moderation. Ask your manager"
_OF_TEXT = ("text_too_long", "text_has_no_word", "no_voice", "text_unspeakable")


class Spoken(NamedTuple):
    """A clip that lies in the store, to become a record; `notes` say which marks the voice could not honour."""

    record: NewRecord
    notes: list[Message]


class Speech:
    """Safe to use from any thread; its calls block."""

    def __init__(self, speaker: Speaker, clips: ClipStore, tariff: Tariff) -> None:
        self._speaker = speaker
        self._clips = clips
        self._tariff = tariff

    def languages(self) -> list[Language]:
        """What the voices speak."""
        return self._speaker.languages()

    def speak(self, account: Account, field: str, text: str, gender: int, language: str, name: str) -> Spoken:
        """Speak a text for an account; `field` is where it came from. Raises Refusal."""
        raise NotImplementedError
