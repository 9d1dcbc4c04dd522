"""The filter of the table of calls: from the fields of an address, and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from api.page.outcomes import DISPOSITIONS
from api.store.call_table import GOING_ON, OVER, WAITING, Filter

FIELDS = ("q", "state", "result", "from", "to", "outgoing", "tag", "label")
STATES = (WAITING, GOING_ON, OVER)
_WHOLE_PHONE = 10  # digits without the country
_LONGEST = 200


def read(query: Mapping[str, str], timezone: str) -> Filter:
    """What the address asks for; what makes no sense is not asked for."""
    given = {name: query.get(name, "").strip()[:_LONGEST] for name in FIELDS}
    phone, ending, number = _searched(given["q"])
    return Filter(
        state=given["state"] if given["state"] in STATES else "",
        disposition=given["result"] if given["result"] in DISPOSITIONS else "",
        phone=phone, ending=ending, number=number, outgoing=digits(given["outgoing"]), tag=given["tag"],
        label=given["label"], since=_day(given["from"], timezone), until=_day(given["to"], timezone, 1),
    )  # fmt: skip


def address(path: str, query: Mapping[str, str], **more: object) -> str:
    """The same filter at that path, with other fields beside it; None leaves one out."""
    fields = {name: query[name] for name in FIELDS if query.get(name)}
    fields |= {name: str(value) for name, value in more.items() if value is not None}
    return f"{path}?{urlencode(fields)}" if fields else path


def digits(text: str) -> str:
    """A phone as people write it: `8 (916) 123-45-67` is 79161234567."""
    found = "".join(character for character in text if character.isascii() and character.isdigit())
    return f"7{found[1:]}" if len(found) == 11 and found.startswith("8") else found


def _searched(text: str) -> tuple[str, str, int | None]:
    """A phone, the end of one, or the number of an api-call (`#123`, or a few digits)."""
    found = digits(text)
    if not text:
        return "", "", None
    if not found:
        return "-", "", None  # letters: no phone and no number is like that
    if text.startswith(("#", "№")):
        return "", "", int(found[:15])
    if len(found) == _WHOLE_PHONE and not text.startswith("+"):
        return f"7{found}", "", None
    if len(found) > _WHOLE_PHONE:
        return found, "", None
    return "", found, None


def _day(text: str, timezone: str, more: int = 0) -> float | None:
    try:
        day = datetime.strptime(text, "%Y-%m-%d") + timedelta(days=more)
        return day.replace(tzinfo=ZoneInfo(timezone)).timestamp()
    except (ValueError, OverflowError):
        return None
