"""Accounts on the page: the same rules as `zvonar account`, money counted once, secrets shown once."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from typing import Any

import pytest
from person import Person

from api import account_fields
from api.fields import Unfit
from api.page.rooms.accounts import LARGE, PAGE
from api.store import account_list, accounts, money, replays, sessions
from api.store.accounts import Role
from api.store.database import Database


def _once(page: str) -> str:
    found = re.search(r'name="once" value="([^"]+)"', page)
    assert found
    return found[1]


def test_added_account_shows_key_and_link_once(running: Any) -> None:
    operator = Person(running)
    page = operator.post("/accounts/new", name=" Ромашка <b> ", balance="1 000,50", role="moderator",
                         timezone="Asia/Omsk", outgoing="+79932432781", moderated="1").text  # fmt: skip
    made = operator.known("Ромашка <b>")
    assert (made.balance, made.role, made.timezone, made.outgoing, made.status) == (
        Decimal("1000.5"), "moderator", "Asia/Omsk", "79932432781", "ready",
    )  # fmt: skip
    key = re.search(r'<code id="key">(\w{60})</code>', page)
    link = re.search(r'<code id="link">http://[^<]+/link/([^<]+)</code>', page)
    assert key
    assert link
    with operator.database.read() as db:
        assert accounts.by_key(db, operator.database.seal, key[1]) == made
        assert sessions.link_of(db, operator.database.seal, link[1], time.time()) == made.id
    again = operator.get(f"/accounts/{made.id}")
    assert key[1] not in again
    assert "Ромашка &lt;b&gt;" in again


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "  ", "an account needs a name"),
        ("name", "x" * 201, "an account needs a name"),
        ("name", "staff", "there is an account of this name already"),
        ("balance", "-1", "must lie between"),
        ("balance", "1.00001", "more than four digits"),
        ("balance", "NaN", "must lie between"),
        ("balance", "many", "is no amount"),
        ("timezone", "Mars/Olympus", "there is no time zone"),
        ("timezone", "../etc/passwd", "there is no time zone"),
        ("outgoing", "12x", "is no telephone number"),
        ("role", "king", "choose one of the list"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(running: Any, field: str, value: str, said: str) -> None:
    operator = Person(running)
    good = {"name": "one", "balance": "0", "timezone": "Europe/Moscow", "outgoing": "", "role": "user"}
    page = operator.post("/accounts/new", 422, **(good | {field: value})).text
    beside = re.search(rf'id="wrong-{field}">([^<]*)<', page)
    assert beside
    assert said in beside[1]
    if field != "role" and value.strip():
        assert f'value="{value}"' in page  # what was typed is still there
    with operator.database.read() as db:
        assert accounts.by_name(db, "one") is None


def test_credit_counts_once(running: Any) -> None:
    operator = Person(running)
    running.client("payer", balance="10")
    payer = operator.known("payer")
    wanted = {"amount": "5.5", "comment": "for <May>", "once": _once(operator.get(f"/accounts/{payer.id}"))}
    for _ in range(3):
        operator.post(f"/accounts/{payer.id}/credit", 303, **wanted)
    assert operator.known("payer").balance == Decimal("15.5")
    page = operator.get(f"/accounts/{payer.id}")
    assert page.count("for &lt;May&gt;") == 1
    assert _once(page) != wanted["once"]


def test_large_amount_is_asked_about(running: Any) -> None:
    operator = Person(running)
    running.client("payer", balance="0")
    payer = operator.known("payer")
    wanted = {"amount": f"{LARGE}", "comment": "big", "once": "once"}
    page = operator.post(f"/accounts/{payer.id}/credit", **wanted).text
    assert "A large amount. Is it meant?" in page
    assert operator.known("payer").balance == 0
    operator.post(f"/accounts/{payer.id}/credit", 303, sure="1", **wanted)
    assert operator.known("payer").balance == LARGE


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"amount": "0"}, "amount", "is 0"),
        ({"amount": ""}, "amount", "is no amount"),
        ({"amount": "-10.01"}, "amount", "only 10 is free"),
        ({"amount": "1", "comment": " "}, "comment", "is required"),
        ({"amount": "1", "comment": "x" * 3000}, "comment", "is longer than"),
        ({"amount": "2000000000", "sure": "1"}, "amount", "must lie between"),
    ],
)
def test_wrong_credit_changes_nothing(running: Any, given: dict[str, str], field: str, said: str) -> None:
    operator = Person(running)
    running.client("payer", balance="10")
    payer = operator.known("payer")
    page = operator.post(f"/accounts/{payer.id}/credit", 422, **({"comment": "c", "once": "o"} | given)).text
    beside = re.search(rf'id="wrong-{field}">([^<]*)<', page)
    assert beside
    assert said in beside[1]
    assert operator.known("payer").balance == 10
    operator.post(f"/accounts/{payer.id}/credit", 303, amount="1", comment="c", once="o")  # the form can be mended
    assert operator.known("payer").balance == 11


def test_role_and_state(running: Any) -> None:
    operator = Person(running)
    running.client("one", moderated=False)
    one = operator.known("one")
    change = f"/accounts/{one.id}/change"
    operator.post(change, 303, role="moderator", status="moderation")
    assert (operator.known("one").role, operator.known("one").status) == ("moderator", "moderation")
    page = operator.post(change, 422, role="user", status="rejected").text
    assert "the owner must know why" in page
    assert operator.known("one").role == "moderator"
    operator.post(change, 303, role="user", status="rejected", comment="spam")
    assert (operator.known("one").status, operator.known("one").moderator_comment) == ("rejected", "spam")
    operator.post(change, 422, role="user", status="moderation")
    operator.post(change, 303, role="user", status="ready")
    assert operator.known("one").status == "ready"


def test_nobody_takes_the_own_role_away(running: Any) -> None:
    operator = Person(running)
    page = operator.post(f"/accounts/{operator.account.id}/change", 422, role="user", status="ready").text
    assert "your own role only another operator can change" in page
    assert operator.known("staff").role == "operator"


def test_link_is_made_anew(running: Any) -> None:
    operator = Person(running)
    running.client("one")
    one = operator.known("one")
    tokens = []
    for _ in range(2):
        found = re.search(r"/link/([^<\"]+)<", operator.post(f"/accounts/{one.id}/link").text)
        assert found
        tokens.append(found[1])
    with operator.database.read() as db:
        alive = [sessions.link_of(db, operator.database.seal, token, time.time()) for token in tokens]
    assert alive == [None, one.id]


def test_list_searches_and_pages(running: Any) -> None:
    operator = Person(running)
    with operator.database.write() as db:
        for number in range(PAGE + 3):
            accounts.add(db, operator.database.seal, f"Клиент {number:02}_%", now=time.time())
    page = operator.get("/accounts")
    assert page.count("Клиент ") == PAGE
    older = re.search(r'href="(/accounts\?q=&amp;before=\d+)"', page)
    assert older
    rest = operator.get(older[1].replace("&amp;", "&"))
    assert rest.count("Клиент ") == 3
    assert "Older" not in rest
    assert operator.get("/accounts?q=клиент 07_%").count("Клиент 07") == 1
    assert "No account fits." in operator.get("/accounts?q=клиент__")
    assert ">staff<" in operator.get(f"/accounts?q={operator.account.id}").replace("\n", "")
    for hostile in ("'; DROP", "%F0%9F%98%80", "9" * 40, "x" * 5000):
        assert "No account fits." in operator.get(f"/accounts?q={hostile}")
    for odd in ("q=%00", "before=x", "before=" + "9" * 40, "before=-1"):
        operator.get(f"/accounts?{odd}")


def test_uses_are_those_of_today(running: Any) -> None:
    operator = Person(running)
    client = running.client("caller")
    clip = client.record()
    for _ in range(3):
        client.until_over(client.create(clip)["id"])
    caller = operator.known("caller").id
    with operator.database.read() as db:
        now = time.time()
        told = account_list.uses(db, [caller, operator.account.id], now - 3600)
        assert told[caller].calls == 3
        assert now - (told[caller].seen_at or 0) < 60
        assert told[operator.account.id].calls == 0
        assert told[operator.account.id].seen_at is not None  # a session
        assert account_list.uses(db, [caller], now + 1)[caller].calls == 0


@pytest.mark.parametrize("path", ["/accounts", "/accounts/new", "/accounts/1"])
@pytest.mark.parametrize("role", [Role.USER, Role.MODERATOR])
def test_others_have_no_entry(running: Any, path: str, role: Role) -> None:
    Person(running, role=role).get(path, 403)


def test_others_change_nothing(running: Any) -> None:
    moderator = Person(running, role=Role.MODERATOR)
    running.client("payer", balance="10")
    payer = moderator.known("payer")
    for what, given in (("credit", {"amount": "5", "comment": "c"}), ("change", {"role": "operator"}), ("link", {})):
        moderator.post(f"/accounts/{payer.id}/{what}", 403, **given)
    assert moderator.known("payer") == payer


def test_account_that_is_not_there(running: Any) -> None:
    operator = Person(running)
    operator.get("/accounts/999", 404)
    operator.get("/accounts/99999999999999999999999", 404)


def test_amounts_as_people_write_them() -> None:
    assert account_fields.decimal(" 1 000,5 ") == Decimal("1000.5")
    assert account_fields.decimal("\u22125") == -5
    with pytest.raises(Unfit):
        account_fields.decimal("1,000.50")


def test_credit_and_its_key_are_one_transaction(database: Database) -> None:
    """What `test_credit_counts_once` rests on: a key that was given before undoes the credit."""
    with database.write() as db:
        account, _ = accounts.add(db, database.seal, "a", now=1.0)
        replays.keep(db, account.id, "k", replays.Kept("", ""), 1.0)
    with pytest.raises(replays.AlreadyGiven):
        _credit_under(database, account.id, "k")
    with database.read() as db:
        assert accounts.by_id(db, account.id).balance == 0


def _credit_under(database: Database, account_id: int, key: str) -> None:
    with database.write() as db:
        money.credit(db, account_id, Decimal(5), "c", 2.0)
        replays.keep(db, account_id, key, replays.Kept("", ""), 2.0)
