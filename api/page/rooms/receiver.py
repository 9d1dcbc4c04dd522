"""A receiver to try webhooks against: its address, how it answers, and what came."""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

from starlette.responses import Response

from api import receiving
from api.page.rooms.webhooks import pretty
from api.page.visit import Visit, Way
from api.store import receivers
from api.store.receivers import Caught, Receiver

STATUSES = (200, 201, 204, 301, 400, 401, 403, 404, 410, 422, 429, 500, 502, 503, 504)
DELAYS_S = (0, 1, 3, 5, 10, 15, 20, 30)  # 10 and above are longer than a webhook waits


def show(visit: Visit) -> Response:
    """The receiver; it is made when its owner comes for the first time."""
    with visit.service.database.read() as db:
        mine = receivers.find(db, visit.account.id)
    if mine is None:
        with visit.service.database.write() as db:
            mine = receivers.of_account(db, visit.account.id)
    return _page(visit, mine)


def newest(visit: Visit) -> Response:
    """The number of the last request that came; open pages ask for it, as it costs little."""
    with visit.service.database.read() as db:
        return visit.json({"newest": receivers.newest(db, visit.account.id)})


def answer_so(visit: Visit) -> Response:
    """Another code, another delay."""
    status, delay_s = visit.text("status"), visit.text("delay")
    if status in map(str, STATUSES) and delay_s in map(str, DELAYS_S):
        with visit.service.database.write() as db:
            receivers.of_account(db, visit.account.id)
            receivers.answer_so(db, visit.account.id, int(status), int(delay_s) * 1000)
    return visit.go("/receiver")


def turn(visit: Visit) -> Response:
    """Another address; the old one dies at once."""
    with visit.service.database.write() as db:
        receivers.of_account(db, visit.account.id)
        receivers.turn(db, visit.account.id)
    return visit.go("/receiver")


def clear(visit: Visit) -> Response:
    """Forget what came."""
    with visit.service.database.write() as db:
        receivers.forget(db, visit.account.id)
    return visit.go("/receiver")


def _page(visit: Visit, mine: Receiver) -> Response:
    with visit.service.database.read() as db:
        came = receivers.latest(db, visit.account.id)
    url = f"{visit.base_url}/receive/{mine.token}"
    return visit.page(
        "receiver.html", receiver=mine, url=url, emulator=f"/?webhookUrl={quote(url, safe='')}", caught=came,
        body_of=_body, statuses=STATUSES, delays=DELAYS_S, kept=receivers.KEPT, most_mb=receiving.BODY_BYTES >> 20,
        reached=_reached(visit, url), newest=came[0].id if came else 0,
    )  # fmt: skip


def _body(caught: Caught) -> str:
    try:
        return pretty(json.loads(caught.came.body))
    except (ValueError, RecursionError):
        return caught.came.body


def _reached(visit: Visit, url: str) -> bool:
    """Webhooks go there: on the sandbox, or where the service knows its own address."""
    config = visit.service.config
    known = [config.api.public_url or "", f"http://{config.api.listen}"]
    inside = urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")
    return config.sandboxed or not inside or any(base and url.startswith(f"{base.rstrip('/')}/") for base in known)


WAYS = (
    Way("GET", "/receiver", show),
    Way("GET", "/receiver/newest", newest),
    Way("POST", "/receiver/answer", answer_so),
    Way("POST", "/receiver/turn", turn),
    Way("POST", "/receiver/clear", clear),
)
