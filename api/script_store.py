"""The scripts of requests, ready to be dialled: thousands of calls of one request share one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.clips import ClipStore
from api.store import calls, records
from api.store.database import Database
from ivr import parser
from ivr.model import Record, Script

_KEPT = 200


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is needed to dial a call of a request. `menu` is what the request said of each block."""

    script: Script
    records: Mapping[str, Path]
    menu: Mapping[str, dict[str, Any]]
    timeout_s: float
    detect_end_of_speech: bool


class ScriptStore:
    """Safe to use from any thread; its calls block."""

    def __init__(self, database: Database, clips: ClipStore) -> None:
        self._database = database
        self._clips = clips
        self._lock = threading.Lock()
        self._prepared: OrderedDict[int, Prepared] = OrderedDict()

    def of(self, request_id: int) -> Prepared:
        """The script of a request."""
        with self._lock:
            if request_id in self._prepared:
                self._prepared.move_to_end(request_id)
                return self._prepared[request_id]
        prepared = self._prepare(request_id)
        with self._lock:
            self._prepared[request_id] = prepared
            while len(self._prepared) > _KEPT:
                self._prepared.popitem(last=False)
        return prepared

    def _prepare(self, request_id: int) -> Prepared:
        with self._database.read() as db:
            request = calls.request(db, request_id)
            script = parser.restore(request.script)
            used = {int(item.id) for block in script.blocks for item in block.prompt if isinstance(item, Record)}
            found = records.of(db, request.account_id, used)
        return Prepared(
            script=script,
            records={str(record.id): self._clips.path(record.content) for record in found},
            menu=request.menu,
            timeout_s=float(request.options["timeout"]),
            detect_end_of_speech=bool(request.options["detectEndOfSpeech"]),
        )
