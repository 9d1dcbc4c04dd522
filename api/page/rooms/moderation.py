"""Moderation: accounts and clips that wait for somebody's word, one after the other."""

from __future__ import annotations

from starlette.responses import Response

from api import moderation
from api.messages import Message
from api.page.roles import MODERATORS
from api.page.visit import Visit, Way
from api.refusal import Refusal
from api.store import accounts, records

MOST = 50  # shown at once; the next ones come when these are decided


def show(visit: Visit) -> Response:
    """What waits, the oldest first."""
    return _show(visit)


def decide(visit: Visit) -> Response:
    """A decision. For scripts `{"done": true}`, or `done` false with a `text`: somebody else was faster; 422 with
    `error` for the field of the reason. Without scripts the page again."""
    kind, accepted = visit.text("kind"), visit.text("verdict") == "accept"
    number = int(visit.text("id")) if visit.text("id").isascii() and visit.text("id").isdigit() else 0
    if kind not in (moderation.ACCOUNT, moderation.RECORD) or len(visit.text("id")) > 15:
        kind, number = moderation.RECORD, 0
    try:
        comment = moderation.checked_comment("" if accepted else visit.text("comment"), accepted=accepted)
    except Refusal as error:
        told = error.errors["comment"][0].render(visit.language)
        if _by_script(visit):
            return visit.json({"done": False, "error": told}, 422)
        return _show(visit, error=told, of=(kind, number), status=422)
    with visit.service.database.write() as db:
        done = moderation.decide(db, kind, number, comment, accepted=accepted, waiting=True)
    if done:
        visit.service.wake()
    told = "" if done else _meanwhile(visit, kind, number).render(visit.language)
    if _by_script(visit):
        return visit.json({"done": done, "text": told})
    return visit.go("/moderation") if done else _show(visit, notice=told)


def _show(
    visit: Visit, *, error: str = "", of: tuple[str, int] = ("", 0), notice: str = "", status: int = 200
) -> Response:
    with visit.service.database.read() as db:
        owners = accounts.in_moderation(db, MOST)
        clips = records.in_moderation(db, MOST)
    return visit.page("moderation.html", status, owners=owners, clips=clips, error=error, of=of, notice=notice)


def _by_script(visit: Visit) -> bool:
    return "application/json" in visit.request.headers.get("accept", "")


def _meanwhile(visit: Visit, kind: str, number: int) -> Message:
    """What has become of it without us."""
    with visit.service.database.read() as db:
        if kind == moderation.ACCOUNT:
            account = accounts.find(db, number)
            status = account.status if account else None
        else:
            record = records.by_id(db, number)
            status = record.status if record else None
    if status == "ready":
        return Message("Somebody else has accepted it meanwhile.")
    if status == "rejected":
        return Message("Somebody else has rejected it meanwhile.")
    return Message("It is not there any more.")


WAYS = (
    Way("GET", "/moderation", show, MODERATORS),
    Way("POST", "/moderation/decide", decide, MODERATORS),
)
