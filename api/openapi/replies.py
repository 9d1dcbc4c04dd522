"""Replies by their HTTP status: the good one, and refusals with the codes that may come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from api.kinds import Schema
from api.openapi.shapes import error, success
from api.problems import PROBLEMS, Code

ANY_METHOD = (
    Code.KEY_MISSING, Code.KEY_WRONG, Code.BODY_UNREADABLE, Code.BODY_INVALID, Code.BODY_TOO_LARGE,
    Code.FIELD_INVALID, Code.STORE_UNAVAILABLE, Code.INTERNAL,
)  # fmt: skip


def refusals(codes: Iterable[Code]) -> dict[str, Schema]:
    """One reply for each status that these codes have."""
    by_status: dict[int, list[Code]] = {}
    for code in codes:
        by_status.setdefault(PROBLEMS[code].status, []).append(code)
    return {str(status): _refusal(status, sorted(of_it)) for status, of_it in sorted(by_status.items())}


def good(data: Schema, *, repeatable: bool) -> dict[str, Schema]:
    """The reply of a method that did what it was asked."""
    made: dict[str, Any] = {
        "description": "It is done.",
        "content": {"application/json": {"schema": success(data)}},
    }
    if repeatable:
        made["headers"] = {
            "Idempotent-Replay": {
                "description": "The reply was given before to the same `Idempotency-Key`.",
                "schema": {"const": "true"},
            }
        }
    return {"200": made}


def _refusal(status: int, codes: list[Code]) -> Schema:
    told = "; ".join(f"`{code}`: {PROBLEMS[code].title[0].lower()}{PROBLEMS[code].title[1:]}" for code in codes)
    made: dict[str, Any] = {
        "description": f"{told}.",
        "content": {"application/json": {"schema": error(codes)}},
    }
    if status == 401:
        made["headers"] = {"WWW-Authenticate": {"required": True, "schema": {"const": "Bearer"}}}
    return made
