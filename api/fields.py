"""Kinds of fields: a number and its string are the same, 0/1 and false/true likewise, an empty one is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from api.body import check
from api.messages import Message
from api.problems import Code
from api.refusal import Refusal, bad_fields

MAX_INTEGER = 2**53 - 1  # what every JSON reader holds exactly
MAX_IDS = 5000
MAX_URL = 2000
MAX_PARAMETERS = 20_000
NOT_YET = "is not available yet; leave it out"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110 section 5.6.2
_OUR_HEADERS = {
    "host", "content-length", "transfer-encoding", "connection", "content-type", "content-encoding", "te", "upgrade",
    "trailer", "expect", "webhook-id", "webhook-timestamp", "webhook-signature",
}  # fmt: skip


class Unfit(ValueError):
    """A field's value cannot be taken; the message follows the field's name."""

    def __init__(self, template: str | Message, code: Code = Code.FIELD_INVALID, **values: Any) -> None:
        self.message = template if isinstance(template, Message) else Message(template, **values)
        self.code = code
        super().__init__(str(self.message))


class Fields(BaseModel):
    """Base of a method's fields, which outside are written in camel case. Unknown ones are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel)


def empty(value: Any) -> bool:
    """Nothing was given, in one of the ways in which clients say that."""
    return value is None or value in ("", [], {})


def off(value: Any) -> bool:
    """Given in a way that means: not wanted."""
    return empty(value) or value is False or str(value).strip().lower() in ("0", "false", "null", "off", "no")


def integer(value: Any) -> Any:
    """A whole number from a number or its string; None of nothing."""
    if empty(value):
        return None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,17}\s*", value):
        value = int(value)
    if not isinstance(value, int):
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
    return str(value)


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
    if str(value).strip().lower() in ("1", "true", "on", "yes"):
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
    if empty(value):
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
        value = value.split(",")
    if not isinstance(value, list):
        value = [value]
    if len(value) > MAX_IDS:
        raise Unfit("holds {count} ids; at most {most} go into one request", count=len(value), most=MAX_IDS)
    return [number for number in map(integer, value) if number is not None]


def _url(value: str | None) -> str | None:
    if value is None:
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
    if re.search(r"[\s\x00-\x1f]", value):
        raise Unfit("holds a blank or a control character")
    return value


def _object_text(value: Any) -> Any:
    if empty(value):
        return None
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    try:
        known = json.loads(value) if isinstance(value, str) else None
        json.dumps(known, allow_nan=False)  # NaN, and 1e999: Python reads them, but a webhook with them is no JSON
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, dict) and known != []:  # PHP writes an empty object so
        raise Unfit("must be the text of a JSON object, for example {example}", example='"{\\"order\\": 15}"')
    if len(value) > MAX_PARAMETERS:
        raise Unfit("is longer than {most} characters", most=MAX_PARAMETERS)
    return value


def _headers(value: Any) -> Any:
    value = structured(value)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unfit("must be an object: name of the header, its value")
    told: dict[str, str] = {}
    for name, content in value.items():
        if not _HEADER_NAME.fullmatch(name):
            raise Unfit("{name!r} is no name of a header", name=name[:50])
        if name.lower() in _OUR_HEADERS:
            raise Unfit("{name!r} is set by the service itself", name=name)
        told[name] = text(content) or ""
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", told[name]) or not told[name].isascii():
            raise Unfit("the value of {name!r} holds what a header cannot", name=name)
    return told


Model = TypeVar("Model", bound=BaseModel)
Integer = Annotated[int | None, BeforeValidator(integer)]
Text = Annotated[str | None, BeforeValidator(text)]
ShortText = Annotated[Text, AfterValidator(at_most(200))]
Flag = Annotated[int, BeforeValidator(flag)]
Later = Annotated[None, BeforeValidator(_unavailable)]  # brought to life by a later version
LaterFlag = Annotated[int, BeforeValidator(_unavailable_flag)]
Ids = Annotated[tuple[int, ...], BeforeValidator(_ids)]
Url = Annotated[str | None, AfterValidator(_url), BeforeValidator(text)]
ObjectText = Annotated[str | None, BeforeValidator(_object_text)]
Headers = Annotated[dict[str, str] | None, BeforeValidator(_headers)]


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
