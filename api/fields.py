"""Kinds of fields: a number and its string are the same, 0/1 and false/true likewise, an empty one is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from api import kinds
from api.body import check
from api.kinds import MAX_HEADER, MAX_HEADERS, MAX_IDS, MAX_INTEGER, MAX_PARAMETERS, MAX_URL, of_kind
from api.messages import Message
from api.problems import Code
from api.refusal import Refusal, bad_fields

NOT_YET = "is not available yet; leave it out"
_WHOLE = re.compile(kinds.BLANKS + kinds.WHOLE + kinds.BLANKS)
_HEADER_NAME = re.compile(kinds.HEADER_NAME)
_HEADER_VALUE = re.compile(kinds.HEADER_VALUE)
_JSON_TYPE = re.compile(kinds.JSON_TYPE)


class Unfit(ValueError):
    """A field's value cannot be taken; the message follows the field's name."""

    def __init__(self, template: str | Message, code: Code = Code.FIELD_INVALID, **values: Any) -> None:
        self.message = template if isinstance(template, Message) else Message(template, **values)
        self.code = code
        super().__init__(str(self.message))


class Fields(BaseModel):
    """Base of a method's fields, which outside are written in camel case. Unknown ones are ignored.

    What stands below a field is its description in the OpenAPI document.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, use_attribute_docstrings=True)


def empty(value: Any) -> bool:
    """Nothing was given, in one of the ways in which clients say that."""
    return value is None or value is False or value in ("", [], {})


def off(value: Any) -> bool:
    """Given in a way that means: not wanted."""
    return empty(value) or choice(value) in kinds.OFF_WORDS


def _word(value: Any) -> str:
    """A number or text as a text, so that 1, 1.0 and "1" are the same."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, (str, int, float)) else ""


def choice(value: Any) -> str:
    """One of a few words, in small letters; "true" for true itself."""
    return "true" if value is True else _word(value).strip(kinds.BLANK).lower()


def integer(value: Any) -> Any:
    """A whole number from a number or its string; None of nothing."""
    if empty(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value.partition(".")[0])
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unfit("must be a whole number")
    if abs(value) > MAX_INTEGER:
        raise Unfit("is too large a number")
    return value


def text(value: Any) -> Any:
    """A text from a string or a number; None of nothing."""
    if empty(value):
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Unfit("must be a text")
    if not isinstance(value, str) and not abs(value) <= MAX_INTEGER:
        raise Unfit("is too large a number")
    return _word(value)


def at_most(length: int) -> Callable[[str | None], str | None]:
    """A text no longer than that."""

    def check_length(value: str | None) -> str | None:
        if value is not None and len(value) > length:
            raise Unfit("is longer than {most} characters", most=length)
        return value

    return check_length


def flag(value: Any) -> Any:
    """0 or 1."""
    if off(value):
        return 0
    if choice(value) in kinds.ON_WORDS:
        return 1
    raise Unfit("must be 0 or 1")


def _unavailable(value: Any) -> Any:
    if off(value):
        return None
    raise Unfit(NOT_YET, Code.OPTION_UNAVAILABLE)


def _unavailable_flag(value: Any) -> Any:
    if flag(value):
        raise Unfit(NOT_YET, Code.OPTION_UNAVAILABLE)
    return 0


def structured(value: Any) -> Any:
    """An array or object, also as JSON text in a field of a form."""
    if empty(value) or value == "null":  # what a program makes JSON text of when it has nothing
        return None
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            known = json.loads(value)
        except (ValueError, RecursionError):
            return value
        check(known)
        return known
    return value


def _ids(value: Any) -> Any:
    value = structured(value)
    if empty(value):
        return []
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, str):
        value = [part for part in re.split(r"[ \t\r\n,]+", value) if part]
    if not isinstance(value, list):
        value = [value]
    if len(value) > MAX_IDS:
        raise Unfit("holds {count} ids; at most {most} go into one request", count=len(value), most=MAX_IDS)
    return [number for number in map(integer, value) if number is not None]


def _url(value: str | None) -> str | None:
    value = (value or "").strip(kinds.BLANK)
    if not value:
        return None
    if len(value) > MAX_URL:
        raise Unfit("is longer than {most} characters", most=MAX_URL)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise Unfit("is not an address of the web") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise Unfit("must begin with http:// or https:// and name a host")
    if re.search(r"[\x00-\x20\x7f\\]", value):
        raise Unfit("holds a blank or a control character")
    return value


def _object_text(value: Any) -> Any:
    if empty(value) or (isinstance(value, str) and value.strip(kinds.BLANK) in ("", "null", '""')):
        return None
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    try:
        known = json.loads(value) if isinstance(value, str) else None
        json.dumps(known, allow_nan=False)  # NaN, and 1e999: Python reads them, but a webhook with them is no JSON
    except (ValueError, RecursionError):
        known = None
    check(known)  # who sends it on must be able to go through it
    if not isinstance(known, dict) and known != []:  # PHP writes an empty object so
        raise Unfit("must be the text of a JSON object, for example {example}", example='"{\\"order\\": 15}"')
    if len(value) > MAX_PARAMETERS:
        raise Unfit("is longer than {most} characters", most=MAX_PARAMETERS)
    return value


def _headers(value: Any) -> Any:
    value = structured(value)
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) > MAX_HEADERS:
        raise Unfit("must be an object: name of the header, its value")
    told: dict[str, str] = {}
    for name, content in value.items():
        if not _HEADER_NAME.fullmatch(name):
            raise Unfit("{name!r} is no name of a header", name=name[:50])
        if name.lower() == "content-type" and _JSON_TYPE.fullmatch(str(content)):
            continue
        if name.lower() in (*kinds.OUR_HEADERS, "content-type"):
            raise Unfit("{name!r} is set by the service itself", name=name)
        told[name] = text(content) or ""
        if len(told[name]) > MAX_HEADER or not _HEADER_VALUE.fullmatch(told[name]):
            raise Unfit("the value of {name!r} holds what a header cannot", name=name)
    return told


Model = TypeVar("Model", bound=BaseModel)
Integer = Annotated[int | None, BeforeValidator(integer), of_kind("Integer")]
Text = Annotated[str | None, BeforeValidator(text), of_kind("Text")]
ShortText = Annotated[str | None, AfterValidator(at_most(kinds.SHORT)), BeforeValidator(text), of_kind("ShortText")]
Flag = Annotated[int, BeforeValidator(flag), of_kind("Flag")]
Later = Annotated[None, BeforeValidator(_unavailable), of_kind("Off")]  # brought to life by a later version
LaterFlag = Annotated[int, BeforeValidator(_unavailable_flag), of_kind("Off")]
Ids = Annotated[tuple[int, ...], BeforeValidator(_ids), of_kind("Ids")]
Url = Annotated[str | None, AfterValidator(_url), BeforeValidator(text), of_kind("Url")]
ObjectText = Annotated[str | None, BeforeValidator(_object_text), of_kind("ObjectText")]
Headers = Annotated[dict[str, str] | None, BeforeValidator(_headers), of_kind("Headers")]


def take(model: type[Model], values: dict[str, Any]) -> Model:
    """The fields of a method. Raises Refusal that names each bad one."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise refusal(error) from error


def refusal(error: ValidationError) -> Refusal:
    """What is wrong with which field."""
    errors: dict[str, list[Message]] = {}
    codes: set[Code] = set()
    for problem in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in problem["loc"]) or "body"
        raised = problem.get("ctx", {}).get("error")
        if isinstance(raised, Unfit):
            errors.setdefault(place, []).append(raised.message)
            codes.add(raised.code)
        else:
            errors.setdefault(place, []).append(_MESSAGES.get(problem["type"], UNFIT))
            codes.add(Code.FIELD_INVALID)
    return bad_fields(errors, codes.pop() if len(codes) == 1 else Code.FIELD_INVALID)


# The one kind that pydantic itself finds: every field has a validator of ours before it, and none is required.
_MESSAGES = {"model_type": Message("must be an object")}
UNFIT = Message("cannot be taken as it is")
