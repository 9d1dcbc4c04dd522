"""The fields of `create`, by the contract's names in snake case."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

from api import kinds
from api.fields import (
    Fields,
    Flag,
    Headers,
    Integer,
    Later,
    LaterFlag,
    ObjectText,
    ShortText,
    Text,
    Unfit,
    Url,
    choice,
    empty,
    integer,
    off,
    structured,
    text,
)
from api.kinds import needs, of_kind, ref
from api.phones import listed, normal

DEFAULT_TIMEOUT_S = 30
_CLOCK = re.compile(kinds.CLOCK)
_TIME = re.compile(kinds.BLANKS + kinds.TIME + kinds.BLANKS)


def _record(value: Any) -> Any:
    value = structured(value)
    if value is None or isinstance(value, dict):
        return value
    return {"id": value}


def _record_id(value: Any) -> Any:
    return integer(value) or None  # 0: nothing is chosen in the form that the request was made from


def _blocks(value: Any) -> Any:
    value = structured(value)
    if value is None:
        return []
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        raise Unfit("must be an array of blocks")
    return [block for block in value if block == {} or not empty(block)]


def _due(value: Any) -> Any:
    if isinstance(value, str) and _TIME.fullmatch(value):
        value = value.partition(".")[0]
    elif isinstance(value, float) and abs(value) <= kinds.MAX_INTEGER:
        value = int(value)  # `time.time() + 60`, `Date.now() / 1000`
    at = integer(value)
    if at == 0:
        return None
    if at is not None and at < 0:
        raise Unfit("must be a time in Unix seconds")
    return at


def _clock(value: Any) -> Any:
    if empty(value):
        return None
    match = _CLOCK.fullmatch(value.strip(kinds.BLANK)) if isinstance(value, str) else None
    if match is None:
        raise Unfit("must be a time of the day, for example 09:30")
    hour, minute = match[0].split(":")[:2]
    return f"{int(hour):02}:{minute}"


def _weekdays(value: Any) -> Any:
    value = structured(value)
    if empty(value):
        return None
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, str):
        value = re.split(r"[ \t\r\n,]+", value)
    days = [integer(day) for day in (value if isinstance(value, list) else [value]) if not empty(day)]
    if not days:
        return None
    if not all(isinstance(day, int) and 1 <= day <= 7 for day in days):
        raise Unfit("must be days of the week, 1 (Monday) to 7, for example [1, 2, 3, 4, 5]")
    return sorted(set(days))


def smart_delay(value: Any) -> Any:
    """Minutes until a callee who was not reached is called again; None of nothing and of 0."""
    minutes = integer(value)
    if minutes in (None, 0):
        return None
    if not kinds.LEAST_DELAY <= minutes <= kinds.MOST_DELAY:
        raise Unfit("must lie between {least} and {most} minutes", least=kinds.LEAST_DELAY, most=kinds.MOST_DELAY)
    return minutes


def _gender(value: Any) -> int:
    if empty(value):
        return 0
    word = choice(value)
    if word not in kinds.GENDERS:
        raise Unfit("must be 0 (female) or 1 (male)")
    return kinds.GENDERS[word]


def _outgoing(value: Any) -> str | None:
    return None if off(value) else text(value)


def _timeout(value: Any) -> int:
    return integer(value) or DEFAULT_TIMEOUT_S


def _managers(value: Any) -> Any:
    if off(value):
        return ()
    given = [number for number in listed(value) if not empty(number)]
    if len(given) > kinds.MOST_MANAGERS:
        raise Unfit("holds {count} numbers; at most {most} can be tried", count=len(given), most=kinds.MOST_MANAGERS)
    return tuple(normal(number) for number in given)


Gender = Annotated[int, BeforeValidator(_gender), of_kind("Gender")]
Clock = Annotated[str | None, BeforeValidator(_clock), of_kind("Clock")]
Weekdays = Annotated[list[int] | None, BeforeValidator(_weekdays), of_kind("Weekdays")]
SmartDelay = Annotated[int | None, BeforeValidator(smart_delay), of_kind("Delay")]
Timeout = Annotated[int, BeforeValidator(_timeout), of_kind("Timeout")]
Due = Annotated[int | None, BeforeValidator(_due), of_kind("Time")]
Managers = Annotated[tuple[str, ...], BeforeValidator(_managers), of_kind("Managers")]
Callees = Annotated[tuple[Any, ...], BeforeValidator(listed), of_kind("Callees")]


class RecordFields(Fields):
    """A clip: one that is stored, by its `id`, or one to be made from a `text`; `id` wins when both are there."""

    id: Annotated[int | None, BeforeValidator(_record_id), of_kind("Integer")] = None
    """The number of a record, as `createRecord` and `getRecords` tell it."""
    text: Text = None
    """What is to be said. `+` stands before a stressed vowel, `<->` is a pause."""
    gender: Gender = 0
    language: ShortText = None
    """The language of the text, as `getAvailableLanguages` lists it; that of its letters if left out."""

    @property
    def is_none(self) -> bool:
        """Neither is named."""
        return self.id is None and self.text is None


RecordField = Annotated[RecordFields | None, BeforeValidator(_record), of_kind("Clip")]


class Block(Fields):
    """One choice of a voice menu: what happens when the callee presses its digit."""

    model_config = needs({"digit": ref("Digit")})

    digit: Text = None
    """The key that chooses the block; each once in a menu."""
    id: Text = None
    """Your own name of the block; `ivrIdList` lists those that a call passed."""
    record: RecordField = None
    """What is played; nothing is played if left out."""
    webhook_url: Url = None
    """Called at once when the block is reached."""
    webhook_parameters: ObjectText = None
    """Merged into that webhook's body; `{phone}` in its texts stands for the callee."""
    need_block: Flag = 0
    """1: the callee who chooses it is put on the stop list."""
    manager_phone: Managers = ()
    """A manager to connect the callee to; several are tried in order, until one answers."""
    tag: ShortText = None
    """A label; `tagList` lists those of the blocks that a call passed."""
    recognize: Later = None
    """Recognise what the callee says."""
    sms_text: Later = None
    """A text message to the callee."""
    ivrs: Annotated[tuple[Block, ...], BeforeValidator(_blocks), of_kind("Menu")] = ()
    """The menu below this block."""


Blocks = Annotated[tuple[Block, ...], BeforeValidator(_blocks), of_kind("Menu")]


class Order(Fields):
    """What `create`, `createWithTemplate` and `saveTemplate` have in common: all but the callees and the clips."""

    outgoing_phone: Annotated[str | None, BeforeValidator(_outgoing), of_kind("Outgoing")] = None
    """The number to call from; required unless `dutyPhone` is 1 or the account has a default."""
    duty_phone: Flag = 0
    """1: call from any of the account's numbers, in turn."""
    webhook_url: Url = None
    """Called when a call is over, after its last redial."""
    webhook_parameters: ObjectText = None
    """Merged into the webhook's body; `{phone}` in its texts stands for the callee."""
    webhook_headers: Headers = None
    """Headers that are sent with the webhooks."""
    planned_at: Due = None
    """Not before this time; at most a year ahead."""
    start_time: Clock = None
    """Calls are made from this time of the day on, in the account's time zone."""
    end_time: Clock = None
    """Calls are made until this time of the day; before `startTime`, it is the next day's."""
    weekdays: Weekdays = None
    """Calls are made on these days; all if left out."""
    smart_delay: SmartDelay = None
    """How long until a callee who was not reached is called again, three times at most; never if left out."""
    timeout: Timeout = DEFAULT_TIMEOUT_S
    """How long it may ring."""
    detect_end_of_speech: Flag = 0
    """1: the first clip waits until the callee has said hello."""
    voice_detection_enabled: Flag = 0
    """1: the callee's voice stops the first clip."""
    need_recording: Flag = 0
    """1: the call is recorded from the answer on, both sides; `recordFilePath` is where it can be heard."""
    use_outgoing_phone_for_manager: Flag = 0
    """1: the manager sees the number that was called from; else the callee's."""
    label: ShortText = None
    """Your mark of the source; the client's address if left out."""
    tag: ShortText = None
    """The label of the first block."""
    prev_call_id: Integer = None
    """The api-call that this one follows; it is told back."""
    record: RecordField = None
    """The first clip."""
    ivrs: Blocks = ()
    """The voice menu behind the first clip."""
    # What later versions bring to life:
    robots_block_enabled: LaterFlag = 0
    """Hang up on answering machines."""
    need_recognition: LaterFlag = 0
    """Recognise what the callee says."""


class Create(Order):
    """Whom to call and what to play: `phone` or `phones`, `record`, and what else is wanted."""

    model_config = needs(
        {"record": ref("SomeClip"), "phone": ref("SomePhones")},
        {"record": ref("SomeClip"), "phones": ref("SomePhones")},
    )

    phone: Callees = ()
    """Whom to call; several with commas between."""
    phones: Callees = ()
    """Whom to call, each by a call of its own."""
    dry_run: Flag = 0
    """1: tell what would be done, and call nobody."""


class SaveTemplate(Order):
    """A request without callees, and its name."""

    model_config = needs({"name": ref("ShortWords"), "record": ref("SomeClip")})

    name: ShortText = None
    """What the template is called."""


class CreateWithTemplate(Fields):
    """Whom to call, by which template; what else is given here stands in place of the template's."""

    model_config = needs(
        {"templateId": ref("Whole"), "phone": ref("SomePhones")},
        {"templateId": ref("Whole"), "phones": ref("SomePhones")},
    )

    template_id: Integer = None
    """The number of the template, as `saveTemplate` and `getTemplates` tell it."""
    phone: Callees = ()
    """Whom to call; several with commas between."""
    phones: Callees = ()
    """Whom to call, each by a call of its own."""
    variables: Annotated[Any, BeforeValidator(structured), of_kind("Variables")] = None
    """What `{name}` in the texts of the template's clips stands for."""
    dry_run: Flag = 0
    """1: tell what would be done, and call nobody."""
