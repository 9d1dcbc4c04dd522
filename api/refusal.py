"""A request that is refused: said where it is found out, written as the contract's envelope in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Refusal(Exception):
    """The whole request fails. `message` is for a person; `errors` says which field, and why."""

    def __init__(self, status: int, message: str, errors: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = dict(errors or {})


def bad_field(field: str, text: str) -> Refusal:
    """One field cannot be taken as it is."""
    return bad_fields({field: [text]})


def bad_fields(errors: Mapping[str, Sequence[str]]) -> Refusal:
    """Some fields cannot be taken as they are."""
    field, texts = next(iter(errors.items()))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Refusal(422, f"{field}: {texts[0]}{more}", errors)
