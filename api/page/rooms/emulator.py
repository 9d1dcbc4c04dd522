"""The request emulator: a request of the contract put together, sent and watched."""

from __future__ import annotations

from starlette.responses import Response

from api.page.visit import Visit, Way


def show(visit: Visit) -> Response:
    """The first page after signing in."""
    return visit.page("emulator.html")


WAYS = (Way("GET", "/", show),)
