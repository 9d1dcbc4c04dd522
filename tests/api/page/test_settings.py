"""The room Settings, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from api import password
from api.page import agents, zones
from api.store import accounts, sessions
from api.store.accounts import Account
from engine.config import SANDBOX_NUMBERS

PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Settings:
    """Somebody who is signed in."""

    def __init__(self, running: Any, name: str = "me", agent: str = FIREFOX) -> None:
        self.running, self.name = running, name
        headers = {"accept-language": "en", "sec-fetch-site": "same-origin", "user-agent": agent}
        self.http = httpx2.Client(base_url=running.url, timeout=20, headers=headers)
        database = running.service.database
        with database.write() as db:
            token = sessions.make_link(db, database.seal, self.account_id, running.service.now())
        assert self.http.post(f"/link/{token}", data={"how": "once"}).status_code == 303

    @property
    def account_id(self) -> int:
        return self.account.id

    @property
    def account(self) -> Account:
        with self.running.service.database.read() as db:
            known = accounts.by_name(db, self.name)
        assert known is not None
        return known

    @property
    def who(self) -> str | None:
        told: str | None = self.http.get("/session").json()["name"]
        return told

    def post(self, path: str, **fields: str) -> httpx2.Response:
        return self.http.post(f"/settings/{path}", data=fields)


@pytest.fixture
def sign_in(running: Any) -> Iterator[Callable[..., Settings]]:
    running.client()
    opened: list[Settings] = []

    def make(*given: str) -> Settings:
        opened.append(Settings(running, *given))
        return opened[-1]

    yield make
    for one in opened:
        one.http.close()


@pytest.fixture
def me(sign_in: Callable[..., Settings]) -> Settings:
    return sign_in()


def test_time_zone(me: Settings) -> None:
    assert me.post("timezone", timezone=" asia/omsk ").headers["location"] == "/settings?done=timezone#timezone"
    assert me.account.timezone == "Asia/Omsk"
    assert "The time zone is kept." in me.http.get("/settings?done=timezone").text
    for wrong in ("Mars/Olympus", "", "../../etc/passwd", '"><script>', "x" * 9000):
        refused = me.post("timezone", timezone=wrong)
        assert refused.status_code == 422
        assert "There is no such time zone" in refused.text
    assert 'value="&#34;&gt;&lt;script&gt;"' in me.post("timezone", timezone='"><script>').text  # what was typed stays
    assert me.account.timezone == "Asia/Omsk"


def test_default_number(me: Settings) -> None:
    assert me.post("outgoing", outgoing=SANDBOX_NUMBERS[0]).status_code == 303
    assert me.account.outgoing == SANDBOX_NUMBERS[0]
    refused = me.post("outgoing", outgoing="74950000000")
    assert (refused.status_code, "You may not call from this number" in refused.text) == (422, True)
    assert me.account.outgoing == SANDBOX_NUMBERS[0]
    me.post("outgoing", outgoing="")
    assert me.account.outgoing is None


def test_secret_is_shown_to_who_asks_and_turned(me: Settings) -> None:
    secret = me.account.webhook_secret
    assert secret not in me.http.get("/settings").text
    assert secret in me.post("secret/show").text
    asked = me.http.post("/settings/secret/show", headers={"accept": "application/json"})
    assert asked.json() == {"secret": secret}
    assert asked.headers["cache-control"] == "no-store"
    me.post("secret/turn")
    assert me.account.webhook_secret != secret
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{32}", me.account.webhook_secret)


def test_password_is_set_then_changed(sign_in: Callable[..., Settings]) -> None:
    me, other = sign_in(), sign_in()
    before = dict(me.http.cookies)
    assert me.post("password", new=PASSWORD, again=PASSWORD).status_code == 303  # there is none: nothing old is asked
    assert (me.who, other.who) == ("me", None)
    assert dict(me.http.cookies) != before
    for fields, problem in (
        ({"old": "wrong", "new": "another long one", "again": "another long one"}, "This is not the password"),
        ({"new": "another long one", "again": "another long one"}, "This is not the password"),
        ({"old": PASSWORD, "new": "another long one", "again": "another long two"}, "The two are not the same"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "A password has at least 10 characters"),
        ({"old": PASSWORD, "new": "a" * 12, "again": "a" * 12}, "too easy to guess"),
        ({"old": PASSWORD, "new": "ab cd" * 50, "again": "ab cd" * 50}, "is longer than 200 characters"),
    ):
        refused = me.post("password", **fields)
        assert refused.status_code == 422
        assert problem in refused.text
        assert f'value="{fields["new"]}"' in refused.text
    assert password.right(PASSWORD, me.account.password)
    assert me.post("password", old=PASSWORD, new="another long one", again="another long one").status_code == 303
    assert password.right("another long one", me.account.password)
    assert me.who == "me"


def test_the_old_password_is_not_guessed_at_an_open_page(me: Settings) -> None:
    me.post("password", new=PASSWORD, again=PASSWORD)
    said = [me.post("password", old=f"no {number}", new=PASSWORD, again=PASSWORD).text for number in range(8)]
    assert ["This is not the password" in one for one in said] == [True] * 6 + [False] * 2
    assert "Too many failures" in said[-1]
    assert "Too many failures" in me.post("password", old=PASSWORD, new=PASSWORD, again=PASSWORD).text


def test_sessions_are_listed_and_ended(sign_in: Callable[..., Settings]) -> None:
    me, other, third = sign_in(), sign_in("me", "<b>Chrome/140 Linux"), sign_in()
    shown = me.http.get("/settings").text
    assert shown.count("Firefox on Windows</b>") == 2
    assert "Chrome on Linux" in shown
    assert "<b>Chrome/140" not in shown
    assert shown.count("this browser") == 1
    with me.running.service.database.read() as db:
        agent_of = {one.agent: one.id for one in sessions.of(db, me.account_id, 0)}
    me.post("sessions/end", session=str(agent_of["<b>Chrome/140 Linux"]))
    assert (me.who, other.who, third.who) == ("me", None, "me")
    me.post("sessions/end-others")
    assert (me.who, third.who) == ("me", None)


def test_nobody_ends_a_stranger_s_session(running: Any, sign_in: Callable[..., Settings]) -> None:
    running.client("you")
    me, stranger = sign_in(), sign_in("you")
    with running.service.database.read() as db:
        (theirs,) = sessions.of(db, stranger.account_id, 0)
    for number in (str(theirs.id), "", "-1", "x", "9" * 30, "²"):
        assert me.post("sessions/end", session=number).status_code == 303
    me.post("sessions/end-others")
    assert (me.who, stranger.who) == ("me", "you")


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
         "Safari on macOS"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 YaBrowser/25.8 Safari/537.36",
         "Yandex Browser on Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36",
         "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/140 Mobile Safari/604.1",
         "Chrome on iPhone"),
        ("curl/8.9", "curl"),
        ("", "Unknown browser"),
        ("<script>", "Unknown browser"),
    ],
)  # fmt: skip
def test_browsers_in_words(agent: str, words: str) -> None:
    assert str(agents.told(agent)) == words


def test_zones() -> None:
    assert "Europe/Moscow" in zones.every()
    assert "UTC" in zones.every()
    assert not any(name.startswith(("posix", "right", "Etc")) for name in zones.every())
    assert zones.found("europe/moscow") == "Europe/Moscow"
    assert zones.found("America/New York") == "America/New_York"
    assert zones.found("Europe") is None
