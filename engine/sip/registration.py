"""A registration of ours with a trunk (RFC 3261 section 10): got, refreshed, got again after a failure. Pure.

`TrunkChanged` tells each change, and a failure once, in one sentence without the password. A registrar that does
not answer is asked again after 5 s, then 10, 20 ... up to `RETRY_MOST_S`; one that refuses the password only
after `RETRY_MOST_S`, since repeating a wrong password gets addresses banned.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from engine.events import TrunkChanged
from engine.sip.dialog import AGENT, Station, request
from engine.sip.digest import Digest
from engine.sip.leg_client import Line
from engine.sip.message import Address, Message
from engine.sip.transaction_user import Emit, Start, TransactionUser

EXPIRES_S: Final = 300  # short enough to keep a NAT's memory of us alive
SHORTEST_S: Final = 10.0  # never refresh more often
REFRESH_AT: Final = 0.8  # of the time granted
RETRY_FIRST_S: Final = 5.0
RETRY_MOST_S: Final = 300.0
_LONGEST_S: Final = 86400
_INTERVAL_TOO_BRIEF: Final = 423
_REFUSED: Final = (401, 403, 407)
_EXPIRES: Final = re.compile(r";[ \t]*expires[ \t]*=[ \t]*\"?(\d{1,9})", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d{1,9}")


class RegistrationTimer(Enum):
    AGAIN = "register again"

    __hash__ = object.__hash__


class Registration(TransactionUser):
    """`begin` registers, `end` unregisters."""

    def __init__(self, line: Line, station: Station) -> None:
        super().__init__(f"register {line.trunk}", f"{station.token()}@{station.host}", station.token())
        self.line = line
        self.station = station
        self._digest = Digest(line.username, line.password, station.token)
        self._expires_s = EXPIRES_S
        self._cseq = 0
        self._retry_s = RETRY_FIRST_S
        self._up: bool | None = None
        self._why = ""
        self._fresh = True  # the nonce in use was given for an earlier request
        self._request: Message | None = None

    def begin(self, now: float) -> None:
        self._register()

    def end(self, now: float) -> None:
        """Unregister if registered; nothing is told any more."""
        if self.over:
            return
        self.over = True
        self._stop(RegistrationTimer.AGAIN)
        if self._up:
            self._expires_s = 0
            self._register()

    def heard(self, request: Message, answer: Message, source: Address, now: float) -> None:
        if request is not self._request or answer.code < 200:
            return
        challenged = answer.code in (401, 407)
        if challenged and self._digest.accept(answer, fresh=self._fresh):
            self._fresh = False
            self._send()
        elif self.over:
            return
        elif answer.code < 300:
            self._registered(answer, now)
        elif answer.code == _INTERVAL_TOO_BRIEF and (least := _number(answer.first("Min-Expires"))):
            if self._expires_s >= least or least > _LONGEST_S:
                self._failed(f"refused every time of registration ({answer.code})", RETRY_MOST_S, now)
            else:
                self._expires_s = least
                self._register()
        elif answer.code in _REFUSED:
            self._failed(f"refused the username or password ({answer.code} {answer.reason})", RETRY_MOST_S, now)
        else:
            self._failed(f"refused the registration ({answer.code} {answer.reason})", None, now)

    def unheard(self, request: Message, now: float) -> None:
        if request is self._request and not self.over:
            self._failed("does not answer the registration", None, now)

    def fired(self, timer: Enum, now: float) -> None:
        super().fired(timer, now)
        self._register()

    def crashed(self, now: float) -> None:
        self._failed("a fault of ours", None, now)

    def _register(self) -> None:
        self._fresh = self._digest.challenged
        self._send()

    def _send(self) -> None:
        self._cseq += 1
        line = self.line
        uri = f"sip:{line.domain}"
        identity = f"<sip:{line.username}@{line.domain}>"
        self._request = request(
            "REGISTER",
            uri,
            via=self.station.via(),
            sender=f"{identity};tag={self.local_tag}",
            to=identity,
            call_id=self.call_id,
            cseq=self._cseq,
            headers=(
                ("Contact", self.station.contact(line.username)),
                ("Expires", str(self._expires_s)),
                ("User-Agent", AGENT),
                *self._digest.headers("REGISTER", uri),
            ),
        )
        self.out.append(Start(self._request, line.server))

    def _registered(self, answer: Message, now: float) -> None:
        self._retry_s = RETRY_FIRST_S
        granted = _granted(answer, self.station.contact(self.line.username)) or self._expires_s
        self._set(RegistrationTimer.AGAIN, now + max(SHORTEST_S, min(granted, _LONGEST_S) * REFRESH_AT))
        self._tell(True, "")

    def _failed(self, why: str, retry_s: float | None, now: float) -> None:
        self._set(RegistrationTimer.AGAIN, now + (retry_s or self._retry_s))
        self._retry_s = min(self._retry_s * 2, RETRY_MOST_S)
        self._tell(False, why)

    def _tell(self, up: bool, why: str) -> None:
        if (self._up, self._why) != (up, why):
            self._up, self._why = up, why
            self.out.append(Emit(TrunkChanged(self.line.trunk, up, why)))


def _granted(answer: Message, contact: str) -> int | None:
    """How long the registrar keeps us: of our Contact, else of the whole answer."""
    for value in answer.all("Contact"):
        if value.startswith(contact) or contact.strip("<>") in value:
            found = _EXPIRES.search(value)
            if found:
                return int(found[1])
    return _number(answer.first("Expires"))


def _number(text: str) -> int | None:
    found = _NUMBER.match(text)
    return int(found[0]) if found else None
