"""The scripts of requests, ready to be dialled: thousands of calls of one request share one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from api.clips import ClipStore
from api.store import calls, records
from api.store.database import Database
from engine.call import MAX_WAIT_S
from ivr import parser
from ivr.bounds import longest_ms
from ivr.model import Record, Script

SLACK_S = 2.0  # for the hang-up to reach the far end, and for keys that come late
_KEPT = 200


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is needed to dial a call of a request. `menu` is what the request said of each block."""

    script: Script
    records: Mapping[str, Path]
    menu: Mapping[str, dict[str, Any]]
    timeout_s: float
    detect_end_of_speech: bool
    longest_s: float  # no call of the request is answered for longer
    recorded: bool = False

    def bounded(self, longest_s: float) -> Prepared:
        """The same, hung up before it is answered for longer than that."""
        greeting_s = MAX_WAIT_S if self.detect_end_of_speech else 0.0
        limits = replace(self.script.limits, duration_ms=round(max(1.0, longest_s - greeting_s) * 1000))
        return replace(self, script=replace(self.script, limits=limits), longest_s=longest_s)


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
            found = records.files(db, used)
        plays_ms = {str(record.id): record.duration_ms for record in found}
        greeting_s = MAX_WAIT_S if request.options["detectEndOfSpeech"] else 0.0
        longest = longest_ms(script, lambda item: plays_ms.get(item.id, 0) if isinstance(item, Record) else 0)
        return Prepared(
            script=script,
            records={str(record.id): self._clips.path(record.content) for record in found},
            menu=request.menu,
            timeout_s=float(request.options["timeout"]),
            detect_end_of_speech=bool(request.options["detectEndOfSpeech"]),
            longest_s=longest / 1000 + greeting_s + SLACK_S,
            recorded=bool(request.options["needRecording"]),
        )
