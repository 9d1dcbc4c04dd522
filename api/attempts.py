"""How long who failed to sign in has to wait. Pure.

A few failures are free, from then on each doubles the wait up to a bound: whoever guesses is slowed down to some tries
an hour, and whoever owns the account is never locked out for longer than the bound. Neither what is signed in nor a
link asks here. An address is allowed more than an account, for many people may share it; that it tries many names does
not help it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from api.messages import Message

FORGOTTEN_S = 6 * 3600.0  # after the last failure


@dataclass(frozen=True, slots=True)
class Rule:
    """`free` failures cost no wait, the next one `first_s`, each further twice as much, at most `most_s`."""

    free: int
    first_s: float
    most_s: float


OF_ACCOUNT = Rule(free=5, first_s=5, most_s=15 * 60)
OF_ADDRESS = Rule(free=30, first_s=5, most_s=15 * 60)


@dataclass(frozen=True, slots=True)
class Tries:
    """What is known of a name: its failures, the last one, and before when there is no other try."""

    failures: int = 0
    failed_at: float = 0.0
    free_at: float = 0.0


NONE = Tries()


def wait_s(tries: Tries, now: float) -> float:
    """Seconds until the next try; 0.0 if it may be made now."""
    return 0.0 if _forgotten(tries, now) else max(0.0, tries.free_at - now)


def failed(rule: Rule, tries: Tries, now: float) -> Tries:
    """After one more failure. It is counted before the password is looked at, so that tries at once do not help."""
    count = 1 if _forgotten(tries, now) else tries.failures + 1
    over = count - rule.free
    pause_s = 0.0 if over <= 0 else min(rule.most_s, rule.first_s * 2.0 ** min(over - 1, 30))
    return Tries(count, now, now + pause_s)


def taken_back(tries: Tries, now: float) -> Tries:
    """The last failure was none; those before it stay: who has an account does not clear an address by it."""
    return Tries(max(0, tries.failures - 1), tries.failed_at, min(tries.free_at, now))


def name_of_account(name: str) -> str:
    """What the failures of an account are kept under; of one that does not exist, too."""
    return f"account:{name[:200]}"


def name_of_address(address: str) -> str:
    """What the failures of an address are kept under: whoever has one of IPv6 has 2^64 of them, which are one here."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return f"address:{address[:60]}"
    if isinstance(known, ipaddress.IPv6Address):
        known = known.ipv4_mapped or ipaddress.IPv6Network((known, 64), strict=False).network_address
    return f"address:{known}"


def told(seconds: float) -> Message:
    """The wait, in words."""
    if seconds <= 60:
        return Message(
            "Too many failures. The next try is possible in {seconds} s.", seconds=max(1, -int(-seconds // 1))
        )
    return Message("Too many failures. The next try is possible in {minutes} min.", minutes=-int(-seconds // 60))


def _forgotten(tries: Tries, now: float) -> bool:
    return now - tries.failed_at > FORGOTTEN_S and tries.free_at <= now
