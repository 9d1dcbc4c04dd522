"""Signing in and out, over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from api import password
from api.page import entry
from api.store import accounts, attempts, sessions
from api.store.accounts import Account

PASSWORD = "correct horse battery"


class Browser:
    """One browser: cookies, and the header that tells whose page asks."""

    def __init__(self, url: str, **headers: str) -> None:
        self.http = httpx2.Client(
            base_url=url, timeout=20, headers={"accept-language": "en", "sec-fetch-site": "same-origin"} | headers
        )

    def sign_in(self, name: str = "me", word: str = PASSWORD, **fields: str) -> httpx2.Response:
        return self.http.post("/sign-in", data={"name": name, "password": word, **fields})

    @property
    def who(self) -> str | None:
        told: str | None = self.http.get("/session").json()["name"]
        return told


@pytest.fixture
def account(running: Any) -> Account:
    running.client()
    database = running.service.database
    with database.write() as db:
        known = accounts.by_name(db, "me")
        assert known is not None
        accounts.set_password(db, known.id, password.hashed(PASSWORD))
    return known


@pytest.fixture
def browser(running: Any) -> Iterator[Callable[..., Browser]]:
    opened: list[Browser] = []

    def make(**headers: str) -> Browser:
        opened.append(Browser(running.url, **headers))
        return opened[-1]

    yield make
    for one in opened:
        one.http.close()


def link(running: Any, account: Account) -> str:
    database = running.service.database
    with database.write() as db:
        return "/link/" + sessions.make_link(db, database.seal, account.id, running.service.now())


@pytest.mark.usefixtures("account")
def test_in_and_out(browser: Callable[..., Browser]) -> None:
    me = browser()
    assert me.http.get("/settings?a=1").headers["location"] == "/sign-in?back=/settings%3Fa%3D1"
    done = me.sign_in(back="/settings?a=1")
    assert (done.status_code, done.headers["location"]) == (303, "/settings?a=1")
    cookie = done.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert me.who == "me"
    assert me.http.get("/sign-in").headers["location"] == "/"
    kept = dict(me.http.cookies)
    me.http.post("/sign-out")
    again = browser(cookie="; ".join(f"{name}={value}" for name, value in kept.items()))
    assert (me.who, again.who) == (None, None)


@pytest.mark.usefixtures("account")
def test_one_error_for_a_wrong_password_and_for_no_account(browser: Callable[..., Browser]) -> None:
    me = browser()
    answers = [me.sign_in("me", "wrong"), me.sign_in("no<b>body", PASSWORD), me.sign_in("a\0b\n", PASSWORD),
               me.sign_in("x" * 9000, "y" * 9000)]  # fmt: skip
    assert [answer.status_code for answer in answers] == [401] * 4
    assert all("The name or the password is wrong." in answer.text for answer in answers)
    assert 'value="me"' in answers[0].text  # what was typed stays
    assert 'value="no&lt;b&gt;body"' in answers[1].text
    assert me.who is None


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
     "javascript:1", "/a\r\nSet-Cookie: b=c", "", "a", "/" + "x" * 3000],
)  # fmt: skip
def test_it_leads_to_our_own_pages_only(back: str) -> None:
    assert entry.own_path(back) == "/"


def test_own_paths_are_gone_on_to() -> None:
    assert entry.own_path("/calls?phone=%2B7&q=ы#x") == "/calls?phone=%2B7&q=ы#x"


def test_failures_wait_and_a_right_password_then_resets_them(
    running: Any, account: Account, browser: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    me, began = browser(), running.service.now()
    shift = [0.0]
    monkeypatch.setattr(running.service, "now", lambda: began + shift[0])
    signed_in = browser()
    assert signed_in.sign_in().status_code == 303
    assert [me.sign_in(word="wrong").status_code for _ in range(7)] == [401] * 6 + [429]
    held = me.sign_in()  # right, but too early
    assert held.status_code == 429
    assert "The next try is possible in 5 s." in held.text
    assert int(held.headers["retry-after"]) >= 5
    # Neither who is signed in nor a link is held up by somebody who guesses.
    assert signed_in.who == "me"
    assert browser().http.post(link(running, account), data={"how": "once"}).headers["location"] == "/"
    shift[0] = 5.1
    assert me.sign_in().status_code == 303
    assert [me.sign_in(word="wrong").status_code for _ in range(6)] == [401] * 6


def test_one_address_tries_many_names(running: Any, account: Account, browser: Callable[..., Browser]) -> None:
    me = browser()
    codes = [me.sign_in(f"name {number}", "wrong").status_code for number in range(40)]
    assert codes == [401] * 31 + [429] * 9
    assert me.sign_in().status_code == 429
    # Another address is not held up: the service trusts the proxy of its own machine.
    assert browser(**{"x-forwarded-for": "192.0.2.7"}).sign_in().status_code == 303


@pytest.mark.usefixtures("account")
def test_a_flood_runs_few_hashes_and_does_not_starve_others(
    running: Any, browser: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, most, at_once, lock = [0], [0], [0], threading.Lock()
    real = password.right

    def counted(word: str, kept: str | None) -> bool:
        with lock:
            runs[0] += 1
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        try:
            return real(word, kept)
        finally:
            with lock:
                at_once[0] -= 1

    monkeypatch.setattr(password, "right", counted)
    flood = [browser() for _ in range(8)]
    threads = [threading.Thread(target=lambda one=one: [one.sign_in(word="no") for _ in range(25)]) for one in flood]
    for thread in threads:
        thread.start()
    assert browser().http.get("/readyz").status_code == 200
    for thread in threads:
        thread.join()
    assert runs[0] == 6  # what is free, and the one that begins the wait
    assert most[0] <= password.AT_ONCE


def test_tries_that_come_too_early_are_told_by_reading_alone(database: Any) -> None:
    names = {"account:me": attempts.rules.OF_ACCOUNT, "address:192.0.2.7": attempts.rules.OF_ADDRESS}
    counted = 0
    for _ in range(1000):
        with database.read() as db:
            if attempts.longest_wait_s(db, names, 1000.0):
                continue
        with database.write() as db:
            counted += attempts.begin(db, names, 1000.0) == 0.0
    assert counted == 6
    with database.write() as db:
        attempts.forget(db, 1000.0 + attempts.rules.FORGOTTEN_S - 1)
        assert attempts.longest_wait_s(db, names, 1000.0) == 5
        attempts.forget(db, 1001.0 + attempts.rules.FORGOTTEN_S)
        assert attempts.longest_wait_s(db, names, 1000.0) == 0


def test_a_link_lets_in_once(running: Any, account: Account, browser: Callable[..., Browser]) -> None:
    address = link(running, account)
    first, second = browser(), browser()
    shown = first.http.get(address)
    assert (shown.status_code, "Welcome, me" in shown.text) == (200, True)
    assert first.http.get(address).status_code == 200  # looking at it does not use it up: mail programs do that
    assert first.http.post(address, data={"how": "once"}).headers["location"] == "/"
    assert (first.who, second.who) == ("me", None)
    used = second.http.post(address, data={"how": "once"})
    assert (used.status_code, second.who) == (410, None)
    assert "was used already" in used.text


def test_a_link_sets_a_password(running: Any, account: Account, browser: Callable[..., Browser]) -> None:
    old, new = browser(), browser()
    old.sign_in()
    address = link(running, account)
    short = new.http.post(address, data={"how": "password", "password": "short"})
    assert (short.status_code, "at least 10 characters" in short.text) == (422, True)
    assert new.http.post(address, data={"how": "password", "password": "another long one"}).status_code == 303
    assert (new.who, old.who) == ("me", None)  # whoever had the old password is out
    assert old.sign_in().status_code == 401
    assert old.sign_in(word="another long one").status_code == 303


def test_links_die(running: Any, account: Account, browser: Callable[..., Browser]) -> None:
    first, second = link(running, account), link(running, account)
    assert "was used already" in browser().http.get(first).text  # another was made
    database, now = running.service.database, running.service.now()
    with database.write() as db:
        assert sessions.use_link(db, database.seal, second.removeprefix("/link/"), now + sessions.LINK_LASTS_S) is None
    for wrong in ("/link/x", "/link/" + "é" * 300, "/link/%00", second + "x", second[:-1]):
        assert browser().http.post(wrong, data={"how": "once"}).status_code == 410


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"}],
)
def test_forged_requests(headers: dict[str, str], browser: Callable[..., Browser]) -> None:
    forged = browser(**headers)
    assert forged.sign_in().status_code == 401
    me = browser()
    me.sign_in()
    cookie = "; ".join(f"{name}={value}" for name, value in me.http.cookies.items())
    forged = browser(cookie=cookie, **headers)
    for path in ("/sign-out", "/settings/secret/turn", "/settings/sessions/end-others", "/apiCalls/userInfo"):
        assert forged.http.post(path).status_code == 401, path
    assert me.who == "me"


@pytest.mark.usefixtures("account")
def test_tampered_tokens(running: Any, browser: Callable[..., Browser]) -> None:
    me = browser()
    me.sign_in()
    ((name, token),) = me.http.cookies.items()
    for wrong in (token[:-1], token + "a", token.swapcase(), "", "x" * 43, token + "\"'", "a" * 5000):
        assert browser(cookie=f"{name}={wrong}").who is None
    assert browser(cookie=f"{name}={token}").who == "me"


@pytest.mark.usefixtures("account")
def test_a_new_session_at_each_sign_in(browser: Callable[..., Browser]) -> None:
    me = browser()
    me.sign_in()
    ((name, before),) = me.http.cookies.items()
    me.sign_in()
    ((_, after),) = me.http.cookies.items()
    assert before != after
    assert browser(cookie=f"{name}={before}").who is None


@pytest.mark.usefixtures("account")
def test_a_script_is_told_in_json(browser: Callable[..., Browser]) -> None:
    me = browser(accept="application/json")
    assert me.http.get("/settings").headers["signed-out"] == "true"
    assert me.sign_in(word="no").json() == {"message": "The name or the password is wrong."}
    assert (me.sign_in().json(), me.who) == ({"name": "me"}, "me")
    part = browser(**{"hx-request": "true"}).http.get("/settings")
    assert (part.status_code, part.headers["signed-out"], part.headers["hx-reswap"]) == (401, "true", "none")


@pytest.mark.usefixtures("account")
def test_behind_a_proxy_with_tls(
    running: Any, browser: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cookie is one that only this host can set, and none of another kind is taken."""
    known = running.service.config
    api = known.api.model_copy(update={"public_url": "https://calls.example"})
    monkeypatch.setattr(running.service, "config", known.model_copy(update={"api": api}))
    cookie = browser().sign_in().headers["set-cookie"]
    assert cookie.startswith("__Host-zvonar=")
    assert {"secure", "httponly", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    token = cookie.split(";")[0].partition("=")[2]
    assert browser(cookie=f"__Host-zvonar={token}").who == "me"
    assert browser(cookie=f"zvonar={token}").who is None


def test_old_sessions_and_links_are_swept(database: Any) -> None:
    with database.write() as db:
        account, _ = accounts.add(db, database.seal, "me", now=time.time())
        sessions.begin(db, database.seal, account.id, "", "", 1000.0)
        token = sessions.make_link(db, database.seal, account.id, 1000.0)
        sessions.forget(db, 1000.0 + sessions.LINK_LASTS_S + 1)
        assert sessions.link_of(db, database.seal, token, 1001.0) is None
        assert len(sessions.of(db, account.id, 1001.0)) == 1
        sessions.forget(db, 1000.0 + sessions.KEPT_S)
        assert sessions.of(db, account.id, 1001.0) == []
