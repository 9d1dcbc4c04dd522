"""One request of a person who signed in, as a room sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.page import render
from api.page.roles import EVERYBODY
from api.service import Service
from api.store.accounts import Account, Role


@dataclass(frozen=True, slots=True)
class Visit:
    """Rooms run in a thread. `form` holds what was posted, `path` what the way's pattern caught."""

    service: Service
    request: Request
    account: Account
    session_id: int
    language: str
    form: Mapping[str, str | UploadFile] = field(default_factory=dict)

    @property
    def path(self) -> dict[str, str]:
        """What the pattern of the way caught."""
        return dict(self.request.path_params)

    @property
    def query(self) -> Mapping[str, str]:
        """The fields of the address."""
        return self.request.query_params

    @property
    def base_url(self) -> str:
        """What our own links begin with."""
        return (self.service.config.api.public_url or str(self.request.base_url)).rstrip("/")

    @property
    def partial(self) -> bool:
        """htmx asks for a part of the page."""
        return self.request.headers.get("hx-request") == "true"

    def text(self, name: str) -> str:
        """A field that was posted, without blanks around it; "" where there is none."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A template of `templates/` with these values, in the reader's language."""
        return render.page(template, self.language, status, visit=self, account=self.account, **values)

    def json(self, value: Any, status: int = 200) -> Response:
        """For scripts."""
        return JSONResponse(value, status, headers={"Cache-Control": "no-store"})

    def go(self, path: str) -> Response:
        """See that page next."""
        return RedirectResponse(path, 303)


class Way(NamedTuple):
    """How to get into a room."""

    method: str  # GET or POST
    path: str  # of starlette, "/calls/{number:int}"
    room: Callable[[Visit], Response]
    roles: frozenset[Role] = EVERYBODY
