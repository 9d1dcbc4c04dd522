"""Why a webhook got no answer: a closed set of sentences, and the library's own words where they add something.

Both are kept as one text, `sentence; particulars`, and put into the reader's language when they are shown.
"""

from __future__ import annotations

import socket
import ssl
from enum import StrEnum

import httpx2

from api.guard import InnerAddress
from api.messages import Message


class Failure(StrEnum):
    """The sentences: keys of the catalogue."""

    SILENCE = "nothing came back in time"
    INSIDE = "the host leads to an inside address, where no webhook may go"
    UNKNOWN_HOST = "the host's name cannot be resolved"
    INSECURE = "no secure connection came about"
    UNREACHABLE = "no connection came about"
    NO_HTTP = "what came back is no answer in HTTP"
    BROKEN = "the connection broke"


def told(error: Exception) -> str:
    """The text for what went wrong in a try."""
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and len(chain) < 10:
        chain.append(cause)

    def among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(one, kinds) for one in chain)

    if isinstance(error, (TimeoutError, httpx2.TimeoutException)):
        return Failure.SILENCE
    if among(InnerAddress):  # which one it is, is nobody's business outside
        return Failure.INSIDE
    if isinstance(error, httpx2.InvalidURL) or among(socket.gaierror, UnicodeError):
        return Failure.UNKNOWN_HOST
    if among(ssl.SSLError):
        return f"{Failure.INSECURE}; {error}"
    if isinstance(error, httpx2.ConnectError):
        return Failure.UNREACHABLE
    if isinstance(error, httpx2.RemoteProtocolError):
        return f"{Failure.NO_HTTP}; {error}"
    return Failure.BROKEN


def shown(text: str) -> Message:
    """What was told, in any language."""
    sentence, separator, particulars = text.partition("; ")
    return Message("{sentence}{particulars}", sentence=Message(sentence), particulars=separator + particulars)
