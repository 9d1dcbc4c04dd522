"""Numbers, money, moments and durations as people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import phonenumbers
from babel.numbers import format_decimal
from markupsafe import Markup

from api.messages import Message


def money(amount: Decimal, language: str) -> str:
    """`1 234,5` or `1,234.5`; at most four places."""
    whole_cents = amount == amount.quantize(Decimal("0.01"))
    return str(format_decimal(amount, "#,##0.##" if whole_cents else "#,##0.####", locale=language))


def phone(digits: str) -> str:
    """`79161234567` as `+7 916 123-45-67`; what is no number as it is."""
    try:
        number = phonenumbers.parse(f"+{digits}")
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
    except phonenumbers.NumberParseException:
        return digits


def moment(at: float | None, timezone: str = "UTC") -> Markup:
    """A time in the account's zone; the exact one for machines beside it."""
    if at is None:
        return Markup("")
    there = datetime.fromtimestamp(at, ZoneInfo(timezone))
    exact = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, exact, f"{there:%d.%m.%Y %H:%M:%S}")


def duration(seconds: float, language: str) -> str:
    """`4.2 s`, `1:05`."""
    if seconds < 60:
        return Message("{seconds} s", seconds=format_decimal(round(seconds, 1), locale=language)).render(language)
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
