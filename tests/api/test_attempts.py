"""Who failed to sign in waits: with told times."""

from __future__ import annotations

import pytest

from api.attempts import (
    FORGOTTEN_S,
    NONE,
    OF_ACCOUNT,
    OF_ADDRESS,
    Tries,
    failed,
    name_of_account,
    name_of_address,
    taken_back,
    told,
    wait_s,
)
from api.messages import RUSSIAN


def waits(count: int) -> list[float]:
    """The wait after each of so many failures, each made as soon as it may be."""
    tries, now, found = NONE, 1e9, []
    for _ in range(count):
        tries = failed(OF_ACCOUNT, tries, now)
        found.append(wait_s(tries, now))
        now = max(now, tries.free_at)
    return found


def test_the_wait_grows_to_a_bound() -> None:
    assert waits(15) == [0, 0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


def test_ten_thousand_tries_take_months_and_the_owner_waits_minutes() -> None:
    found = waits(10_000)
    assert sum(found) > 100 * 86_400
    assert max(found) == OF_ACCOUNT.most_s == 900


def test_the_wait_ends_on_time() -> None:
    tries = Tries(6, 1000.0, 1005.0)
    assert [wait_s(tries, now) for now in (1000, 1004.5, 1005, 1006)] == [5, 0.5, 0, 0]


def test_what_was_long_ago_is_forgotten() -> None:
    tries = failed(OF_ACCOUNT, Tries(9, 1000.0, 1080.0), 1000 + FORGOTTEN_S + 1)
    assert tries.failures == 1
    assert failed(OF_ACCOUNT, Tries(9, 1000.0, 1080.0), 1000 + FORGOTTEN_S).failures == 10


def test_a_right_password_takes_back_one_failure_of_its_address() -> None:
    tries = NONE
    for _ in range(40):
        tries = failed(OF_ADDRESS, tries, 1e9)
    after = taken_back(tries, 1e9 + 1)
    assert (after.failures, wait_s(after, 1e9 + 1)) == (39, 0)
    assert wait_s(failed(OF_ADDRESS, after, 1e9 + 1), 1e9 + 1) == 900
    assert taken_back(NONE, 1e9).failures == 0


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.7", "address:192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "address:2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "address:192.0.2.7"),
        ("fe80::1%eth0", "address:fe80::"),
        ("", "address:"),
        ("x" * 1000, "address:" + "x" * 60),
    ],
)
def test_addresses(address: str, name: str) -> None:
    assert name_of_address(address) == name


def test_names_fit_their_column() -> None:
    assert len(name_of_account("я" * 10_000)) < 260


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "The next try is possible in 1 s."),
        (60, "The next try is possible in 60 s."),
        (61, "The next try is possible in 2 min."),
        (900, "The next try is possible in 15 min."),
    ],
)
def test_words(seconds: float, words: str) -> None:
    assert str(told(seconds)) == f"Too many failures. {words}"
    assert "Следующая возможна через" in told(seconds).render(RUSSIAN)
