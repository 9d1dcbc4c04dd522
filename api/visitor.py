"""Who asks from a browser: the session in the cookie.

The cookie is strict, so other sites' requests come without it; what changes something must besides come from our own
pages (`Sec-Fetch-Site`, or `Origin` in browsers that do not send that): OWASP's advice against forged requests.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from api.service import Service
from api.store import accounts, sessions
from api.store.accounts import Account
from api.store.sessions import Session

COOKIE = "zvonar"
SECURE_COOKIE = "__Host-zvonar"


def from_our_page(request: HTTPConnection) -> bool:
    """The request was made by a page of ours."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")


def is_secure(service: Service, request: HTTPConnection) -> bool:
    """Browsers come by TLS; a proxy that ends it may not tell us so, but `[api] public_url` does."""
    return request.url.scheme == "https" or (service.config.api.public_url or "").lower().startswith("https:")


def token_of(service: Service, request: HTTPConnection) -> str:
    """What the cookie holds; "" where there is none. Behind TLS only the one that no neighbouring host can set."""
    return request.cookies.get(SECURE_COOKIE if is_secure(service, request) else COOKIE, "")


def address_of(request: HTTPConnection) -> str:
    """Where the request comes from; "" if that is not known."""
    return request.client.host if request.client else ""


def find(service: Service, request: Request) -> tuple[Account, Session] | None:
    """The account that is signed in; None if nobody is. Blocks."""
    token, now = token_of(service, request), service.now()
    if not token:
        return None
    with service.database.read() as db:
        session = sessions.find(db, service.database.seal, token, now)
        account = accounts.by_id(db, session.account_id) if session else None
    if session is None or account is None:
        return None
    if now - session.seen_at > sessions.SEEN_EVERY_S:
        with service.database.write() as db:
            sessions.seen(db, session, now)
    return account, session


def sign_in(service: Service, request: Request, response: Response, account_id: int) -> None:
    """A new session for this browser; the one it had is over. Blocks."""
    seal, now, agent = service.database.seal, service.now(), request.headers.get("user-agent", "")
    with service.database.write() as db:
        sessions.end_token(db, seal, token_of(service, request))
        token = sessions.begin(db, seal, account_id, address_of(request), agent, now)
    secure = is_secure(service, request)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE, token, max_age=sessions.KEPT_S, path="/", secure=secure, httponly=True,
        samesite="strict",
    )  # fmt: skip


def forget(response: Response) -> None:
    """Sign this browser out."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    response.delete_cookie(SECURE_COOKIE, path="/", secure=True, httponly=True, samesite="strict")
