"""Turning over the pages of a table by key: what an address asks for, and the addresses of other pages."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

MAX_NUMBER = 2**63 - 1


def number(query: Mapping[str, str], name: str) -> int | None:
    """A whole number above zero of the address; None where there is none, or something else."""
    text = query.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= MAX_NUMBER else None


def address(path: str, query: Mapping[str, str], **changed: object) -> str:
    """The same page with other fields; what is None or "" is left out."""
    fields = {**query, **changed}
    kept = {name: value for name, value in fields.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path
