"""What happened in a call, in words that a person understands. Pure: a fact goes in, a message comes out.

    "rings", "answered after 3.2 s", 'plays "Greeting"', "pressed 1 after 4.2 s", "did not answer within 30 s"

A fact alone does not say enough: how long until the answer, which clip, is known from those before it. So a `Teller`
is given the facts of an api-call in order; `dialing` begins another dialing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.messages import Message
from api.page import manager_words, outcomes, recording_words
from api.page.formats import phone
from api.page.seconds import Seconds

Fact = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Clip:
    """What may be played: its name and how long it is."""

    name: str
    duration_ms: int


@dataclass(slots=True)
class Teller:
    """Tells the facts of one api-call. `clips` are the account's, by number; `timeout_s` is how long it rings."""

    clips: Mapping[str, Clip] = field(default_factory=dict)
    timeout_s: float | None = None
    began_at: float | None = None
    answered_at: float | None = None
    pressed: str = ""
    pressed_at: float | None = None
    manager_at: float | None = None  # when the one who rings or talks was called

    def tell(self, fact: Fact) -> Message:
        """The fact in words."""
        at = float(fact.get("at", 0.0))
        match fact["type"]:
            case "dialing":
                self.began_at, self.answered_at, self.pressed, self.pressed_at = at, None, "", None
                if fact.get("outgoing"):
                    return Message(
                        "dials {to} from {outgoing}", to=_phone(fact, "to"), outgoing=_phone(fact, "outgoing")
                    )
                return Message("dials")
            case "ringing":
                return Message("rings")
            case "early_media":
                return Message("sound before the answer")
            case "answered":
                self.answered_at = at
                return Message("answered after {time}", time=Seconds(at - (self.began_at or at)))
            case "block":
                return Message("came to {block}", block=block(str(fact.get("block", ""))))
            case "digit":
                self.pressed += str(fact.get("digit", ""))
                self.pressed_at = at
                return Message(
                    "pressed {digits} after {time}", digits=fact.get("digit", ""), time=self._since_answer(at)
                )
            case "ended":
                return self.result(fact)
            case kind:
                return self._heard(kind, fact) or Message("{kind}", kind=kind)

    def plays_ms(self, fact: Fact) -> int | None:
        """How long what a `prompt_started` plays is; None where that is not known."""
        lengths = [_pause_ms(clip) or self._clip_ms(clip) for clip in fact.get("clips", ())]
        return None if not lengths or None in lengths else sum(length or 0 for length in lengths)

    def result(self, fact: Fact) -> Message:
        """The fact `ended` as a sentence."""
        disposition = str(fact.get("disposition", ""))
        if disposition.startswith("answered"):
            digits = self.pressed or str(fact.get("digits", ""))
            last_s = None if self.pressed_at is None else self._since_answer(self.pressed_at)
            told = answered(disposition, digits, last_s, int(fact.get("heard_ms") or 0))
            return manager_words.result(told, fact.get("manager"))
        if disposition == "no_answer" and self.timeout_s is not None:
            return Message("did not answer within {time}", time=Seconds(self.timeout_s))
        return outcomes.DISPOSITIONS.get(disposition) or Message("{kind}", kind=disposition)

    def _heard(self, kind: str, fact: Fact) -> Message | None:
        match kind:
            case "prompt_started":
                return Message('plays "{clip}"', clip=self._named(fact.get("clips", ())))
            case "prompt_ended":
                return _stopped(str(fact.get("why", "ended")), Seconds(int(fact.get("heard_ms") or 0) / 1000))
            case "barge_in":
                return Message("interrupted by voice" if fact.get("by") == "voice" else "interrupted by a key")
            case "speech_started":
                return Message("speaks")
            case "speech_ended":
                return Message("fell silent")
            case "outcome":
                return _chosen(fact)
            case "verdict":
                return Message("it is {whom}", whom=_whom(str(fact.get("verdict", "unknown"))))
            case "beep":
                return Message("the answering machine beeps")
            case "no_media":
                return Message("no sound comes from the callee")
            case "offer_refused":
                return Message("the other side's change of sound was refused")
            case "recording":
                return recording_words.told(fact)
            case "transfer_started":
                self.manager_at = float(fact.get("at", 0.0))
        at = float(fact.get("at", 0.0))
        return manager_words.told(fact, at - (self.manager_at or at))

    def _since_answer(self, at: float) -> Seconds:
        return Seconds(at - (self.answered_at or self.began_at or at))

    def _named(self, clips: Any) -> Message | str:
        names = [self._name(str(clip)) for clip in clips if _pause_ms(str(clip)) is None]
        return ", ".join(names) if names else Message("a pause")

    def _name(self, clip: str) -> str:
        kind, _, rest = clip.partition(" ")
        if kind == "record":
            known = self.clips.get(rest)
            return known.name if known else f"№ {rest}"
        return rest if kind == "text" else clip

    def _clip_ms(self, clip: str) -> int | None:
        known = self.clips.get(clip.removeprefix("record "))
        return known.duration_ms if known else None


def block(name: str) -> Message:
    """A block of a menu: `menu.1.2` is the one behind the digits 1 and 2."""
    digits = name.split(".")[1:] if name.split(".", maxsplit=1)[0] == "menu" else None
    if digits is None:
        return Message('the block "{name}"', name=name)
    return Message("the block {digits}", digits=" → ".join(digits)) if digits else Message("the first block")


def answered(disposition: str, digits: str, last_after: Message | None, heard_ms: int) -> Message:
    """The result of an answered call. `last_after` is when the last digit came after the answer, if that is known."""
    if digits and last_after is not None:
        told = Message("pressed {digits} after {time}", digits=digits, time=last_after)
    elif digits:
        told = Message("pressed {digits}", digits=digits)
    elif heard_ms:
        told = Message("listened for {time}", time=Seconds(heard_ms / 1000))
    else:
        told = Message("heard nothing")
    who = outcomes.DISPOSITIONS.get(disposition) or outcomes.DISPOSITIONS["answered"]
    return Message("{who}, {what}", who=who, what=told)


def _phone(fact: Fact, key: str) -> str:
    return phone(str(fact.get(key, "")))


def _pause_ms(clip: str) -> int | None:
    words = clip.split()
    return int(words[1]) if len(words) == 3 and words[0] == "pause" and words[1].isdigit() else None


def _stopped(why: str, time: Seconds) -> Message:
    match why:
        case "ended":
            return Message("heard to the end: {time}", time=time)
        case "digit":
            return Message("stopped by a key after {time}", time=time)
        case "voice":
            return Message("stopped by the callee's voice after {time}", time=time)
        case "closed":
            return Message("the call ended after {time} of it", time=time)
    return Message("stopped after {time}", time=time)


def _chosen(fact: Fact) -> Message:
    match fact.get("outcome"):
        case "silence":
            return Message("pressed nothing in time")
        case "invalid":
            return Message("pressed what leads nowhere")
        case "voice":
            return Message("said something instead of listening")
        case "done" | "ended":
            return Message("the block is done")
        case "failed" | "busy" | "no_answer" | "rejected":
            return Message("no manager was reached")
    return Message("chose {digits}", digits=fact.get("digits") or fact.get("outcome", ""))


def _whom(verdict: str) -> Message:
    known = {
        "human": Message("a person"), "machine": Message("a machine"), "silence": Message("silence"),
        "fax": Message("a fax"), "announcement": Message("an announcement of the network"),
        "ringback": Message("a ringing tone"), "music": Message("music instead of a ringing tone"),
        "busy": Message("a busy tone"), "congestion": Message("a tone of congestion"),
    }  # fmt: skip
    return known.get(verdict) or Message("unclear who")
