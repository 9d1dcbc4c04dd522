"""Accounts: who uses the service; added, credited, let in. For the operator."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from starlette.responses import Response

from api import account_fields, moderation
from api.fields import Unfit
from api.kinds import MAX_COMMENT
from api.messages import Message
from api.page.roles import OPERATORS
from api.page.visit import Visit, Way
from api.problems import Code
from api.refusal import Refusal
from api.store import account_list, accounts, money, replays, sessions
from api.store.accounts import DEFAULT_TIMEZONE, Account, AccountStatus, Role
from api.store.replays import AlreadyGiven, Kept

PAGE = 30
LARGE = Decimal(100_000)  # from there on it is asked whether that is meant
LEDGER = 20
_ONCE = 60
_Given = TypeVar("_Given")
_Taken = TypeVar("_Taken")
Errors = dict[str, str]


def index(visit: Visit) -> Response:
    """The newest first; `q` searches, `before` pages on."""
    wanted = visit.query.get("q", "").strip()[:200].replace("\0", "")
    before = _number(visit.query.get("before", ""))
    with visit.service.database.read() as db:
        found = account_list.page(db, wanted, before, PAGE + 1)
        more = len(found) > PAGE
        found = found[:PAGE]
        uses = account_list.uses(db, [account.id for account in found], _day_began(visit))
    return visit.page("accounts.html", found=found, uses=uses, wanted=wanted, more=more, before=before)


def show_new(visit: Visit) -> Response:
    """The form of a new account."""
    given = {"name": "", "balance": "0", "timezone": DEFAULT_TIMEZONE, "outgoing": "", "role": "user", "moderated": ""}
    return visit.page("account_new.html", given=given, errors={}, roles=list(Role))


def add(visit: Visit) -> Response:
    """Make it; its key and the link to sign in are shown this once."""
    names = ("name", "balance", "timezone", "outgoing", "role", "moderated")
    given, errors = {name: visit.text(name) for name in names}, Errors()

    def fit(field: str, check: Callable[[_Given], _Taken], value: _Given) -> _Taken | None:
        return _fit(visit, errors, field, check, value)

    name = fit("name", account_fields.name, given["name"])
    balance = fit("balance", lambda text: account_fields.balance(account_fields.decimal(text or "0")), given["balance"])
    timezone = fit("timezone", account_fields.timezone, given["timezone"])
    outgoing = fit("outgoing", account_fields.outgoing, given["outgoing"] or None)
    role = fit("role", _role, given["role"])
    if name is None or balance is None or timezone is None or role is None or errors:
        return visit.page("account_new.html", 422, given=given, errors=errors, roles=list(Role))
    service, now = visit.service, visit.service.now()
    try:
        with service.database.write() as db:
            made, key = accounts.add(
                db, service.database.seal, name, balance=balance, moderated=given["moderated"] == "1", role=role,
                timezone=timezone, outgoing=outgoing, now=now,
            )  # fmt: skip
            token = sessions.make_link(db, service.database.seal, made.id, now)
    except accounts.AccountExists:
        errors["name"] = Message("there is an account of this name already; choose another").render(visit.language)
        return visit.page("account_new.html", 422, given=given, errors=errors, roles=list(Role))
    return _show(visit, made, key=key, link=f"{visit.base_url}/link/{token}")


def show(visit: Visit) -> Response:
    """One account."""
    return _show(visit, _account(visit))


def credit(visit: Visit) -> Response:
    """Money to it, or off it. A large amount is asked about; the same form sent twice counts once."""
    account, errors = _account(visit), Errors()
    amount = _fit(
        visit, errors, "amount", lambda text: account_fields.change(account_fields.decimal(text)), visit.text("amount")
    )
    comment, once = visit.text("comment"), visit.text("once")[:_ONCE] or secrets.token_urlsafe(16)
    given = {"amount": visit.text("amount"), "comment": comment, "once": once}
    if not comment:
        errors["comment"] = Message("is required: the ledger says what it was for").render(visit.language)
    elif len(comment) > MAX_COMMENT or "\0" in comment:
        errors["comment"] = Message("is longer than {most} characters", most=MAX_COMMENT).render(visit.language)
    if errors or amount is None:
        return _show(visit, account, status=422, given=given, errors=errors)
    if abs(amount) >= LARGE and visit.text("sure") != "1":
        return _show(visit, account, given=given, asked=amount)
    now = visit.service.now()
    try:
        with visit.service.database.write() as db:
            money.credit(db, account.id, amount, comment, now)
            kept = Kept(f"{account.id} {amount} {comment}"[:64], "")
            replays.keep(db, visit.account.id, f"page credit {once}", kept, now)
    except money.NotEnough:
        free = account.balance - account.held
        errors["amount"] = Message("only {free} is free; take no more than that", free=f"{free:f}").render(
            visit.language
        )
        return _show(visit, account, status=422, given=given, errors=errors)
    except AlreadyGiven:
        pass  # the same form, sent again
    return visit.go(f"/accounts/{account.id}")


def change(visit: Visit) -> Response:
    """Its role, and what moderation says of it."""
    account, errors = _account(visit), Errors()
    role = _fit(visit, errors, "role", _role, visit.text("role"))
    status = visit.text("status")
    comment = visit.text("comment")
    if status not in (AccountStatus.READY, AccountStatus.REJECTED, account.status):
        errors["status"] = Message("choose one of the list").render(visit.language)
    if role is not None and account.id == visit.account.id and role != account.role:
        errors["role"] = Message("your own role only another operator can change").render(visit.language)
    decided = status != account.status
    if decided:
        try:
            comment = moderation.checked_comment(comment, accepted=status == AccountStatus.READY)
        except Refusal as error:
            errors["status_comment"] = error.errors["comment"][0].render(visit.language)
    if errors or role is None:
        return _show(visit, account, status=422, errors=errors)
    with visit.service.database.write() as db:
        account_list.set_role(db, account.id, role)
        if decided:
            accepted = status == AccountStatus.READY
            moderation.decide(db, moderation.ACCOUNT, account.id, comment, accepted=accepted)
    visit.service.wake()
    return visit.go(f"/accounts/{account.id}")


def link(visit: Visit) -> Response:
    """A link to sign in by, made anew: those before it die. It is shown this once."""
    account, service = _account(visit), visit.service
    with service.database.write() as db:
        token = sessions.make_link(db, service.database.seal, account.id, service.now())
    return _show(visit, account, link=f"{visit.base_url}/link/{token}")


def _show(
    visit: Visit,
    account: Account,
    *,
    status: int = 200,
    given: dict[str, str] | None = None,
    errors: Errors | None = None,
    asked: Decimal | None = None,
    key: str = "",
    link: str = "",
) -> Response:
    with visit.service.database.read() as db:
        lines = money.lines(db, account.id, LEDGER)
        use = account_list.uses(db, [account.id], _day_began(visit))[account.id]
    values: dict[str, Any] = {
        "given": given or {"amount": "", "comment": "", "once": secrets.token_urlsafe(16)}, "errors": errors or {},
        "asked": asked, "key": key, "link": link, "lines": lines, "use": use, "roles": list(Role),
    }  # fmt: skip
    return visit.page("account.html", status, other=account, **values)


def _account(visit: Visit) -> Account:
    with visit.service.database.read() as db:
        account = accounts.find(db, int(visit.path["number"]))
    if account is None:
        raise Refusal(Code.NOT_FOUND, "there is no account with this number")
    return account


def _day_began(visit: Visit) -> float:
    zone = ZoneInfo(visit.account.timezone)
    today = datetime.fromtimestamp(visit.service.now(), zone).date()
    return datetime(today.year, today.month, today.day, tzinfo=zone).timestamp()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _role(text: str) -> Role:
    if text not in list(Role):
        raise Unfit("choose one of the list")
    return Role(text)


def _fit(visit: Visit, errors: Errors, field: str, check: Callable[[_Given], _Taken], value: _Given) -> _Taken | None:
    try:
        return check(value)
    except Unfit as error:
        errors[field] = error.message.render(visit.language)
        return None


WAYS = (
    Way("GET", "/accounts", index, OPERATORS),
    Way("GET", "/accounts/new", show_new, OPERATORS),
    Way("POST", "/accounts/new", add, OPERATORS),
    Way("GET", "/accounts/{number:int}", show, OPERATORS),
    Way("POST", "/accounts/{number:int}/credit", credit, OPERATORS),
    Way("POST", "/accounts/{number:int}/change", change, OPERATORS),
    Way("POST", "/accounts/{number:int}/link", link, OPERATORS),
)
