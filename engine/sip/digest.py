"""Digest authentication, the client's side (RFC 7616, 2617; RFC 8760 for SIP): 401 and 407.

MD5, SHA-256, SHA-512-256 and their -sess forms; qop auth, auth-int or none. Passwords and what is made of them
never reach a log.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.sip.message import Message

_PART: Final = re.compile(
    r'(?:^|,)[ \t]*([A-Za-z][\w-]{0,30})[ \t]+(?=[\w-]+[ \t]*=)|([\w-]{1,40})[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^\s,"]*)'
)
_LONGEST_HEADER: Final = 4096
# Best first (RFC 8760 2.4 leaves the order to the server; a peer that offers MD5 first means well by old phones).
_ALGORITHMS: Final = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
_ANSWERS: Final = {"WWW-Authenticate": "Authorization", "Proxy-Authenticate": "Proxy-Authorization"}
_CHALLENGING: Final = (401, 407)


@dataclass(frozen=True, slots=True)
class Challenge:
    header: str  # in which the answer goes: Authorization or Proxy-Authorization
    realm: str
    nonce: str
    algorithm: str  # as in `_ALGORITHMS`, perhaps with -sess
    spelled: str  # as the challenge spells it, "" where it names none
    qop: str  # "auth", "auth-int" or ""
    opaque: str | None
    stale: bool


def challenges(response: Message) -> list[Challenge]:
    """The challenges that we can answer, the best one of each realm, in their order."""
    best: dict[tuple[str, str], Challenge] = {}
    for header, answer in _ANSWERS.items():
        for value in response.all(header):
            for parameters in _schemes(value[:_LONGEST_HEADER]):
                found = _challenge(answer, parameters)
                if found is None:
                    continue
                rival = best.get((answer, found.realm))
                if rival is None or _rank(found) < _rank(rival):
                    best[answer, found.realm] = found
    return list(best.values())


class Digest:
    """The credentials of a trunk in one dialog or registration: answers a challenge once, and remembers it.

    A second challenge of the same realm means that the password is wrong, unless it says that the nonce was
    stale: that is answered once more.
    """

    __slots__ = ("_count", "_held", "_password", "_stale_used", "_token", "_username")

    def __init__(self, username: str, password: str, token: Callable[[], str]) -> None:
        self._username = username
        self._password = password
        self._token = token
        self._held: dict[tuple[str, str], Challenge] = {}
        self._count: dict[str, int] = {}
        self._stale_used: set[tuple[str, str]] = set()

    def accept(self, response: Message, *, fresh: bool = False) -> bool:
        """Take the challenges of a 401 or 407; false if answering them (again) is no use.

        `fresh` says that the request carried a nonce of an earlier request, so it may simply have run out.
        """
        if response.code not in _CHALLENGING:
            return False
        found = challenges(response)
        if not found:
            return False
        for challenge in found:
            realm = (challenge.header, challenge.realm)
            if realm in self._held and not fresh:
                if not challenge.stale or realm in self._stale_used:
                    return False
                self._stale_used.add(realm)
        for challenge in found:
            self._held[challenge.header, challenge.realm] = challenge
        return True

    def headers(self, method: str, uri: str, body: bytes = b"") -> tuple[tuple[str, str], ...]:
        """The answers to all challenges held, for one request; () before the first."""
        return tuple((held.header, self._answer(held, method, uri, body)) for held in self._held.values())

    @property
    def challenged(self) -> bool:
        return bool(self._held)

    def _answer(self, challenge: Challenge, method: str, uri: str, body: bytes) -> str:
        count = self._count[challenge.nonce] = self._count.get(challenge.nonce, 0) + 1
        nc, cnonce = f"{count:08x}", self._token()
        digest = response_digest(challenge, self._username, self._password, method, uri, nc, cnonce, body)
        parts = [
            f'username="{self._username}"',
            f'realm="{challenge.realm}"',
            f'nonce="{challenge.nonce}"',
            f'uri="{uri}"',
            f'response="{digest}"',
        ]
        if challenge.spelled:
            parts.append(f"algorithm={challenge.spelled}")
        if challenge.opaque is not None:
            parts.append(f'opaque="{challenge.opaque}"')
        if challenge.qop:
            parts += [f"qop={challenge.qop}", f"nc={nc}", f'cnonce="{cnonce}"']
        elif challenge.algorithm.endswith("-sess"):
            parts.append(f'cnonce="{cnonce}"')
        return "Digest " + ", ".join(parts)


def response_digest(
    challenge: Challenge,
    username: str,
    password: str,
    method: str,
    uri: str,
    nc: str,
    cnonce: str,
    body: bytes = b"",
) -> str:
    """RFC 7616 3.4.1."""
    name = _ALGORITHMS[challenge.algorithm.removesuffix("-sess")]

    def h(text: str | bytes) -> str:
        return hashlib.new(
            name, text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text, usedforsecurity=False
        ).hexdigest()

    a1 = h(f"{username}:{challenge.realm}:{password}")
    if challenge.algorithm.endswith("-sess"):
        a1 = h(f"{a1}:{challenge.nonce}:{cnonce}")
    a2 = h(f"{method}:{uri}:{h(body)}" if challenge.qop == "auth-int" else f"{method}:{uri}")
    if challenge.qop:
        return h(f"{a1}:{challenge.nonce}:{nc}:{cnonce}:{challenge.qop}:{a2}")
    return h(f"{a1}:{challenge.nonce}:{a2}")


def _rank(challenge: Challenge) -> int:
    return list(_ALGORITHMS).index(challenge.algorithm.removesuffix("-sess"))


def _schemes(value: str) -> list[dict[str, str]]:
    """Parameters of each Digest challenge in a header, which may hold several (RFC 9110 11.6.1)."""
    found: list[dict[str, str]] = []
    current: dict[str, str] | None = None
    for part in _PART.finditer(value):
        if part[1]:
            current = {} if part[1].lower() == "digest" else None
            if current is not None:
                found.append(current)
        elif current is not None:
            text = part[3]
            current.setdefault(part[2].lower(), text[1:-1] if text.startswith('"') else text)
    return found


def _challenge(header: str, parameters: dict[str, str]) -> Challenge | None:
    spelled = parameters.get("algorithm", "")
    algorithm = (spelled or "MD5").upper().replace("-SESS", "-sess")
    offered = [one.strip().lower() for one in parameters.get("qop", "").split(",") if one.strip()]
    qop = next((one for one in ("auth", "auth-int") if one in offered), "")
    if algorithm.removesuffix("-sess") not in _ALGORITHMS or (offered and not qop):
        return None
    if "nonce" not in parameters:
        return None
    return Challenge(
        header=header,
        realm=parameters.get("realm", ""),
        nonce=parameters["nonce"],
        algorithm=algorithm,
        spelled=spelled,
        qop=qop,
        opaque=parameters.get("opaque"),
        stale=parameters.get("stale", "").lower() == "true",
    )
