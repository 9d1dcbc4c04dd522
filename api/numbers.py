"""The numbers of ours that calls go out from: the trunks', as far as an account may use them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from api.store.accounts import Account
from engine.config import TrunkConfig


def of_trunk(trunk: TrunkConfig) -> tuple[str, ...]:
    """The numbers that a trunk shows; one without a list has the number that is its user name."""
    if trunk.numbers:
        return trunk.numbers
    return (trunk.username,) if trunk.username and trunk.username.isdigit() else ()


def of_account(trunks: Iterable[TrunkConfig], account: Account) -> list[str]:
    """What the account may call from, in the order of the configuration."""
    return list(dict.fromkeys(number for trunk in trunks if _allowed(trunk, account) for number in of_trunk(trunk)))


def _allowed(trunk: TrunkConfig, account: Account) -> bool:
    return trunk.accounts is None or account.name in trunk.accounts or str(account.id) in trunk.accounts
