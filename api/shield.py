"""The last wall: whatever breaks behind it, the client gets the contract's envelope, and the log the trace."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import replies
from api.problems import Code
from api.refusal import Refusal
from api.replies import language_of

_log = structlog.get_logger("zvonar.http")
_UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout, OSError)


class Shield:
    """Stands before the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            _log.debug("client_left", path=scope["path"])
        except Exception as error:
            if isinstance(error, _UNAVAILABLE):  # a disk that is full says so often: one line each
                _log.error("store_fails", path=scope["path"], reason=str(getattr(error, "orig", error))[:300])
            else:
                _log.exception("request_broke", path=scope["path"])
            if begun:
                raise
            await replies.refusal(excuse(error), language_of(Request(scope)))(scope, receive, watch)


def excuse(error: Exception) -> Refusal:
    """What the client is told instead of what broke."""
    return Refusal(Code.STORE_UNAVAILABLE if isinstance(error, (SQLAlchemyError, OSError)) else Code.INTERNAL)
