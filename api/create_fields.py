"""The fields of `create`, by the contract's names in snake case."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

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
    empty,
    integer,
    structured,
)
from api.phones import listed

DEFAULT_TIMEOUT_S = 30
MIN_DELAY, MAX_DELAY = 2, 1440  # minutes
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::[0-9]{2})?")


def _record(value: Any) -> Any:
    value = structured(value)
    if value is None or isinstance(value, dict):
        return value
    return {"id": value}


def _blocks(value: Any) -> Any:
    value = structured(value)
    if value is None:
        return []
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        raise Unfit("must be an array of blocks")
    return value


def _due(value: Any) -> Any:
    at = integer(value)
    if at == 0:
        return None
    if at is not None and at < 0:
        raise Unfit("must be a time in Unix seconds")
    return at


def _clock(value: Any) -> Any:
    if empty(value):
        return None
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or int(match[1]) > 24 or int(match[2]) > 59 or (int(match[1]) == 24 and int(match[2]) > 0):
        raise Unfit("must be a time of the day, for example 09:30")
    return f"{int(match[1]):02}:{match[2]}"


def _weekdays(value: Any) -> Any:
    value = structured(value)
    if empty(value):
        return None
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, str):
        value = value.split(",")
    days = [integer(day) for day in (value if isinstance(value, list) else [value])]
    if not all(isinstance(day, int) and 1 <= day <= 7 for day in days):
        raise Unfit("must be days of the week, 1 (Monday) to 7, for example [1, 2, 3, 4, 5]")
    return sorted(set(days))


def smart_delay(value: Any) -> Any:
    """Minutes until a callee who was not reached is called again; None of nothing and of 0."""
    minutes = integer(value)
    if minutes in (None, 0):
        return None
    if not MIN_DELAY <= minutes <= MAX_DELAY:
        raise Unfit("must lie between {least} and {most} minutes", least=MIN_DELAY, most=MAX_DELAY)
    return minutes


def _gender(value: Any) -> int:
    known = {"0": 0, "female": 0, "1": 1, "male": 1}
    if value is None or value == "":
        return 0
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (list, dict)) or str(value).strip().lower() not in known:
        raise Unfit("must be 0 (female) or 1 (male)")
    return known[str(value).strip().lower()]


Gender = Annotated[int, BeforeValidator(_gender)]
Clock = Annotated[str | None, BeforeValidator(_clock)]
Weekdays = Annotated[list[int] | None, BeforeValidator(_weekdays)]
SmartDelay = Annotated[int | None, BeforeValidator(smart_delay)]
Due = Annotated[int | None, BeforeValidator(_due)]
Callees = Annotated[tuple[Any, ...], BeforeValidator(listed)]


class RecordFields(Fields):
    """`record`: a clip that is stored, or one to be made from a text."""

    id: Integer = None
    text: Text = None
    gender: Gender = 0
    language: ShortText = None

    @property
    def is_none(self) -> bool:
        """Neither is named."""
        return self.id is None and self.text is None


class Block(Fields):
    """One block of `ivrs`."""

    digit: Text = None
    id: Text = None
    record: Annotated[RecordFields | None, BeforeValidator(_record)] = None
    webhook_url: Url = None
    webhook_parameters: ObjectText = None
    need_block: Flag = 0
    manager_phone: Later = None
    tag: ShortText = None
    recognize: Later = None
    sms_text: Later = None
    ivrs: Annotated[tuple[Block, ...], BeforeValidator(_blocks)] = ()


class Order(Fields):
    """What `create`, `createWithTemplate` and `saveTemplate` have in common: all but the callees and the clips."""

    outgoing_phone: Any = None
    duty_phone: Flag = 0
    webhook_url: Url = None
    webhook_parameters: ObjectText = None
    webhook_headers: Headers = None
    planned_at: Due = None
    start_time: Clock = None
    end_time: Clock = None
    weekdays: Weekdays = None
    smart_delay: SmartDelay = None
    timeout: Annotated[int, BeforeValidator(lambda value: integer(value) or DEFAULT_TIMEOUT_S)] = DEFAULT_TIMEOUT_S
    detect_end_of_speech: Flag = 0
    voice_detection_enabled: Flag = 0
    label: ShortText = None
    tag: ShortText = None
    prev_call_id: Integer = None
    record: Annotated[RecordFields | None, BeforeValidator(_record)] = None
    ivrs: Annotated[tuple[Block, ...], BeforeValidator(_blocks)] = ()
    # What later versions bring to life:
    robots_block_enabled: LaterFlag = 0
    need_recording: LaterFlag = 0
    need_recognition: LaterFlag = 0
    use_outgoing_phone_for_manager: LaterFlag = 0


class Create(Order):
    """The fields of `create`."""

    phone: Callees = ()
    phones: Callees = ()
    dry_run: Flag = 0


class SaveTemplate(Order):
    """The fields of `saveTemplate`."""

    name: ShortText = None


class CreateWithTemplate(Fields):
    """The fields of `createWithTemplate`; what is given here stands in place of the template's."""

    template_id: Integer = None
    phone: Callees = ()
    phones: Callees = ()
    variables: Annotated[Any, BeforeValidator(structured)] = None
    dry_run: Flag = 0
