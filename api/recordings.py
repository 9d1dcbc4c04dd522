"""Recordings of calls as files: where they lie, what serves them, and how long they are kept.

The engine writes a file a dialing, in a folder a day; its row in the store says whose it is. A file without a row is
what a process left that died in the call: it goes with its day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from api.shielded import to_its_end
from api.store import recordings
from api.store.calls import Call
from api.store.database import Database
from api.store.recordings import FAILED, INCOMPLETE, NewRecording, Recording
from engine.config import ApiConfig, RecordingConfig

DAY_S = 86_400
SWEPT_EVERY_S = 600.0
STOPPED = "the service stopped in the call"
_AT_ONCE = 500  # between them others may write
_MEDIA_TYPES = {".wav": "audio/wav", ".ogg": "audio/ogg"}

_log = structlog.get_logger("zvonar.recordings")


def folder_of(config: RecordingConfig, database: Database) -> Path:
    """Where they lie."""
    return config.folder or database.folder / "recordings"


class Unrecorded(NamedTuple):
    """A dialing that cannot be recorded, and why."""

    why: str


class Recordings:
    """Safe to use from any thread; its calls block. `sweep_on` belongs to the service's loop."""

    def __init__(self, config: RecordingConfig, api: ApiConfig, database: Database) -> None:
        self.folder = folder_of(config, database)
        self.keep_days = config.keep_days  # 0: for ever
        self.base_url = (api.public_url or f"http://{api.listen}").rstrip("/")  # of URLs that nobody asked for
        self._suffix = f".{config.format}"
        self._database = database

    def place(self, api_call_id: int, call_id: int, now: float) -> Path | Unrecorded:
        """The file that a dialing is to be recorded to; its folder is there."""
        folder = self.folder / _day(now)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            _log.error("recordings_have_no_folder", folder=str(folder), reason=error.strerror)
            return Unrecorded(_words(error))
        return folder / f"{api_call_id}-{call_id}{self._suffix}"

    def path(self, kept: Recording) -> Path:
        """Its file."""
        return self.folder / kept.file

    def told(self, fact: Mapping[str, Any]) -> NewRecording:
        """What the engine tells of a recording, `recording` of a result, as it is kept."""
        file = Path(fact["path"])
        name, state, why, size = f"{file.parent.name}/{file.name}", fact["state"], fact["why"] or "", 0
        if state != FAILED:
            try:
                size = file.stat().st_size
            except OSError as error:
                state, why = FAILED, _words(error)
        return NewRecording(name, state, why, fact["started_at"], fact["duration_ms"], size)

    def left_of(self, call: Call) -> NewRecording | None:
        """What a process recorded that died in this call: the writer outlives it, and finishes the file."""
        if call.answered_at is None or call.invited_at is None:
            return None
        for day in {_day(call.invited_at), _day(call.invited_at - DAY_S / 2)}:  # it was begun some moments before
            for suffix in _MEDIA_TYPES:
                file = self.folder / day / f"{call.api_call_id}-{call.id}{suffix}"
                if file.exists():
                    found = file.stat()
                    length_ms = max(0, round((found.st_mtime - call.answered_at) * 1000))
                    name = f"{day}/{file.name}"
                    return NewRecording(name, INCOMPLETE, STOPPED, call.answered_at, length_ms, found.st_size)
        return None

    def failed(self, why: str, at: float) -> NewRecording:
        """What is kept of one that could not even be begun."""
        return NewRecording("", FAILED, why, at, 0, 0)

    def sweep(self, now: float) -> int:
        """Delete what was kept for `keep_days`; how many. Files first: what is not deleted is found again."""
        if not self.keep_days:
            return 0
        before, count = now - self.keep_days * DAY_S, 0
        while True:
            with self._database.read() as db:
                old = recordings.expired(db, before, _AT_ONCE)
            gone = [kept.call_id for kept in old if _removed(self.folder / kept.file)]
            if gone:
                with self._database.write() as db:
                    recordings.deleted(db, gone, now)
            count += len(gone)
            if len(gone) < _AT_ONCE:
                break
        return count + self._sweep_strays(before)

    async def sweep_on(self, now: Callable[[], float]) -> None:
        """Sweep every `SWEPT_EVERY_S` until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                count = await to_its_end(loop.run_in_executor(None, self.sweep, now()))
                if count:
                    _log.info("recordings_deleted", count=count, kept_days=self.keep_days)
            except Exception:
                _log.exception("recordings_cannot_be_swept")
            await asyncio.sleep(SWEPT_EVERY_S)

    def _sweep_strays(self, before: float) -> int:
        """Days that are over for longer than that, with what no row knows. A call lasts less than a day."""
        last = _day(before - 2 * DAY_S)
        count = 0
        for day in self.folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"):
            if day.name < last:
                count += sum(_removed(file) for file in day.iterdir() if _is_ours(file))
                with suppress(OSError):  # somebody else put something there
                    day.rmdir()
        return count


def media_type(file: Path) -> str:
    """Of a recording's file, for HTTP."""
    return _MEDIA_TYPES[file.suffix]


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _is_ours(file: Path) -> bool:
    return Path(file.name.removesuffix(".part")).suffix in _MEDIA_TYPES


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _removed(file: Path) -> bool:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("recording_cannot_be_deleted", file=str(file), reason=error.strerror)
        return False
    return True
