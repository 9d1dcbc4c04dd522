"""One claimed call, from the fence to the result in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from api import conclusion
from api.recordings import Unrecorded
from api.script_store import Prepared
from api.store import accounts, calls, queue, stop_list
from api.store.claims import Claimed, Limits
from api.store.queue import End
from api.store.recordings import NewRecording
from api.tariff import FREE
from engine.dial import Dial, DialError, Fenced
from engine.media.plane import NoPorts
from engine.ongoing import OngoingCall

if TYPE_CHECKING:
    from api.dispatch import Dispatcher

AGAIN_S = 1.0  # a call for which there was no port after all goes back into the queue for so long
WRITE_AGAIN_S = (0.1, 0.5, 1.0, 2.0)  # a result is written again and again: it must not be lost
_PAUSES_S = (*WRITE_AGAIN_S, *[WRITE_AGAIN_S[-1]] * 1000)
# A start slot that was missed (a busy machine, a slow store) is not used: the call takes another, so much ahead.
_LEADS_S = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5)

_log = structlog.get_logger("zvonar.queue")


class _Preparation(NamedTuple):
    script: Prepared
    ready: bool  # moderation allows it
    facts_before: int
    record_to: Path | Unrecorded | None


class Dialing:
    """Belongs to the engine's loop."""

    def __init__(self, dispatcher: Dispatcher, claimed: Claimed, limits: Limits) -> None:
        self._dispatcher = dispatcher
        self._claimed = claimed
        self._trunk = limits.trunk
        self._limits = limits
        self._node = dispatcher.node.id  # the one under which it was claimed
        self._held = FREE
        self._call: OngoingCall | None = None
        self._called_off = False
        self._path: list[str] = []
        self._record_to: Path | Unrecorded | None = None

    def call_off(self) -> None:
        """Dial nobody any more; a call that is placed already goes on."""
        self._called_off = True

    def hangup(self) -> None:
        """End it properly, its result still comes; where nobody was called yet, nobody is."""
        self._called_off = True
        if self._call is not None:
            self._call.hangup()

    @property
    def call_id(self) -> int:
        """Its row in the queue."""
        return self._claimed.id

    async def run(self) -> None:
        """Dial, follow, conclude. Whatever is logged meanwhile says of which call."""
        with structlog.contextvars.bound_contextvars(call=self._claimed.api_call_id):
            await self._run()

    async def _run(self) -> None:
        claimed, dispatcher = self._claimed, self._dispatcher
        prepared = None
        try:
            prepared = await self._begin()
        except Exception:  # the store, most likely; nobody was called, so the call must not be lost with us
            _log.exception("call_cannot_be_begun")
            await self._give_back(AGAIN_S)
        finally:
            dispatcher.entered(self._trunk)
            if self._call is None:
                dispatcher.hub.close(claimed.api_call_id)
        if self._call is None or prepared is None:
            return
        try:
            await self._follow(self._call, prepared)
        finally:
            dispatcher.hub.close(claimed.api_call_id)

    async def _begin(self) -> Prepared | None:
        """Dial; None: nobody was called, and the store knows what becomes of the call."""
        claimed, dispatcher = self._claimed, self._dispatcher
        if claimed.stopped:
            await self._suppress("on the stop list")
            return None
        prepared = await dispatcher.in_thread(self._prepare)
        if prepared is None:
            return None
        if not prepared.ready:
            await self._suppress("neither the account nor the clip has passed moderation")
            return None
        self._record_to = prepared.record_to
        dispatcher.hub.open(claimed.api_call_id, prepared.facts_before)
        try:
            self._call = await dispatcher.engine.dial(self._dial(prepared.script), self._fence)
        except Fenced:
            _log.info("call_fenced")
            await self._give_back(0.0)
            return None
        except DialError as error:
            await self._not_dialled(error)
            return None
        return prepared.script

    def _prepare(self) -> _Preparation | None:
        """What the dialing needs of the store; in a thread. None: the call is not ours any more."""
        claimed, dispatcher = self._claimed, self._dispatcher
        script = dispatcher.scripts.of(claimed.request_id)
        most = dispatcher.tariff.at_most(claimed.price, script.longest_s)
        held: Decimal | None = claimed.price  # is held from the beginning, and suffices most of the time
        if most > claimed.price:
            with dispatcher.database.write() as db:
                held = queue.reserve(db, claimed, self._node, most)
        if held is None:
            return None
        with dispatcher.database.read() as db:
            account = accounts.by_id(db, claimed.account_id)
            ready = account.moderated or calls.all_ready(db, calls.request(db, claimed.request_id))
            before = queue.facts_told(db, claimed.api_call_id)
        self._held = held
        pays_for_s = dispatcher.tariff.affordable_s(claimed.price, held)
        if pays_for_s < script.longest_s:
            script = script.bounded(pays_for_s)
        place = dispatcher.recordings.place
        record_to = place(claimed.api_call_id, claimed.id, dispatcher.now()) if script.recorded else None
        return _Preparation(script, ready, before, record_to)

    def _dial(self, prepared: Prepared) -> Dial:
        claimed, journals = self._claimed, self._dispatcher.journals
        return Dial(
            to=claimed.phone,
            script=prepared.script,
            outgoing=claimed.outgoing,
            trunk=self._trunk,
            timeout_s=prepared.timeout_s,
            detect_end_of_speech=prepared.detect_end_of_speech,
            record_to=self._record_to if isinstance(self._record_to, Path) else None,
            journal=journals / f"{claimed.api_call_id}-{claimed.id}.jsonl" if journals else None,
            id=str(claimed.api_call_id),
            records=prepared.records,
        )

    async def _fence(self) -> bool:
        dispatcher, take_slot = self._dispatcher, queue.fence
        for lead_s in _LEADS_S:
            if not self._may_dial:
                return False
            wanted = dispatcher.now() + lead_s
            at = await self._write(take_slot, self._claimed, self._node, self._limits, wanted)
            if at is None:
                return False
            await asyncio.sleep(max(0.0, at - dispatcher.now()))  # for its start slot
            if dispatcher.now() - at < self._limits.late_s:
                dispatcher.metrics.start_delay.observe(max(0.0, dispatcher.now() - self._claimed.due_at))
                return self._may_dial  # we may have been stopped, and taken for dead, meanwhile
            take_slot = queue.postpone
        return False

    @property
    def _may_dial(self) -> bool:
        node = self._dispatcher.node
        return not self._called_off and node.alive and node.id == self._node

    async def _give_back(self, after_s: float) -> None:
        """Nobody was called: unless others have the call by now, it waits again."""
        for pause_s in _PAUSES_S:
            try:
                await self._write(queue.requeue, self._claimed.id, self._node, self._dispatcher.now() + after_s)
            except Exception:
                _log.exception("call_cannot_be_given_back")
                await asyncio.sleep(pause_s)
            else:
                return

    async def _not_dialled(self, error: DialError) -> None:
        if isinstance(error.__cause__, NoPorts):
            _log.warning("call_waits", reason=str(error))
            await self._give_back(AGAIN_S)
            return
        _log.error("call_cannot_be_dialled", reason=str(error))
        await self._conclude(await self._end_before("internal_error", 41, str(error)))

    async def _follow(self, call: OngoingCall, prepared: Prepared) -> None:
        number, hub = self._claimed.api_call_id, self._dispatcher.hub
        _log.info("call_started", to=self._claimed.phone, outgoing=self._claimed.outgoing)
        told: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        noting = asyncio.create_task(self._note_down(prepared, told))
        try:
            async for fact in call:
                hub.tell(number, _public(fact))  # who watches does not wait for the store
                told.put_nowait(fact)
            told.put_nowait(None)
            await noting
        finally:
            noting.cancel()
        result = await call.result()
        end = await self._dispatcher.in_thread(self._end, result, hub.facts(number))
        await self._conclude(end)
        _log.info("call_ended", disposition=result["disposition"], sip_code=result["sip_code"])

    async def _note_down(self, prepared: Prepared, told: asyncio.Queue[dict[str, Any] | None]) -> None:
        """Write what is to be known while the call goes on, in order, up to None."""
        while (fact := await told.get()) is not None:
            match fact["type"]:
                case "answered":
                    await self._note(queue.answered, self._claimed.id, self._node, fact["at"])
                case "transfer_started":
                    await self._note(queue.manager_called, self._claimed.id, self._node, fact["to"], fact["at"])
                case "transfer_answered":
                    await self._note(queue.manager_answered, self._claimed.id, self._node, fact["at"])
                case "block":
                    self._path.append(fact["block"])
                    await self._reached(prepared, fact)

    async def _reached(self, prepared: Prepared, fact: dict[str, Any]) -> None:
        note = prepared.menu.get(fact["block"])
        if note is None or not (note["digit"] or note["webhook_url"] or note["need_block"]):
            return
        digits = [prepared.menu[block]["digit"] for block in self._path if block in prepared.menu]
        await self._note(self._write_reached, note, [digit for digit in digits if digit], fact["at"])
        if note["webhook_url"]:
            self._dispatcher.told()

    def _write_reached(self, db: Any, note: dict[str, Any], answers: list[str], at: float) -> None:
        claimed = self._claimed
        if not queue.passed(db, claimed.id, self._node, self._path, answers, at):
            return
        if note["need_block"]:
            queue.pressed_stop(db, claimed.id)
            stop_list.add(db, claimed.account_id, {claimed.phone: ""}, at)
        if note["webhook_url"]:
            kept = calls.one(db, claimed.account_id, claimed.api_call_id)
            assert kept is not None
            conclusion.block_reached(db, kept, note, at)

    async def _conclude(self, end: End) -> None:
        for pause_s in _PAUSES_S:
            try:
                base_url = self._dispatcher.recordings.base_url
                mine = await self._write(conclusion.conclude, self._claimed.id, self._node, end, base_url)
            except Exception:
                _log.exception("result_cannot_be_written")
                await asyncio.sleep(pause_s)
                continue
            if mine:
                self._dispatcher.metrics.calls.labels(end.disposition).inc()
                if end.recording:
                    self._dispatcher.metrics.recordings.labels(end.recording.state).inc()
                self._dispatcher.told()
            else:
                _log.error("result_came_too_late", disposition=end.disposition)
            return

    async def _suppress(self, reason: str) -> None:
        _log.info("call_suppressed", reason=reason)
        await self._conclude(await self._end_before("suppressed", 21, reason))

    def _end(self, result: dict[str, Any], facts: list[dict[str, Any]]) -> End:
        cost = FREE
        if result["answered_at"] is not None:
            # Never more than is held: a call that ends some moments late costs what it was allowed to.
            steps = self._dispatcher.tariff.steps(result["duration_ms"] / 1000)
            cost = min(self._claimed.price * steps, self._held)
        return End(
            disposition=result["disposition"],
            answered=result["answered_at"] is not None,
            at=result["ended_at"],
            sip_code=result["sip_code"],
            hangup_cause=result["hangup_cause"],
            heard_ms=result["heard_ms"],
            answered_at=result["answered_at"],
            answers=result["answers"],
            path=result["path"],
            tags=result["tags"],
            manager=result.get("manager"),
            recording=self._recording(result),
            cost=cost,
            facts=facts,
        )

    def _recording(self, result: dict[str, Any]) -> NewRecording | None:
        """What the engine says of it; looks at the file."""
        recordings = self._dispatcher.recordings
        if result["answered_at"] is not None and isinstance(self._record_to, Unrecorded):
            return recordings.failed(self._record_to.why, result["answered_at"])
        told = result.get("recording")
        return None if told is None else recordings.told(told)

    async def _end_before(self, disposition: str, cause: int, reason: str) -> End:
        """The end of a call that never was."""
        now = self._dispatcher.now()
        before = await self._write(queue.facts_told, self._claimed.api_call_id)
        told = {
            "call": str(self._claimed.api_call_id), "seq": before + 1, "at": now, "type": "ended",
            "disposition": disposition, "sip_code": None, "hangup_cause": cause, "ended_by": "us", "reason": reason,
        }  # fmt: skip
        return End(disposition=disposition, answered=False, at=now, hangup_cause=cause, facts=[told])

    async def _note(self, write: Callable[..., Any], *arguments: Any) -> None:
        """Write what is good to know now; the call goes on where that fails, and its result tells it again."""
        try:
            await self._write(write, *arguments)
        except Exception:
            _log.exception("progress_cannot_be_written")

    async def _write(self, write: Callable[..., Any], *arguments: Any) -> Any:
        def work() -> Any:
            with self._dispatcher.database.write() as db:
                return write(db, *arguments)

        return await self._dispatcher.in_thread(work)


def _public(fact: dict[str, Any]) -> dict[str, Any]:
    """The fact without the names of our own files: those who watch a call are not who runs the service."""
    told = {key: value for key, value in fact.items() if key != "journal"}
    if fact["type"] == "recording":
        del told["path"]  # of `ended` it is the way through the menu
    if fact.get("recording"):
        told["recording"] = {key: value for key, value in fact["recording"].items() if key != "path"}
    return told
