"""A request that is refused: said where it is found out, written as the contract's envelope in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.messages import Message
from api.problems import PROBLEMS, Code


class Refusal(Exception):
    """The whole request fails. `code` is its kind, `message` is for a person; `errors` says which field, and why."""

    def __init__(
        self,
        code: Code,
        template: str | Message = "",
        errors: Mapping[str, Sequence[Message]] | None = None,
        **values: Any,
    ) -> None:
        self.code = code
        self.message = (
            template if isinstance(template, Message) else Message(template or PROBLEMS[code].title, **values)
        )
        self.errors = dict(errors or {})
        super().__init__(str(self.message))

    @property
    def status(self) -> int:
        """The HTTP status of this kind."""
        return PROBLEMS[self.code].status


def bad_field(field: str, template: str | Message, code: Code = Code.FIELD_INVALID, **values: Any) -> Refusal:
    """One field cannot be taken as it is."""
    message = template if isinstance(template, Message) else Message(template, **values)
    return bad_fields({field: [message]}, code)


def bad_fields(errors: Mapping[str, Sequence[Message]], code: Code = Code.FIELD_INVALID) -> Refusal:
    """Some fields cannot be taken as they are."""
    field, messages = next(iter(errors.items()))
    if len(errors) > 1:
        return Refusal(
            code, "{field}: {problem} (and {more} more)", errors, field=field, problem=messages[0], more=len(errors) - 1
        )
    return Refusal(code, "{field}: {problem}", errors, field=field, problem=messages[0])
