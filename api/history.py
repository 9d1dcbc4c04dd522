"""What a page of ours sends with the header `Zvonar-Emulator` is kept, with its reply, for the emulator's history."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response

from api import auth, replies
from api.body import Body
from api.refusal import Refusal
from api.store import sent
from api.store.accounts import Account
from api.store.database import Database
from api.store.sent import Exchange

HEADER = "zvonar-emulator"
MOST_BODY = 200_000  # characters; what is longer is kept by nobody

_log = structlog.get_logger("zvonar.history")


def wanted(request: Request, got: Body) -> bool:
    """The request asks for it, and bears no key: it is one of a session."""
    return HEADER in request.headers and not auth.has_key(got.values, request.headers.get("authorization", ""))


def kept(
    database: Database, account: Account, path: str, got: Body, language: str, now: float, do: Callable[[], Response]
) -> Response:
    """What `do` gives or raises, once it is kept; blocks. A file is kept by its name alone."""
    began = time.perf_counter()
    refusal: Refusal | None = None
    try:
        response = do()
    except Refusal as error:
        refusal, response = error, replies.refusal(error, language)
    took_ms = round((time.perf_counter() - began) * 1000)
    body = json.dumps(got.values | {file.part: file.name for file in got.files}, ensure_ascii=False)
    if len(body) <= MOST_BODY:
        reply = bytes(response.body).decode()
        _keep(database, account, Exchange(path.rpartition("/")[2], body, response.status_code, reply, took_ms, now))
    if refusal is not None:
        raise refusal
    return response


def _keep(database: Database, account: Account, exchange: Exchange) -> None:
    try:
        with database.write() as db:
            sent.keep(db, account.id, exchange)
    except Exception as error:  # the request is done, and its reply counts for more than its trace
        _log.warning("not_kept", method=exchange.method, error=str(error))
