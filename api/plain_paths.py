"""Paths with slashes too many: programs join `https://host/` and `/apiCalls/get/`."""

from __future__ import annotations

from collections.abc import Set

from starlette.types import ASGIApp, Receive, Scope, Send


class PlainPaths:
    """Leads such a path to the one of the known that is meant."""

    def __init__(self, app: ASGIApp, known: Set[str]) -> None:
        self._app = app
        self._known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            plain = "/" + "/".join(part for part in scope["path"].split("/") if part)
            if plain in self._known:
                scope = {**scope, "path": plain}
        await self._app(scope, receive, send)
