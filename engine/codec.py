"""Events as plain JSON and back, exactly: `{"type": "Ringing", "code": 180}`. For the journal."""

from __future__ import annotations

import types
from collections.abc import Iterable
from dataclasses import fields
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints


class Codec:
    """For a closed set of dataclasses whose fields are str, int, float, bool, bytes, StrEnum, None and tuples."""

    def __init__(self, kinds: Iterable[type[Any]]) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}
        self._hints = {kind: get_type_hints(kind) for kind in self._kinds.values()}

    def encode(self, value: Any) -> dict[str, Any]:
        """A dict that `json.dumps` takes; bytes become one character a byte."""
        return {"type": type(value).__name__} | {spec.name: _plain(getattr(value, spec.name)) for spec in fields(value)}

    def decode(self, plain: dict[str, Any]) -> Any:
        """The value again; ValueError where it is none of the set."""
        try:
            kind = self._kinds[plain["type"]]
            hints = self._hints[kind]
            return kind(**{name: _typed(hints[name], value) for name, value in plain.items() if name != "type"})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an event of ours: {str(plain)[:80]}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return list(value) if isinstance(value, tuple) else value


def _typed(hint: Any, value: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        if value is None:
            return None
        hint = next(part for part in get_args(hint) if part is not type(None))
    if hint is bytes:
        return value.encode("latin-1")
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(value)
    return tuple(value) if isinstance(value, list) else value
