"""What the page's voice menu has to know of the engine and of the API, so that its scripts repeat neither."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from api import kinds
from api.create_fields import Block
from api.fields import refusal
from ivr import menu

# Values that are good where a field is taken at all.
_GOOD = {"recognize": 1, "smsText": "Hello"}


def told(language: str) -> dict[str, Any]:
    """Bounds of a menu, and the fields of a block that the API refuses yet (`off`: field -> why)."""
    gather = menu.MENU_GATHER
    return {
        "root": menu.ROOT,
        "keys": list(menu.KEYS),
        "wait_s": gather.timeout_ms / 1000,
        "tries": gather.tries,
        "most_deep": menu.MAX_DEPTH,
        "most_blocks": menu.MAX_BLOCKS - 1,  # the first clip is one too
        "most_tag": kinds.SHORT,
        "off": off(language),
    }


def off(language: str) -> dict[str, str]:
    """The fields that `create` refuses in every block, whatever they hold, and what it says then."""
    found: dict[str, str] = {}
    for field, value in _GOOD.items():
        try:
            Block.model_validate({"digit": "1", field: value})
        except ValidationError as error:
            found[field] = refusal(error).errors[field][0].render(language)
    return found
