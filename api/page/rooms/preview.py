"""`POST /records/preview`: how a text would sound, before a record is made of it; nothing is kept or charged.

It costs a voice's time all the same, so an account has one at a time.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from anyio import from_thread
from starlette.responses import Response

from api import body
from api.create_fields import RecordFields
from api.fields import take
from api.messages import Message
from api.page.visit import Visit, Way
from api.refusal import Refusal, bad_field
from api.speech import language_of

NOTES = "X-Notes"  # JSON in ASCII: what the voice could not do
MAX_NOTES = 10
_WAIT = "Your preview before this one is still being made; wait a moment"
_lock = threading.Lock()
_busy: set[tuple[int, int]] = set()  # services and their accounts


class Busy(Exception):
    """The account has a preview made already."""


def preview(visit: Visit) -> Response:
    """{text, gender, language} -> audio/wav. Refusals are told as the contract's envelope, in the page's language."""
    try:
        with _turn(id(visit.service), visit.account.id):
            return _speak(visit)
    except Busy:
        return _error(visit, Message(_WAIT), 429)
    except Refusal as refusal:
        return _error(visit, refusal.message, refusal.status, refusal)


def _speak(visit: Visit) -> Response:
    given = from_thread.run(body.read, visit.request, 0)
    wanted = take(RecordFields, given.values)
    if wanted.text is None:
        raise bad_field("text", "is required: what is to be said")
    language = wanted.language or language_of(wanted.text)
    made = visit.service.speech.preview(visit.account, wanted.text, wanted.gender, language)
    notes = [note.render(visit.language) for note in made.notes[:MAX_NOTES]]
    return Response(made.wav, media_type="audio/wav", headers={NOTES: json.dumps(notes), "Cache-Control": "no-store"})


def _error(visit: Visit, message: Message, status: int, refusal: Refusal | None = None) -> Response:
    errors = refusal.errors if refusal else {}
    told = {field: [text.render(visit.language) for text in texts] for field, texts in errors.items()}
    said = next((text for texts in told.values() for text in texts), message.render(visit.language))
    return visit.json({"status": "error", "data": {"message": said, "errors": told}}, status)


@contextmanager
def _turn(service: int, account: int) -> Iterator[None]:
    with _lock:
        if (service, account) in _busy:
            raise Busy
        _busy.add((service, account))
    try:
        yield
    finally:
        with _lock:
            _busy.discard((service, account))


WAYS = (Way("POST", "/records/preview", preview),)
