"""`/recordings/TOKEN.wav`: recordings of calls, for programs. Public: whoever knows the address may listen."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import sound
from api.problems import Code
from api.recordings import media_type
from api.refusal import Refusal
from api.service import Service
from api.store import recordings
from api.store.recordings import FAILED, Recording


def add(app: FastAPI, service: Service) -> None:
    """The way to all of them."""

    def find(token: str) -> Recording | None:
        with service.database.read() as db:
            return recordings.by_token(db, token)

    async def recording(request: Request, token: str, kind: str) -> Response:
        kept = await run_in_threadpool(find, token) if len(token) <= 64 else None
        if kept is None or PurePosixPath(kept.file).suffix != f".{kind}":
            raise Refusal(Code.NOT_FOUND, "There is no such recording")
        return response(request, service, kept)

    app.add_api_route("/recordings/{token}.{kind}", recording, methods=["GET", "HEAD"])


def response(request: Request, service: Service, kept: Recording) -> Response:
    """The sound of a recording, or the part of it that is asked for. Raises Refusal."""
    file = file_of(service, kept)
    headers = {
        "Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'inline; filename="call-{file.name}"',
    }  # fmt: skip
    return sound.response(request, file, media_type(file), headers)


def file_of(service: Service, kept: Recording) -> Path:
    """Its file, which is there. Raises Refusal."""
    if kept.state == FAILED:
        raise Refusal(Code.NOT_FOUND, "There is no such recording")
    file = service.recordings.path(kept)
    if kept.deleted_at is not None or not file.exists():
        raise Refusal(Code.RECORDING_GONE)
    return file
