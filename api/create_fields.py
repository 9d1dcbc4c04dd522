"""The fields of `create`, by the contract's names in snake case."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from api.fields import (
    NOT_YET,
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


def _window(value: Any) -> Any:
    if empty(value):
        return None
    raise Unfit(NOT_YET)


class RecordFields(Fields):
    """`record`: a clip that is stored; one to be made from a text comes later."""

    id: Integer = None
    text: Text = None
    gender: Text = None


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


class Create(Fields):
    """The fields of `create`, by the contract's names."""

    phone: Annotated[tuple[Any, ...], BeforeValidator(listed)] = ()
    phones: Annotated[tuple[Any, ...], BeforeValidator(listed)] = ()
    outgoing_phone: Any = None
    duty_phone: Flag = 0
    record: Annotated[RecordFields | None, BeforeValidator(_record)] = None
    ivrs: Annotated[tuple[Block, ...], BeforeValidator(_blocks)] = ()
    webhook_url: Url = None
    webhook_parameters: ObjectText = None
    webhook_headers: Headers = None
    planned_at: Annotated[int | None, BeforeValidator(_due)] = None
    timeout: Annotated[int, BeforeValidator(lambda value: integer(value) or DEFAULT_TIMEOUT_S)] = DEFAULT_TIMEOUT_S
    detect_end_of_speech: Flag = 0
    voice_detection_enabled: Flag = 0
    label: ShortText = None
    tag: ShortText = None
    prev_call_id: Integer = None
    # What later versions bring to life:
    smart_delay: Later = None
    start_time: Annotated[None, BeforeValidator(_window)] = None
    end_time: Annotated[None, BeforeValidator(_window)] = None
    weekdays: Annotated[None, BeforeValidator(_window)] = None
    robots_block_enabled: LaterFlag = 0
    need_recording: LaterFlag = 0
    need_recognition: LaterFlag = 0
    use_outgoing_phone_for_manager: Any = None
