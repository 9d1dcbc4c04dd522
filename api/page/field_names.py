"""Which fields of a request no method knows, and which name was meant: from the models that the methods read.

The API ignores unknown fields, as its contract says; a person who misspelt one is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from api.create_fields import Create
from api.fields import Fields
from api.get import Get
from api.kinds import of_kind
from api.record import CreateRecord

KEY = "apiKey"
MODELS: dict[str, type[BaseModel]] = {
    "create": Create,
    "get": Get,
    "userInfo": Fields,
    "createRecord": CreateRecord,
}
_MOST = 50  # that are told
_DEEPEST = 40


class Unknown(NamedTuple):
    """A field that is ignored: where (`ivrs[0].tga`), and the name that was meant; "" if none is near."""

    path: str
    meant: str


def unknown(method: str, body: Any) -> list[Unknown]:
    """In the order of the request."""
    found = _in_object(MODELS[method], body, "", (KEY, "apikey"), 0)
    return [told for told, _ in zip(found, range(_MOST), strict=False)]


def unavailable() -> frozenset[str]:
    """The options of `create` that the API refuses for now."""
    off = of_kind("Off")
    return frozenset(str(field.alias) for field in Create.model_fields.values() if off in field.metadata)


def _in_object(model: type[BaseModel], body: Any, place: str, also: tuple[str, ...], depth: int) -> Iterator[Unknown]:
    if not isinstance(body, dict) or depth > _DEEPEST:
        return
    known = [*(str(field.alias) for field in model.model_fields.values()), *also]
    for name, value in body.items():
        path = f"{place}.{name}" if place else str(name)
        if name not in known:
            yield Unknown(path, _meant(str(name), known))
            continue
        inner = _below(model, name)
        if inner is None:
            continue
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _in_object(inner, item, f"{path}[{index}]", (), depth + 1)
        else:
            yield from _in_object(inner, value, path, (), depth + 1)


def _meant(name: str, known: list[str]) -> str:
    by_small = {one.lower(): one for one in known}
    plain = name.lower().replace("_", "").replace("-", "")
    near = get_close_matches(plain, list(by_small), 1, 0.6)
    return by_small[near[0]] if near else ""


def _below(model: type[BaseModel], alias: str) -> type[BaseModel] | None:
    """The model of what stands in that field, if it is an object or an array of them."""
    for field in model.model_fields.values():
        if field.alias == alias:
            return _model_in(field.annotation)
    return None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        found = _model_in(part)
        if found is not None:
            return found
    return None
