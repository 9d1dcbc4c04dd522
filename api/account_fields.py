"""What an account is made of, checked: the same for `zvonar account` and for the page. Pure; each raises Unfit."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.fields import Unfit

MOST = Decimal(1_000_000_000)
_SMALLEST = Decimal("0.0001")  # what the store can hold
_LONGEST_NAME = 200


def name(given: str) -> str:
    """Without blanks around it."""
    text = given.strip()
    if not text or len(text) > _LONGEST_NAME or not text.isprintable():
        raise Unfit("an account needs a name of 1 to 200 characters")
    return text


def balance(given: Decimal) -> Decimal:
    """What a new account has."""
    return _amount(given, least=Decimal(0))


def change(given: Decimal) -> Decimal:
    """What is added to a balance, or taken off with a minus."""
    _amount(given, least=-MOST)
    if not given:
        raise Unfit("is 0; give what is to be added, or taken off with a minus")
    return given


def decimal(text: str) -> Decimal:
    """An amount as people write it: `1 000,50` or `1000.50`."""
    plain = "".join(text.split()).replace(",", ".").replace("\u2212", "-")
    try:
        return Decimal(plain)
    except InvalidOperation as error:
        raise Unfit("is no amount; write for example 100.50") from error


def timezone(given: str) -> str:
    """A name of the IANA's list."""
    try:
        ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Unfit("there is no time zone {name!r}; write for example Europe/Moscow", name=given) from error
    return given


def outgoing(given: str | None) -> str | None:
    """A telephone number's digits; a plus before them is taken off."""
    if given is None:
        return None
    digits = given.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and 3 <= len(digits) <= 15):
        raise Unfit("{number!r} is no telephone number; give 3 to 15 digits", number=given)
    return digits


def _amount(given: Decimal, least: Decimal) -> Decimal:
    if not given.is_finite() or not least <= given <= MOST:
        raise Unfit("must lie between {least} and {most}", least=least, most=MOST)
    if given % _SMALLEST:
        raise Unfit("has more than four digits behind the point; round it")
    return given
