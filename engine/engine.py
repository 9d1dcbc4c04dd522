"""The engine: everything that a call needs, opened together and closed together.

    async with Engine.open() as engine:
        call = await engine.dial(Dial(to="79990000001", script="appointment.yaml"))
        async for fact in call:
            print(fact)

It owns signalling, the media process, the clips, the trunks' places, and, where no trunk is configured, the sandbox.
All of it lives in the event loop in which it was opened; `zvonar serve` gives it a loop in a thread of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Self

import platformdirs
import structlog

from engine import config as configuration
from engine import waiting
from engine.call import Call
from engine.clips.cache import Clip, ClipCache, ClipError
from engine.clock import SystemClock, sleep_until
from engine.config import Config, ConfigError, TrunkConfig
from engine.dial import Dial, DialError, Fenced, digits_of
from engine.events import SignallingEvent, TrunkChanged
from engine.further_leg import FurtherLeg, Heard, Said
from engine.journal import Journal
from engine.media import wire
from engine.media.plane import MediaPlane, NoPorts
from engine.ongoing import OngoingCall
from engine.orders import Tone
from engine.recording.recording import SUFFIXES
from engine.sandbox.sandbox import Sandbox
from engine.settings import Settings
from engine.sip.signalling import Signalling
from engine.speech.error import SpeechError
from engine.speech.speaker import Speaker
from engine.speech.voice import Gender
from engine.trunks import TrunkRoom, TrunkState, choose
from ivr import parser
from ivr.model import File, Pause, PromptItem, Record, Script, Text

CLOSE_WITHIN_S = 8.0  # calls that go on when the engine closes are hung up, and given so long to end
MEDIA_BACK_S = 5.0  # for a media process that died; its start takes less than one
BUSY = 0.7  # above that share of the media tick no new call starts (DESIGN: before anybody hears it)

_log = structlog.get_logger("zvonar.engine")


class Engine:
    """Places calls. Not thread-safe: belongs to the loop that opened it."""

    def __init__(self, config: Config, calls: int | None = None) -> None:
        self.config = config
        self._clock = SystemClock()
        host, _ = configuration.parse_address(config.sip.bind)
        legs = calls or config.media.calls
        self._plane = MediaPlane(config.media, host, self._clock, calls=legs * 2 if config.sandboxed else legs)
        clips = config.store.clips or platformdirs.user_cache_path("zvonar") / "clips"
        self._clips_folder = clips
        self._tone_numbers: dict[PromptItem | Tone, int] = {}
        self._clips = ClipCache(clips, config.clips.max_s)
        self.speaker = Speaker(config.speech, clips / "spoken")
        self._sandbox = Sandbox(self._plane, self._clips, self._clock) if config.sandboxed else None
        self._signalling: Signalling
        self._rooms: dict[str, TrunkRoom] = {}
        self._registrations: Mapping[str, TrunkState] = {}
        self._calls: dict[str, OngoingCall] = {}
        self._dialing = 0
        self._sessions = itertools.count(secrets.randbelow(1 << 30))

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Config | str | Path | None = None, *, calls: int | None = None) -> AsyncIterator[Self]:
        """Start everything; leaving the context hangs up what is going on and stops everything.

        `config` is a configuration or its file; None reads the one `ZVONAR_CONFIG` names, else the defaults (sandbox).
        `calls` bounds how many calls at once are prepared for (default: `[media] calls`). Raises ConfigError.
        """
        chosen = config if isinstance(config, Config) else configuration.load(config)
        engine = cls(chosen, calls)
        async with AsyncExitStack() as stack:
            await engine._plane.start()
            stack.push_async_callback(engine._plane.stop)
            trunks: tuple[TrunkConfig, ...] = chosen.trunk
            if engine._sandbox:
                await engine._sandbox.start()
                stack.push_async_callback(engine._sandbox.stop)
                trunks = (engine._sandbox.config(),)
            if chosen.media.hold is not None:
                try:
                    await engine._tones()
                except (ClipError, OSError) as error:
                    raise ConfigError(f"media.hold: {error}") from error
            engine._rooms = {trunk.name: TrunkRoom(trunk, engine._clock) for trunk in trunks}
            engine._signalling = Signalling(chosen.sip, trunks, engine._clock, engine._on_signalling)
            await engine._signalling.start()
            stack.push_async_callback(engine._signalling.stop)
            stack.push_async_callback(engine._end_all)
            yield engine

    @property
    def trunks(self) -> list[TrunkConfig]:
        """The trunks calls can go through."""
        return [room.config for room in self._rooms.values()]

    @property
    def registrations(self) -> Mapping[str, TrunkState]:
        """What has come of the registrations so far, by trunk; may be read from any thread."""
        return self._registrations

    @property
    def sip_address(self) -> tuple[str, int]:
        """Where we speak SIP: host and port."""
        return self._signalling.address

    async def dial(self, dial: Dial, fence: Callable[[], Awaitable[bool]] | None = None) -> OngoingCall:
        """Place a call. Waits for a place on the trunk and for its pace, then for `fence`, then sends the INVITE.

        The fence is the last thing before the INVITE: where it returns False, Fenced is raised and nobody is called.
        Raises DialError, with nothing dialled, for what is wrong with number, trunk, script or clips.
        """
        to = digits_of(dial.to)
        asked = digits_of(dial.outgoing) if dial.outgoing else None
        trunk, outgoing = choose(self.trunks, dial.trunk, asked)
        if dial.record_to:
            _check_recording(dial.record_to)
        script, folder = await self._script(dial.script)
        clips = await self._prepare(script, folder, dial.records)
        room = self._rooms[trunk.name]
        self._dialing += 1
        try:
            await room.enter()
            try:
                await self._media()
                call = self._make(dial, trunk, to, outgoing, script, clips)
                await self._pass(fence, call)
            except BaseException:
                room.leave()
                raise
        finally:
            self._dialing -= 1
        self._calls[call.id] = call
        call.start()
        return call

    @property
    def busy(self) -> float:
        """The share of its time that the media process works, of the last second; above `BUSY` no new call starts."""
        return self._plane.busy

    def room(self, trunk: str) -> int:
        """How many more calls may start on that trunk now: its places and pace, free ports, the media tick's load."""
        if self._plane.busy > BUSY:
            return 0
        legs = 2 if self._sandbox else 1
        kept = sum(call.legs_to_come for call in self._calls.values())
        free = (self._plane.capacity - self._plane.census()["ports"]) // legs - kept
        of_trunk = self._rooms[trunk].free()
        return max(0, free if of_trunk is None else min(free, of_trunk))

    def census(self) -> dict[str, int]:
        """What is open: dialogs, ports, tasks, timers, calls. All zero when nothing goes on."""
        counts = dict.fromkeys(("dialogs", "ports", "tasks", "timers", "calls"), 0)
        parts = [
            self._signalling.census(),
            self._plane.census(),
            self._sandbox.census() if self._sandbox else {},
        ]
        parts.append({
            "calls": len(self._calls),
            "tasks": self._dialing + sum(call.tasks for call in self._calls.values()),
            "timers": sum(call.timers for call in self._calls.values()),
        })  # fmt: skip
        for part in parts:
            for name, count in part.items():
                counts[name] += count
        return counts

    # --- a call's making --------------------------------------------------------------------------------

    async def _script(self, script: Script | str | Path) -> tuple[Script, Path | None]:
        if isinstance(script, Script):
            return script, None
        path = Path(script)
        try:
            text = await asyncio.to_thread(path.read_text, "utf-8")
        except OSError as error:
            raise DialError(f"{path}: {error.strerror}; name a script that can be read") from error
        except UnicodeDecodeError as error:
            raise DialError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
        try:
            return parser.parse(text, str(path)), path.parent
        except parser.ScriptError as error:
            raise DialError(str(error)) from error

    async def _prepare(
        self, script: Script, folder: Path | None, records: Mapping[str, Path]
    ) -> dict[PromptItem | Tone, int]:
        """Convert the script's clips and hand them to the media process; their numbers."""
        numbers: dict[PromptItem | Tone, int] = {}
        if any(block.transfer for block in script.blocks):
            try:
                numbers |= await self._tones()
            except (ClipError, OSError) as error:
                raise DialError(f"what a callee hears who waits for a manager: {error}") from error
        for block in script.blocks:
            for item in block.prompt:
                if isinstance(item, Pause) or item in numbers:
                    continue
                try:
                    source = await self._speak(item) if isinstance(item, Text) else _source(item, folder, records)
                    clip = await asyncio.to_thread(self._clips.prepare, source)
                except (ClipError, SpeechError) as error:
                    raise DialError(f"block {block.name!r}: {error}") from error
                numbers[item] = self._plane.load(clip)
        return numbers

    async def _tones(self) -> dict[PromptItem | Tone, int]:
        if not self._tone_numbers:
            made = {tone: await asyncio.to_thread(self._tone, tone) for tone in Tone}
            self._tone_numbers = {tone: self._plane.load(clip) for tone, clip in made.items()}
        return self._tone_numbers

    def _tone(self, tone: Tone) -> Clip:
        hold = self.config.media.hold if tone is Tone.HOLD else None
        return self._clips.prepare(hold or waiting.write(tone, self._clips_folder / "tones"))

    async def _speak(self, item: Text) -> Path:
        spoken = await asyncio.to_thread(self.speaker.speak, item.text, Gender[item.voice.upper()], item.lang)
        if spoken.dropped:
            _log.warning("marks_dropped", voice=spoken.voice, words=", ".join(spoken.dropped))
        if spoken.gender is not Gender[item.voice.upper()]:
            _log.warning("voice_replaced", wanted=item.voice, voice=spoken.voice)
        return spoken.path

    async def _media(self) -> None:
        """A media process that died is back soon; its end is no reason to lose who dials meanwhile."""
        try:
            await self._plane.wait(MEDIA_BACK_S)
        except NoPorts as error:
            raise DialError(f"{error}, and not back after {MEDIA_BACK_S:.0f} s; try again") from error

    def _make(
        self,
        dial: Dial,
        trunk: TrunkConfig,
        to: str,
        outgoing: str,
        script: Script,
        clips: Mapping[PromptItem | Tone, int],
    ) -> OngoingCall:
        name = dial.id or f"c{secrets.token_hex(6)}"
        if name in self._calls:
            raise DialError(f"call {name} goes on already")
        try:
            slot = self._plane.open(lambda at, event: self._on_media(name, at, event), trunk.media_networks)
        except NoPorts as error:
            raise DialError(f"no RTP port is free ({error}); raise [media] calls or wait") from error
        settings = Settings(
            call=name,
            to=to,
            outgoing=outgoing,
            trunk=trunk.name,
            timeout_s=dial.timeout_s,
            codecs=trunk.codecs,
            media_host=self.config.media.public_address or self._signalling.media_host(trunk.name),
            media_port=slot.port,
            session=next(self._sessions),
            detect_end_of_speech=dial.detect_end_of_speech,
            record_to=str(dial.record_to.absolute()) if dial.record_to else None,
            journal=str(dial.journal) if dial.journal else None,
        )
        try:
            journal = Journal(dial.journal, settings, script) if dial.journal else None
        except OSError as error:
            slot.send(wire.Close())
            raise DialError(f"{dial.journal}: {error.strerror}; name a file that can be written") from error
        return OngoingCall(
            Call(settings, script),
            clock=self._clock,
            signalling=self._signalling,
            slot=slot,
            clips=clips,
            journal=journal,
            open_leg=partial(self._open_leg, trunk),
            over=lambda call: self._over(call, trunk.name),
        )

    def _open_leg(self, trunk: TrunkConfig, heard: Heard, said: Said) -> FurtherLeg:
        """A leg of a call that goes on: on the same trunk, and within its limits."""
        open_slot = partial(self._plane.open, heard, trunk.media_networks)
        return FurtherLeg(self._rooms[trunk.name], open_slot, next(self._sessions), said)

    async def _pass(self, fence: Callable[[], Awaitable[bool]] | None, call: OngoingCall) -> None:
        opened = False
        try:
            opened = fence is None or await fence()
        finally:
            if not opened:
                call.abandon()
        if not opened:
            raise Fenced(f"call {call.id} was not to be placed any more")

    # --- what comes in ----------------------------------------------------------------------------------

    def _on_signalling(self, leg: str, at: float, event: SignallingEvent) -> None:
        if isinstance(event, TrunkChanged):
            _log.info("trunk_changed", trunk=event.trunk, up=event.up, reason=event.reason)
            state = TrunkState(event.up, event.reason, at)
            self._registrations = {**self._registrations, event.trunk: state}  # a new one: others read it
            return
        call, further = self._calls.get(leg), ""
        if call is None:  # a leg to a manager is named by its call and its own name
            name, _, further = leg.rpartition(":")
            call = self._calls.get(name)
        if call is not None:
            call.on_leg(at, event, further)

    def _on_media(self, name: str, at: float, event: wire.SlotEvent) -> None:
        call = self._calls.get(name)
        if call is not None:
            call.on_media(at, event)

    def _over(self, call: OngoingCall, trunk: str) -> None:
        if self._calls.pop(call.id, None) is not None:
            self._rooms[trunk].leave()

    async def _end_all(self) -> None:
        until = self._clock.now() + CLOSE_WITHIN_S
        for call in list(self._calls.values()):
            call.hangup()
        while self._calls and self._clock.now() < until:
            await sleep_until(self._clock, self._clock.now() + 0.02)


def _check_recording(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise DialError(f"{path}: a recording is {' or '.join(SUFFIXES)}; name such a file")
    if not path.parent.is_dir():
        raise DialError(f"{path}: there is no folder {path.parent}; make it, or name another one")


def _source(item: File | Record, folder: Path | None, records: Mapping[str, Path]) -> Path:
    if isinstance(item, Record):
        if item.id not in records:
            raise DialError(f"record {item.id!r} is not given; only the service keeps records, name a file instead")
        return records[item.id]
    if folder is None:
        raise DialError(f"clip {item.path!r}: a script that is not read from a file has no folder for its clips")
    source = folder / item.path
    if not source.resolve().is_relative_to(folder.resolve()):
        raise DialError(f"clip {item.path!r} leaves the folder of its script; copy it there")
    return source
