"""The request emulator: a request of the contract put together, sent and watched."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from starlette.responses import Response

from api import json_text, numbers
from api.body import MAX_DEPTH
from api.kinds import MAX_URL
from api.messages import Message
from api.page import asked, field_names
from api.page.sandbox_numbers import speakers
from api.page.visit import Visit, Way
from api.refusal import Refusal
from api.store import accounts, calls, sent

# Elements that cross rooms, in the order in which their scripts build on each other.
PARTS = (
    "clips.css", "graph.css", "menu.css", "watch.css", "clip_parts.js", "clip_player.js", "microphone.js",
    "clip_upload.js", "clip_text.js", "clip_saved.js", "clips.js", "menu_words.js", "menu_tree.js",
    "menu_block.js", "menu_move.js", "menu_examples.js", "graph_layout.js", "graph.js", "menu.js", "watch.js",
)  # fmt: skip
_A_PAGE = 20
_LAST_CALLS = 12


class Kind(NamedTuple):
    """One of the requests that can be put together."""

    method: str
    name: Message


class Line(NamedTuple):
    """A number to call from."""

    number: str
    shared: bool  # by all accounts
    trunk: str


KINDS = (
    Kind("create", Message("Creating a call")),
    Kind("get", Message("Getting information about a call")),
    Kind("userInfo", Message("Getting information about the user")),
    Kind("createRecord", Message("Creating a clip")),
)


def show(visit: Visit) -> Response:
    """The first page after signing in."""
    service, account = visit.service, visit.account
    mine = numbers.of_account(service.trunks, account)
    lines = {
        number: Line(number, trunk.accounts is None, trunk.name)
        for trunk in reversed(service.trunks)  # of two trunks with one number the first takes the call
        for number in numbers.of_trunk(trunk)
    }
    key = service.database.seal.open(account.key_sealed)
    return visit.page(
        "emulator.html",
        kinds=KINDS,
        key=shortened(key),
        lines=[lines[number] for number in mine],
        default=account.outgoing if account.outgoing in mine else "",
        unavailable=field_names.unavailable(),
        speakers=speakers() if service.config.sandboxed else [],
        languages=service.speech.languages(),
        trunks=", ".join(dict.fromkeys(lines[number].trunk for number in mine)),
        names=json.dumps({kind.method: kind.name.render(visit.language) for kind in KINDS}, ensure_ascii=False),
        parts=PARTS,
        given=json.dumps(given(visit), ensure_ascii=False),
    )


def given(visit: Visit) -> dict[str, Any]:
    """What other rooms send people here with: the request of a call (`from`), an address for webhooks."""
    number, url = visit.query.get("from", ""), visit.query.get("webhookUrl", "")
    told: dict[str, Any] = {}
    if number.isdecimal() and len(number) <= 15:
        with visit.service.database.read() as db:
            kept = calls.get(db, visit.account.id, [int(number)])
        told = asked.request(kept[0]) if kept else {}
    return told | ({"webhookUrl": url[:MAX_URL]} if url else {})


def shortened(key: str) -> str:
    """A key as it is shown to who did not ask for it."""
    return f"{key[:4]}…{key[-4:]}"


def show_key(visit: Visit) -> Response:
    """The whole key."""
    return visit.json({"key": visit.service.database.seal.open(visit.account.key_sealed)})


def renew_key(visit: Visit) -> Response:
    """Another key; the one before dies at once."""
    database = visit.service.database
    with database.write() as db:
        key = accounts.renew_key(db, database.seal, visit.account.id)
    return visit.json({"key": key, "shortened": shortened(key)})


def check(visit: Visit) -> Response:
    """Which fields of a request (`method`, and `body`, JSON text) are known to nobody."""
    method = visit.text("method")
    if method not in field_names.MODELS:
        return visit.json({"unknown": []}, 404)
    try:
        body = json_text.load(visit.text("body"), MAX_DEPTH)
    except Refusal as error:
        return visit.json({"unknown": [], "message": error.message.render(visit.language)})
    return visit.json({"unknown": [told._asdict() for told in field_names.unknown(method, body)]})


def history(visit: Visit) -> Response:
    """Requests that were sent before, a page of them; `before` is the number that the page before ended with."""
    before = visit.query.get("before", "")
    with visit.service.database.read() as db:
        kept = sent.of(db, visit.account.id, int(before[:15]) if before.isdecimal() else None, _A_PAGE + 1)
    told = [{"id": one.id, **one.exchange._asdict(), "body": _value(one.exchange.body)} for one in kept[:_A_PAGE]]
    return visit.json({"sent": told, "more": len(kept) > _A_PAGE})


def forget(visit: Visit) -> Response:
    """The history is emptied."""
    with visit.service.database.write() as db:
        sent.clear(db, visit.account.id)
    return visit.json({})


def last_calls(visit: Visit) -> Response:
    """What can be asked about."""
    with visit.service.database.read() as db:
        latest = sent.last_calls(db, visit.account.id, _LAST_CALLS)
    return visit.json({"calls": [{"id": number, "phone": phone, "at": at} for number, phone, at in latest]})


def _value(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {}


WAYS = (
    Way("GET", "/", show),
    Way("POST", "/emulator/key", show_key),
    Way("POST", "/emulator/key/renew", renew_key),
    Way("POST", "/emulator/check", check),
    Way("GET", "/emulator/history", history),
    Way("POST", "/emulator/history/clear", forget),
    Way("GET", "/emulator/calls", last_calls),
)
