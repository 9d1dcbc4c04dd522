"""`zvonar call`: one call, told as it happens."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from engine.dial import Dial
from engine.engine import Engine
from zvonar import log

ANSWERED, NOT_ANSWERED = 0, 1


def place(
    script: Path,
    number: str,
    *,
    outgoing: str | None,
    trunk: str | None,
    timeout_s: float,
    journal: Path | None,
    detect_end_of_speech: bool,
    record_to: Path | None,
    config: Path | None,
    as_json: bool,
) -> int:
    """Make the call; the exit status. Raises ConfigError and DialError before anything is dialled."""
    log.configure(quiet=True)
    dial = Dial(
        to=number, script=script, outgoing=outgoing, trunk=trunk, timeout_s=timeout_s, journal=journal,
        detect_end_of_speech=detect_end_of_speech, record_to=record_to,
    )  # fmt: skip
    try:
        result = asyncio.run(_place(dial, config, as_json))
    except asyncio.CancelledError:
        print("zvonar: stopped before dialing; nobody was called", file=sys.stderr)
        return NOT_ANSWERED
    return ANSWERED if result["answered_at"] is not None else NOT_ANSWERED


async def _place(dial: Dial, config: Path | None, as_json: bool) -> dict[str, Any]:
    console = Console(highlight=False, soft_wrap=True)
    loop = asyncio.get_running_loop()
    asked = asyncio.current_task()
    async with Engine.open(config, calls=2) as engine:  # the callee's leg, and one to a manager
        for number in (signal.SIGINT, signal.SIGTERM):  # before the INVITE: nobody is called
            loop.add_signal_handler(number, lambda: asked and asked.cancel())
        call = await engine.dial(dial)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, call.hangup)
        async for fact in call:
            if as_json:
                print(json.dumps(fact, ensure_ascii=False), flush=True)
            else:
                console.print(line(fact, began=call.started_at))
        if not as_json:
            console.print(summary(await call.result()))
        return await call.result()


_COLOURS = {
    "answered": "green",
    "transfer_answered": "green",
    "transfer_failed": "yellow",
    "digit": "cyan",
    "block": "bold",
    "ended": "bold",
    "barge_in": "yellow",
}
_ENVELOPE = ("call", "seq", "at", "type")


def line(fact: dict[str, Any], began: float) -> Text:
    """A fact as a line for people: seconds since the dialing, what, and its particulars."""
    kind = fact["type"]
    if kind == "ended":
        shown = {name: fact[name] for name in ("disposition", "sip_code", "hangup_cause", "ended_by")}
    else:
        shown = {name: value for name, value in fact.items() if name not in _ENVELOPE}
    told = "  ".join(f"{name} {_value(value)}" for name, value in shown.items() if value not in ("", None, []))
    return Text.assemble((f"{fact['at'] - began:7.2f} s  ", "dim"), (f"{kind:<18}", _COLOURS.get(kind, "")), told)


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _recording(recording: dict[str, Any]) -> str:
    if recording["state"] == "failed":
        return f"failed: {recording['why']}"
    told = f"{recording['path']}, {recording['duration_ms'] / 1000:.1f} s"
    return f"{told}, {recording['state']}: {recording['why']}" if recording["why"] else told


def _manager(manager: dict[str, Any]) -> str:
    told = f"{manager['to']}, who saw {manager['shown']}: {manager['status'].replace('_', ' ')}"
    if manager["answered_at"] is None:
        return told if manager["sip_code"] is None else f"{told} (SIP {manager['sip_code']})"
    talked_s = manager["ended_at"] - manager["answered_at"]
    return f"{told} after {manager['answered_at'] - manager['started_at']:.1f} s, talked for {talked_s:.1f} s"


def _sound(media: dict[str, Any]) -> str:
    told = [f"MOS {media['mos']:.1f}"] if media["mos"] is not None else []
    told += [f"{media['lost']} of {media['lost'] + media['received']} packets lost"] if media["received"] else []
    told += [f"{media['remote_lost']} of ours"] if media["remote_lost"] else []
    told += [f"{media['round_trip_ms']:.0f} ms there and back"] if media["round_trip_ms"] is not None else []
    return ", ".join(told + ["one way only"] * media["one_way_audio"])


def summary(result: dict[str, Any]) -> Text:
    """The result in a sentence or two."""
    told = f"\n{result['disposition'].replace('_', ' ')}"
    if result["answered_at"] is not None:
        told += f": {result['duration_ms'] / 1000:.1f} s, {result['heard_ms'] / 1000:.1f} s of prompts heard"
        told += f', digits "{result["digits"]}"' if result["digits"] else ", no digits"
        told += f", path {' > '.join(result['path'])}" if result["path"] else ""
        sound = _sound(result["media"]) if result.get("media") else ""
        told += f"\nsound: {sound}" if sound else ""
    elif result["reason"]:
        told += f": {result['reason']}"
    if result["recording"]:
        told += f"\nrecording: {_recording(result['recording'])}"
    if result["manager"]:
        told += f"\nmanager: {_manager(result['manager'])}"
    if result["journal"]:
        told += f"\njournal: {result['journal']}"
    return Text(told)
