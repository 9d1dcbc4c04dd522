"""Settings: time zone, default number, signing secret, password, and who is signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.responses import Response

from api import attempts as rules
from api import numbers, password, visitor
from api.messages import Message
from api.page import agents, zones
from api.page.visit import Visit, Way
from api.store import accounts, attempts, sessions

DONE = {
    "timezone": Message("The time zone is kept."),
    "outgoing": Message("The number is kept."),
    "secret": Message("The secret was turned. Give the new one to your server."),
    "password": Message("The password is changed. All other browsers are signed out."),
    "sessions": Message("Done: those browsers are signed out."),
}


def show(visit: Visit) -> Response:
    """All of it; `?done=` names what was changed just now."""
    return _page(visit, done=visit.query.get("done", ""))


def set_timezone(visit: Visit) -> Response:
    """Another zone."""
    zone = zones.found(visit.text("timezone"))
    if zone is None:
        problem = Message("There is no such time zone. Choose one of the list, for example Europe/Moscow")
        return _page(visit, 422, errors={"timezone": problem})
    with visit.service.database.write() as db:
        accounts.set_timezone(db, visit.account.id, zone)
    return _done(visit, "timezone")


def set_outgoing(visit: Visit) -> Response:
    """Another default number, or none."""
    phone = visit.text("outgoing")
    if phone and phone not in numbers.of_account(visit.service.trunks, visit.account):
        return _page(visit, 422, errors={"outgoing": Message("You may not call from this number. Choose another")})
    with visit.service.database.write() as db:
        accounts.set_outgoing(db, visit.account.id, phone or None)
    return _done(visit, "outgoing")


def show_secret(visit: Visit) -> Response:
    """The signing secret, for one who asks: a script or a person."""
    if "application/json" in visit.request.headers.get("accept", ""):
        return visit.json({"secret": visit.account.webhook_secret})
    return _page(visit, secret=visit.account.webhook_secret)


def turn_secret(visit: Visit) -> Response:
    """A new signing secret."""
    with visit.service.database.write() as db:
        accounts.turn_secret(db, visit.account.id)
    return _done(visit, "secret")


def set_password(visit: Visit) -> Response:
    """Another password: all other sessions end, and this one gets a new token."""
    old, new, again = (str(visit.form.get(field, "")) for field in ("old", "new", "again"))
    problem = password.problem(new)
    errors = {"new": problem} if problem else {"again": Message("The two are not the same")} if again != new else {}
    if visit.account.password is not None and not errors:
        wrong = _old_is_wrong(visit, old)
        errors = {"old": wrong} if wrong else {}
    if errors:
        return _page(visit, 422, errors=errors)
    hashed = password.hashed(new)
    with visit.service.database.write() as db:
        accounts.set_password(db, visit.account.id, hashed)
        sessions.end_all(db, visit.account.id)
    response = _done(visit, "password")
    visitor.sign_in(visit.service, visit.request, response, visit.account.id)
    return response


def end_session(visit: Visit) -> Response:
    """Sign one other browser out."""
    number = visit.text("session")
    if number.isascii() and number.isdigit() and len(number) < 17 and int(number) != visit.session_id:
        with visit.service.database.write() as db:
            sessions.end(db, visit.account.id, int(number))
    return _done(visit, "sessions")


def end_others(visit: Visit) -> Response:
    """Sign all other browsers out."""
    with visit.service.database.write() as db:
        sessions.end_others(db, visit.account.id, visit.session_id)
    return _done(visit, "sessions")


def _old_is_wrong(visit: Visit, old: str) -> Message | None:
    """Who sits at an open page guesses no faster than who stands before the door."""
    service = visit.service
    account = rules.name_of_account(visit.account.name)
    address = rules.name_of_address(visitor.address_of(visit.request))
    with service.database.write() as db:
        wait_s = attempts.begin(db, {account: rules.OF_ACCOUNT, address: rules.OF_ADDRESS}, service.now())
    if wait_s:
        return rules.told(wait_s)
    if not password.right(old, visit.account.password):
        return Message("This is not the password of the account")
    with service.database.write() as db:
        attempts.succeeded(db, account, address, service.now())
    return None


def _done(visit: Visit, what: str) -> Response:
    return visit.go(f"/settings?done={what}#{what}")


def _page(
    visit: Visit, status: int = 200, *, errors: dict[str, Message] | None = None, done: str = "", secret: str = ""
) -> Response:
    service, account, now = visit.service, visit.account, visit.service.now()
    with service.database.read() as db:
        mine = sessions.of(db, account.id, now)
    known = [{"id": one.id, "browser": agents.told(one.agent).render(visit.language), "address": one.address,
              "seen_at": one.seen_at, "now": one.id == visit.session_id} for one in mine]  # fmt: skip
    given: dict[str, Any] = {
        "errors": {field: problem.render(visit.language) for field, problem in (errors or {}).items()},
        "done": done, "told": DONE[done].render(visit.language) if done in DONE else "",
        "typed": {"timezone": account.timezone, "outgoing": account.outgoing or ""}
        | {field: visit.text(field) for field in ("timezone", "outgoing") if field in visit.form},
        "passwords": {field: str(visit.form.get(field, "")) for field in ("old", "new", "again")},
        "zones": zones.every(), "there": f"{datetime.fromtimestamp(now, ZoneInfo(account.timezone)):%H:%M}",
        "numbers": numbers.of_account(service.trunks, account), "secret": secret, "sessions": known,
        "least": password.SHORTEST,
    }  # fmt: skip
    return visit.page("settings.html", status, **given)


WAYS = (
    Way("GET", "/settings", show),
    Way("POST", "/settings/timezone", set_timezone),
    Way("POST", "/settings/outgoing", set_outgoing),
    Way("POST", "/settings/secret/show", show_secret),
    Way("POST", "/settings/secret/turn", turn_secret),
    Way("POST", "/settings/password", set_password),
    Way("POST", "/settings/sessions/end", end_session),
    Way("POST", "/settings/sessions/end-others", end_others),
)
