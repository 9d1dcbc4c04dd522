"""One claimed call, from the fence to the result in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from api import conclusion, tariff
from api.script_store import Prepared
from api.store import calls, queue
from api.store.queue import Claimed, End
from engine.dial import Dial, DialError, Fenced
from engine.media.plane import NoPorts
from engine.ongoing import OngoingCall

if TYPE_CHECKING:
    from api.dispatch import Dispatcher

AGAIN_S = 1.0  # a call for which there was no port after all goes back into the queue for so long
WRITE_AGAIN_S = (0.1, 0.5, 1.0, 2.0)  # a result is written again and again: it must not be lost

_log = structlog.get_logger("zvonar.queue")


class Dialing:
    """Belongs to the engine's loop."""

    def __init__(self, dispatcher: Dispatcher, claimed: Claimed, trunk: str) -> None:
        self._dispatcher = dispatcher
        self._claimed = claimed
        self._trunk = trunk
        self._node = dispatcher.node.id  # the one under which it was claimed
        self._call: OngoingCall | None = None
        self._path: list[str] = []
        self._log = _log.bind(call=claimed.api_call_id)

    def hangup(self) -> bool:
        """End it properly, its result still comes; false if nobody was called yet."""
        if self._call is None:
            return False
        self._call.hangup()
        return True

    async def run(self) -> None:
        """Dial, follow, conclude."""
        claimed, dispatcher = self._claimed, self._dispatcher
        if claimed.stopped:
            dispatcher.entered(self._trunk)
            self._log.info("call_suppressed")
            await self._conclude(self._end_before("suppressed", 21, "on the stop list"))
            return
        try:
            prepared = await dispatcher.in_thread(dispatcher.scripts.of, claimed.request_id)
            dispatcher.hub.open(claimed.api_call_id)
            self._call = await dispatcher.engine.dial(self._dial(prepared), self._fence)
        except Fenced:
            self._log.info("call_fenced")
            return
        except DialError as error:
            await self._not_dialled(error)
            return
        finally:
            dispatcher.entered(self._trunk)
            if self._call is None:
                dispatcher.hub.close(claimed.api_call_id)
        try:
            await self._follow(self._call, prepared)
        finally:
            dispatcher.hub.close(claimed.api_call_id)

    def _dial(self, prepared: Prepared) -> Dial:
        claimed, journals = self._claimed, self._dispatcher.journals
        return Dial(
            to=claimed.phone,
            script=prepared.script,
            outgoing=claimed.outgoing,
            trunk=self._trunk,
            timeout_s=prepared.timeout_s,
            detect_end_of_speech=prepared.detect_end_of_speech,
            journal=journals / f"{claimed.api_call_id}-{claimed.id}.jsonl" if journals else None,
            id=str(claimed.api_call_id),
            records=prepared.records,
        )

    async def _fence(self) -> bool:
        if not self._dispatcher.node.alive or self._dispatcher.node.id != self._node:
            return False
        return bool(await self._write(queue.fence, self._claimed.id, self._node, self._dispatcher.now()))

    async def _not_dialled(self, error: DialError) -> None:
        if isinstance(error.__cause__, NoPorts):
            self._log.warning("call_waits", reason=str(error))
            await self._write(queue.requeue, self._claimed.id, self._node, self._dispatcher.now() + AGAIN_S)
            return
        self._log.error("call_cannot_be_dialled", reason=str(error))
        await self._conclude(self._end_before("internal_error", 41, str(error)))

    async def _follow(self, call: OngoingCall, prepared: Prepared) -> None:
        number, hub = self._claimed.api_call_id, self._dispatcher.hub
        self._log.info("call_started", to=self._claimed.phone, outgoing=self._claimed.outgoing)
        async for fact in call:
            hub.tell(number, fact)
            match fact["type"]:
                case "answered":
                    await self._note(queue.answered, self._claimed.id, self._node, fact["at"])
                case "block":
                    self._path.append(fact["block"])
                    await self._reached(prepared, fact)
        result = await call.result()
        facts = [{key: value for key, value in fact.items() if key != "journal"} for fact in hub.facts(number)]
        await self._conclude(_end(result, facts))
        self._log.info("call_ended", disposition=result["disposition"], sip_code=result["sip_code"])

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
            queue.stop_calling(db, claimed.id, claimed.account_id, claimed.phone, at)
        if note["webhook_url"]:
            kept = calls.one(db, claimed.account_id, claimed.api_call_id)
            assert kept is not None
            conclusion.block_reached(db, kept, note, at)

    async def _conclude(self, end: End) -> None:
        for pause_s in (*WRITE_AGAIN_S, *[WRITE_AGAIN_S[-1]] * 1000):
            try:
                mine = await self._write(conclusion.conclude, self._claimed.id, self._node, end)
            except Exception:
                self._log.exception("result_cannot_be_written")
                await asyncio.sleep(pause_s)
                continue
            if mine:
                self._dispatcher.told()
            else:
                self._log.error("result_came_too_late", disposition=end.disposition)
            return

    def _end_before(self, disposition: str, cause: int, reason: str) -> End:
        """The end of a call that never was."""
        now = self._dispatcher.now()
        told = {
            "call": str(self._claimed.api_call_id), "seq": 1, "at": now, "type": "ended", "disposition": disposition,
            "sip_code": None, "hangup_cause": cause, "ended_by": "us", "reason": reason,
        }  # fmt: skip
        return End(disposition=disposition, answered=False, at=now, hangup_cause=cause, facts=[told])

    async def _note(self, write: Callable[..., Any], *arguments: Any) -> None:
        """Write what is good to know now; the call goes on where that fails, and its result tells it again."""
        try:
            await self._write(write, *arguments)
        except Exception:
            self._log.exception("progress_cannot_be_written")

    async def _write(self, write: Callable[..., Any], *arguments: Any) -> Any:
        def work() -> Any:
            with self._dispatcher.database.write() as db:
                return write(db, *arguments)

        return await self._dispatcher.in_thread(work)


def _end(result: dict[str, Any], facts: list[dict[str, Any]]) -> End:
    answered = result["answered_at"] is not None
    return End(
        disposition=result["disposition"],
        answered=answered,
        at=result["ended_at"],
        sip_code=result["sip_code"],
        hangup_cause=result["hangup_cause"],
        heard_ms=result["heard_ms"],
        answered_at=result["answered_at"],
        answers=result["answers"],
        path=result["path"],
        tags=result["tags"],
        cost=tariff.cost(result["duration_ms"] / 1000) if answered else tariff.FREE,
        facts=facts,
    )
