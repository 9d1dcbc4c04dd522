"""Records that are made from text: spoken, stored, and what they cost. What goes wrong is a Refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from api.clips import BadClip, ClipStore
from api.messages import Message
from api.problems import Code
from api.refusal import Refusal, bad_field
from api.store.accounts import Account
from api.store.records import NewRecord
from api.tariff import Tariff
from engine.speech import languages, marks
from engine.speech.error import SpeechError
from engine.speech.languages import Language
from engine.speech.speaker import Speaker
from engine.speech.spoken import Spoken as Clip
from engine.speech.voice import Gender

# The contract's own sentence, in its translation: clients show it as it is.
NEEDS_MODERATION = "Clips are made from text only for accounts that have passed moderation. Ask your manager"
MAX_NAME = 50  # of a record that is named after its text
MAX_PREVIEW = 2000  # characters: some two minutes
_CODES = {
    "text_too_long": Code.TEXT_REFUSED,
    "text_has_no_word": Code.TEXT_REFUSED,
    "too_many_pauses": Code.TEXT_REFUSED,
    "voice_cannot_say": Code.TEXT_REFUSED,
    "speech_too_long": Code.TEXT_REFUSED,
    "no_voice": Code.LANGUAGE_UNKNOWN,
}  # what else goes wrong is the server's

language_of = languages.of_text


class Spoken(NamedTuple):
    """A clip that lies in the store, to become a record; `notes` say which marks the voice could not honour."""

    record: NewRecord
    notes: list[Message]


class Preview(NamedTuple):
    """A WAV file to listen to, and which marks the voice could not honour."""

    wav: bytes
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

    def speak(self, account: Account, field: str, text: str, gender: int, language: str, name: str = "") -> Spoken:
        """Speak a text for an account; `field` is where it came from. Raises Refusal."""
        _check(account, field, text)
        with _refused(field):
            spoken = self._speaker.speak(text, Gender(gender), language)
            kept = self._clips.adopt(spoken.path.read_bytes(), "text")
        new = NewRecord(
            name=name or marks.plain(marks.read(text)).strip()[:MAX_NAME], content=kept.name,
            duration_ms=kept.duration_ms, gender=gender, text=text, language=language,
            cost=self._tariff.clip_price(text),
        )  # fmt: skip
        return Spoken(new, _notes(spoken, gender))

    def preview(self, account: Account, text: str, gender: int, language: str) -> Preview:
        """How a text would sound; nothing is kept. Raises Refusal."""
        _check(account, "text", text)
        if len(text) > MAX_PREVIEW:
            raise bad_field("text", "is longer than {most} characters", Code.TEXT_REFUSED, most=MAX_PREVIEW)
        with _refused("text"):
            file, spoken = self._speaker.say(text, Gender(gender), language)
            return Preview(self._clips.prepare_own(file, "text"), _notes(spoken, gender))


@contextmanager
def _refused(field: str) -> Iterator[None]:
    """What goes wrong with a voice becomes a Refusal of that field."""
    try:
        yield
    except SpeechError as error:
        code = _CODES.get(error.code, Code.SPEECH_UNAVAILABLE)
        if code is Code.SPEECH_UNAVAILABLE:
            raise Refusal(code) from error  # the particulars are the operator's
        raise bad_field(field, Message(error.message, **error.params), code) from error
    except BadClip as error:
        problem = Message(error.refused.template, **error.refused.params)
        raise bad_field(field, problem, Code.TEXT_REFUSED) from error


def _check(account: Account, field: str, text: str) -> None:
    if not account.moderated:
        raise needs_moderation(field)
    if not text.strip():
        raise bad_field(field, "is required: what is to be said")


def _notes(spoken: Clip, gender: int) -> list[Message]:
    notes = [Message("the voice does not honour the stress in {word}", word=word) for word in spoken.dropped]
    if spoken.gender != Gender(gender):
        notes.append(Message("there is no voice of that gender for {language}", language=spoken.language))
    return notes


def needs_moderation(field: str) -> Refusal:
    """Texts are spoken for nobody whom no moderator has seen."""
    message = Message(NEEDS_MODERATION)
    return Refusal(Code.MODERATION_NEEDED, message, {field: [message]})
