"""The rooms, as the navigation shows them."""

from __future__ import annotations

from typing import NamedTuple

from api.messages import Message
from api.page.roles import EVERYBODY, MODERATORS, OPERATORS
from api.store.accounts import Role


class Room(NamedTuple):
    """An entry of the navigation."""

    path: str
    name: Message
    icon: str
    roles: frozenset[Role] = EVERYBODY


ROOMS = (
    Room("/", Message("Request emulator"), "send"),
    Room("/calls", Message("Calls"), "phone"),
    Room("/records", Message("Records"), "wave"),
    Room("/plans", Message("Plans"), "clock"),
    Room("/webhooks", Message("Webhooks"), "hook"),
    Room("/receiver", Message("Receiver"), "inbox"),
    Room("/money", Message("Money"), "coin"),
    Room("/stop-list", Message("Stop list"), "stop"),
    Room("/refusals", Message("Errors"), "alert"),
    Room("/moderation", Message("Moderation"), "check", MODERATORS),
    Room("/trunks", Message("Numbers and trunks"), "tower", OPERATORS),
    Room("/accounts", Message("Accounts"), "people", OPERATORS),
    Room("/reference", Message("API reference"), "book"),
    Room("/settings", Message("Settings"), "gear"),
)
