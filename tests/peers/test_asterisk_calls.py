"""Calls to a real Asterisk, through the engine's own front: what it did, and what we say about it.

All calls of SCENARIOS are placed at once and looked at afterwards, so the whole takes as long as the longest.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import wave
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asterisk import KEYS_OF_BURST, Asterisk
from heard import QUIET, heard_of, likeness_db, linear, make_clip, share_heard
from numpy.typing import NDArray

from engine.journal import replay
from zvonar import Dial, Engine

pytestmark = pytest.mark.peer

TOGETHER_S = 60.0  # for all calls; the longest takes 20
CALLER = "79932432781"
RECORDED = ("records us", "talks")
PROMPT_S, SECOND_S, TALK_S = 3.0, 1.0, 2.0
MANAGER, OTHER_MANAGER, MU_LAW_MANAGER, BUSY = "79990001219", "79990002219", "79990001220", "79990001486"
NOBODY, MENU = "79990001302", "79990001215"

SCRIPTS = {
    "key": """
        blocks:
          ask:
            prompt: [{file: prompt.wav}]
            gather: {digits: 1, timeout: 4s, tries: 2}
            on: {"1": confirmed, silence: nothing}
          confirmed: {prompt: [{file: second.wav}]}
          nothing: {prompt: [{file: second.wav}]}
    """,
    "late key": """
        blocks:
          ask:
            gather: {digits: 1, timeout: 20s}
            on: {"1": confirmed}
          confirmed: {prompt: [{pause: 100ms}]}
    """,
    "key within 2 s": """
        blocks:
          ask:
            gather: {digits: 1, timeout: 2s}
            on: {"5": again}
          again:
            gather: {digits: 1, timeout: 3s}
            on: {"5": doubled, silence: once}
          once: {}
          doubled: {}
    """,
    "twelve": f"""
        blocks:
          ask:
            prompt: [{{file: prompt.wav}}]
            gather: {{digits: 12, timeout: 6s}}
            on: {{"{KEYS_OF_BURST}": got}}
          got: {{}}
    """,
    "number and #": """
        blocks:
          ask:
            prompt: [{file: prompt.wav}]
            gather: {min: 1, max: 4, terminator: "#", timeout: 5s, between: 5s}
            on: {"1": confirmed}
          confirmed: {}
    """,
    "story": """
        blocks:
          ask:
            prompt: [{file: prompt.wav}, {pause: 500ms}, {file: second.wav}]
            interrupt: none
            on: {done: more}
          more: {prompt: [{file: second.wav}]}
    """,
    "voice": """
        blocks:
          ask:
            prompt: [{file: prompt.wav}]
            interrupt: voice
            on: {voice: spoken, done: unheard}
          spoken: {}
          unheard: {}
    """,
    "manager": f"""
        blocks:
          ask:
            transfer: {{to: "{MANAGER}", caller_id: callee}}
            on: {{ended: after}}
          after: {{prompt: [{{file: second.wav}}]}}
    """,
    "manager of one who holds": f"""
        blocks:
          ask: {{transfer: {{to: "{OTHER_MANAGER}"}}}}
    """,
    "manager who does not answer": f"""
        blocks:
          ask: {{transfer: {{to: "{NOBODY}", ring: 3s}}, on: {{no_answer: after}}}}
          after: {{prompt: [{{file: second.wav}}]}}
    """,
    "extension": f"""
        blocks:
          ask: {{transfer: {{to: "{MENU}", digits: "10,2#"}}}}
    """,
    "second manager": f"""
        blocks:
          ask: {{transfer: {{to: ["{BUSY}", "{MU_LAW_MANAGER}"]}}}}
    """,
}


@dataclass(frozen=True)
class Scenario:
    """A call, and what its result must say at least."""

    behaviour: str
    expect: Mapping[str, Any]
    script: str = "key"
    trunk: str = "digest"
    timeout_s: float = 30.0

    def __str__(self) -> str:
        return self.behaviour if self.trunk == "digest" else f"{self.behaviour} ({self.trunk})"


@dataclass
class Outcome:
    """What came of a scenario."""

    number: str
    result: dict[str, Any]
    facts: list[dict[str, Any]] = field(default_factory=list)

    def at(self, kind: str) -> float:
        """When the first fact of that type happened."""
        return next(float(fact["at"]) for fact in self.facts if fact["type"] == kind)

    def types(self) -> list[str]:
        return [fact["type"] for fact in self.facts]


def answered(by: str = "us", **more: Any) -> dict[str, Any]:
    return {"disposition": "answered", "sip_code": 200, "hangup_cause": 16, "ended_by": by} | more


def failed(disposition: str, code: int | None, cause: int, **more: Any) -> dict[str, Any]:
    return {
        "disposition": disposition, "sip_code": code, "hangup_cause": cause,
        "answered_at": None, "heard_ms": 0, "digits": "", "path": [],
    } | more  # fmt: skip


CONFIRMED = answered(digits="1", path=["ask", "confirmed"])
KEY = "1 after 2 s"

FINALS = [  # code, disposition, Q.850 cause: DESIGN's table, whole
    (400, "trunk_error", 127),
    (402, "trunk_error", 21),
    (403, "rejected", 21),
    (404, "unallocated", 1),
    (405, "trunk_error", 63),
    (406, "trunk_error", 79),
    (408, "unavailable", 102),
    (410, "unallocated", 22),
    (415, "trunk_error", 79),
    (480, "unavailable", 18),
    (484, "unallocated", 28),
    (485, "unallocated", 1),
    (486, "busy", 17),
    (488, "trunk_error", 31),
    (499, "trunk_error", 127),
    (500, "congestion", 41),
    (501, "congestion", 127),
    (502, "congestion", 38),
    (503, "congestion", 41),
    (504, "congestion", 102),
    (580, "congestion", 127),
    (600, "busy", 17),
    (603, "rejected", 21),
    (604, "unallocated", 1),
    (606, "rejected", 21),
    (607, "rejected", 21),
    (608, "rejected", 21),
    (699, "rejected", 21),
]

SCENARIOS = [
    Scenario(KEY, CONFIRMED),
    Scenario(KEY, CONFIRMED, trunk="ulaw"),
    Scenario(KEY, CONFIRMED, trunk="address"),
    Scenario(KEY, CONFIRMED, trunk="sha-256"),
    Scenario("1 after 0.3 s", CONFIRMED),
    Scenario("1 after 0.3 s", CONFIRMED, trunk="info"),
    Scenario("twelve digits", answered(digits=KEYS_OF_BURST, path=["ask", "got"]), "twelve"),
    Scenario("twelve digits", answered(digits=KEYS_OF_BURST, path=["ask", "got"]), "twelve", trunk="info"),
    Scenario(KEY, CONFIRMED, trunk="inband"),
    Scenario("twelve digits", answered(digits=KEYS_OF_BURST, path=["ask", "got"]), "twelve", trunk="inband"),
    Scenario("long digit", answered(digits="5", path=["ask", "again", "once"]), "key within 2 s"),
    Scenario("1 and #", answered(digits="1#", path=["ask", "confirmed"]), "number and #"),
    Scenario("9, then 1", answered(digits="91", path=["ask", "confirmed"])),
    Scenario("9, then 1", answered(digits="91", path=["ask", "confirmed"]), trunk="info"),
    # Longer in the call than it may ring: the answer ends the ringing, not the call.
    Scenario("1 after 15 s", CONFIRMED, "late key", timeout_s=3),
    Scenario("prompt, then BYE", answered(by="callee", path=["ask"]), "late key"),
    Scenario("silent", answered(digits="", path=["ask", "nothing"])),
    Scenario("no RTP", answered(digits="", path=["ask", "nothing"])),
    Scenario("hangs up at once", answered(by="callee", digits="")),
    Scenario("hangs up after 1.5 s", answered(by="callee", path=["ask"]), "story"),
    Scenario("hello", answered(path=["ask", "spoken"]), "voice"),
    Scenario("silent", answered(path=["ask", "unheard"]), "voice"),
    Scenario("echo", answered(digits="", path=["ask", "more"]), "story"),
    Scenario("records us", answered(path=["ask", "more"]), "story"),
    Scenario("records us", answered(path=["ask", "more"]), "story", trunk="ulaw"),
    Scenario("early tone, then answers", CONFIRMED),
    Scenario("rings 2 s, then answers", answered(by="us"), timeout_s=5),
    Scenario("holds us", CONFIRMED),
    Scenario("re-INVITE", CONFIRMED),
    Scenario("UPDATE", CONFIRMED),
    Scenario("REFER", CONFIRMED),
    Scenario("writes down the caller", answered(by="callee")),
    Scenario("talks", answered(by="us", path=["ask", "after"]), "manager"),
    Scenario("talks", answered(by="manager", path=["ask"]), "second manager"),
    Scenario("records us", answered(path=["ask", "after"]), "manager who does not answer"),
    Scenario("silent", answered(by="manager"), "extension"),
    Scenario("holds us", answered(by="manager", digits="1"), "manager of one who holds"),
    Scenario("rings 3 s, then 486", failed("busy", 486, 17, ended_by="callee")),
    Scenario("busy, with a Reason", failed("busy", 486, 17, ended_by="callee")),
    Scenario("rings for ever", failed("no_answer", 487, 19, ended_by="us"), timeout_s=2),
    Scenario("only 100", failed("no_answer", 487, 19, ended_by="us"), timeout_s=2),
    Scenario("announcement, then 404", failed("unallocated", 404, 1)),
    Scenario(KEY, failed("trunk_error", 401, 21), trunk="wrong-password"),
    Scenario(KEY, failed("trunk_error", None, 102, ended_by="network"), trunk="dead", timeout_s=2),
    *(Scenario(str(code), failed(disposition, code, cause)) for code, disposition, cause in FINALS),
]
BY_BIND = (("digest", "info", "inband", "ulaw", "wrong-password", "dead"), ("address",), ("sha-256",))  # an engine each


@dataclass
class Evening:
    """All the calls, and what was left when they were over."""

    folder: Path
    outcomes: dict[int, Outcome]  # by the scenario's place in SCENARIOS
    censuses: list[dict[str, int]]
    codes: dict[str, bytes]  # of the clips

    def of(self, behaviour: str, trunk: str = "digest", script: str | None = None) -> Outcome:
        return self.outcomes[
            next(
                index
                for index, scenario in enumerate(SCENARIOS)
                if (scenario.behaviour, scenario.trunk) == (behaviour, trunk) and script in (None, scenario.script)
            )
        ]


@pytest.fixture(scope="module")
def evening(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory, tell: Callable[[str], None]) -> Evening:
    folder = tmp_path_factory.mktemp("evening")
    codes = {
        "prompt": make_clip(folder / "prompt.wav", PROMPT_S, seed=1),
        "second": make_clip(folder / "second.wav", SECOND_S, seed=2),
        "callee": make_clip(folder / "callee.wav", TALK_S, seed=3),
        "manager": make_clip(folder / "manager.wav", TALK_S, seed=4),
    }
    for name in ("callee", "manager"):
        asterisk.gives(name, codes[name])
    for name, blocks in SCRIPTS.items():
        (folder / f"{name}.yaml").write_text(f"zvonar: 1\nstart: ask\n{_dedent(blocks)}", "utf-8")
    evening = Evening(folder, {}, [], codes)
    asyncio.run(asyncio.wait_for(_place_all(asterisk, evening, tell), TOGETHER_S))
    asterisk.wait_idle()
    return evening


def _dedent(blocks: str) -> str:
    return "\n".join(line[8:] for line in blocks.splitlines() if line.strip()) + "\n"


async def _place_all(asterisk: Asterisk, evening: Evening, tell: Callable[[str], None]) -> None:
    async with AsyncExitStack() as stack:
        engines = {}
        for trunks in BY_BIND:
            config = asterisk.config(*trunks, store={"clips": str(evening.folder / "clips")})
            engine = await stack.enter_async_context(Engine.open(config))
            engines |= dict.fromkeys(trunks, engine)

        async def place(index: int, scenario: Scenario) -> None:
            number = asterisk.number(scenario.behaviour)
            call = await engines[scenario.trunk].dial(
                Dial(
                    to=number,
                    outgoing=CALLER,
                    trunk=scenario.trunk,
                    script=evening.folder / f"{scenario.script}.yaml",
                    timeout_s=scenario.timeout_s,
                    journal=evening.folder / f"{index}.jsonl",
                    record_to=evening.folder / f"{index}.wav" if scenario.behaviour in RECORDED else None,
                )
            )
            facts = [fact async for fact in call]
            evening.outcomes[index] = Outcome(number, await call.result(), facts)

        async def progress() -> None:
            while True:
                await asyncio.sleep(5)
                tell(f"asterisk: {len(evening.outcomes)} of {len(SCENARIOS)} calls are over")

        ticker = asyncio.create_task(progress())
        tell(f"asterisk: placing {len(SCENARIOS)} calls at once")
        await asyncio.gather(*(place(index, scenario) for index, scenario in enumerate(SCENARIOS)))
        ticker.cancel()
        evening.censuses = [await _settled(engine) for engine in set(engines.values())]


async def _settled(engine: Engine) -> dict[str, int]:
    """The census once it is all zeros, or what it still is after 2 s."""
    for _ in range(40):
        census = engine.census()
        if not any(census.values()):
            break
        await asyncio.sleep(0.05)
    return census


@pytest.mark.parametrize("index", range(len(SCENARIOS)), ids=lambda index: str(SCENARIOS[index]))
def test_result(evening: Evening, index: int) -> None:
    result = evening.outcomes[index].result
    expect = SCENARIOS[index].expect
    assert {name: result[name] for name in expect} == expect


@pytest.mark.parametrize("index", range(len(SCENARIOS)), ids=lambda index: str(SCENARIOS[index]))
def test_facts_are_whole(evening: Evening, index: int) -> None:
    outcome = evening.outcomes[index]
    assert [fact["seq"] for fact in outcome.facts] == list(range(1, len(outcome.facts) + 1))
    assert outcome.types()[0] == "dialing"
    assert outcome.types().count("ended") == 1
    assert outcome.facts[-1] == outcome.result
    assert [fact["at"] for fact in outcome.facts] == sorted(fact["at"] for fact in outcome.facts)


@pytest.mark.parametrize("index", range(len(SCENARIOS)), ids=lambda index: str(SCENARIOS[index]))
def test_journal_gives_the_same_facts(evening: Evening, index: int) -> None:
    again = replay(evening.folder / f"{index}.jsonl")
    assert again.whole
    assert again.difference is None
    assert again.facts == json.loads(json.dumps(evening.outcomes[index].facts))


def test_replay_command(evening: Evening) -> None:
    journal = evening.folder / "0.jsonl"
    command = [sys.executable, "-m", "zvonar", "replay"]
    assert subprocess.run([*command, journal], capture_output=True, check=False).returncode == 0
    changed = evening.folder / "changed.jsonl"
    changed.write_text(journal.read_text("utf-8").replace('"digit": "1"', '"digit": "2"', 1), "utf-8")
    assert subprocess.run([*command, changed], capture_output=True, check=False).returncode == 1


def test_nothing_is_left(evening: Evening) -> None:
    for census in evening.censuses:
        assert set(census) == {"dialogs", "ports", "tasks", "timers", "calls"}
        assert not any(census.values()), census


def test_asterisk_never_complained(evening: Evening, asterisk: Asterisk) -> None:
    """A retransmission that nobody acknowledged, or a message that it could not read, would stand in its log."""
    del evening
    signs = ("retransmi", "Error processing", "unable to parse", "Syntax error", "No ACK received")
    assert [line for line in asterisk.log().splitlines() if any(sign in line for sign in signs)] == []


# --- what is played ---------------------------------------------------------------------------------------


def test_what_we_play_arrives_whole(evening: Evening, asterisk: Asterisk) -> None:
    """Byte by byte: the first clip, half a second of silence, the second clip; the next block's right behind it."""
    recording = asterisk.recording(evening.of("records us").number)
    prompt, second = evening.codes["prompt"], evening.codes["second"]
    start, count = heard_of(prompt, recording)
    assert count == len(prompt)
    assert start <= 0.2 * 8000  # after the answer
    pause = recording[start + len(prompt) :][:4000]
    assert np.abs(linear(pause)).max() <= QUIET
    behind = recording[start + len(prompt) + len(pause) :]
    assert heard_of(second, behind) == (0, len(second))
    gap, count = heard_of(second, behind[len(second) :])
    assert count == len(second)
    assert 0 <= gap <= 0.08 * 8000  # until the script has entered the next block
    assert gap == 0 or np.abs(linear(behind[len(second) :][:gap])).max() <= QUIET


def test_mu_law_arrives_too(evening: Evening, asterisk: Asterisk) -> None:
    recording = linear(asterisk.recording(evening.of("records us", "ulaw").number))
    assert likeness_db(evening.codes["prompt"], recording) > 30


def recorded(outcome: Outcome) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """What the callee said, and what was said to him."""
    assert outcome.types()[-2:] == ["recording", "ended"]
    told = outcome.result["recording"]
    with wave.open(told["path"], "rb") as file:
        came, went = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2).T
    assert (told["state"], told["duration_ms"]) == ("saved", len(came) // 8)
    return came, went


def test_our_recording_is_what_asterisk_heard(evening: Evening, asterisk: Asterisk) -> None:
    outcome = evening.of("records us")
    _, ours = recorded(outcome)
    theirs = linear(asterisk.recording(outcome.number))
    prompt = linear(evening.codes["prompt"]).tobytes()
    ours, theirs = (sound[sound.tobytes().index(prompt) // 2 :] for sound in (ours, theirs))
    both = min(len(ours), len(theirs))
    assert both > 8000 * (PROMPT_S + 2 * SECOND_S)
    assert (ours[:both] == theirs[:both]).all()


# --- a bridge between two of them --------------------------------------------------------------------------


def test_each_hears_the_other_sample_by_sample(evening: Evening, asterisk: Asterisk) -> None:
    callee = evening.of("talks", script="manager")
    assert share_heard(evening.codes["manager"], asterisk.recording(callee.number)) > 0.9
    assert share_heard(evening.codes["callee"], asterisk.recording(MANAGER)) > 0.9


def test_a_manager_who_goes_over_to_mu_law_is_heard_in_a_law(evening: Evening, asterisk: Asterisk) -> None:
    """Not the other way round: Asterisk sometimes reads the first packets in the new law as the old, and goes on so."""
    callee = evening.of("talks", script="second manager")
    assert share_heard(evening.codes["manager"], asterisk.recording(callee.number), least_db=25) > 0.9


def test_both_stand_in_our_recording(evening: Evening) -> None:
    came, went = recorded(evening.of("talks", script="manager"))
    assert likeness_db(evening.codes["callee"], came) > 25
    assert likeness_db(evening.codes["manager"], went) > 25
    assert likeness_db(evening.codes["manager"], came) < 20  # the clips are alike but for their noise


def test_the_callee_hears_the_script_again_when_the_manager_has_hung_up(evening: Evening, asterisk: Asterisk) -> None:
    recording = asterisk.recording(evening.of("talks", script="manager").number)
    said, _ = heard_of(evening.codes["manager"], recording)
    behind = recording[said + len(evening.codes["manager"]) :]
    assert share_heard(evening.codes["second"], behind) > 0.9  # its tape loses a frame or two at the hang-up


def test_the_callee_hears_that_it_rings(evening: Evening, asterisk: Asterisk) -> None:
    outcome = evening.of("records us", script="manager who does not answer")
    assert outcome.result["manager"]["status"] == "no_answer"
    samples = linear(asterisk.recording(outcome.number)).astype(float)
    frames = samples[: samples.size // 400 * 400].reshape(-1, 400)  # of 50 ms, in bins of 20 Hz
    spectra = np.abs(np.fft.rfft(frames * np.hanning(400)))
    rings = (spectra.argmax(axis=1) == round(425 / 20)) & (spectra.max(axis=1) > 1e5)
    assert rings.sum() * 0.05 == pytest.approx(1.0, abs=0.15)


def test_a_menu_behind_the_managers_number_is_told_the_extension(evening: Evening, asterisk: Asterisk) -> None:
    assert evening.of("silent", script="extension").result["manager"]["status"] == "answered"
    assert asterisk.note(MENU, "keys") == b"102"


def test_the_manager_sees_the_callees_number(evening: Evening, asterisk: Asterisk) -> None:
    callee = evening.of("talks", script="manager")
    assert asterisk.note(MANAGER, "caller").decode() == callee.number
    assert callee.result["manager"]["shown"] == callee.number
    assert evening.of("talks", script="second manager").result["manager"]["shown"] == CALLER


def test_a_busy_manager_and_then_another(evening: Evening) -> None:
    outcome = evening.of("talks", script="second manager")
    told = [(fact["type"], fact["to"]) for fact in outcome.facts if fact["type"].startswith("transfer_")]
    assert told[:3] == [("transfer_started", BUSY), ("transfer_failed", BUSY), ("transfer_started", MU_LAW_MANAGER)]
    manager = outcome.result["manager"]
    assert (manager["to"], manager["status"], manager["sip_code"]) == (MU_LAW_MANAGER, "answered", 200)


def test_heard_ms_of_a_whole_prompt(evening: Evening) -> None:
    heard_ms = evening.of("records us").result["heard_ms"]
    assert heard_ms == pytest.approx(1000 * (PROMPT_S + 0.5 + 2 * SECOND_S), abs=20)


def test_heard_ms_of_a_hangup_in_mid_prompt(evening: Evening, asterisk: Asterisk) -> None:
    """What the far end has on its tape, within 100 ms."""
    outcome = evening.of("hangs up after 1.5 s")
    _, count = heard_of(evening.codes["prompt"], asterisk.recording(outcome.number))
    assert count > 1.2 * 8000
    assert outcome.result["heard_ms"] == pytest.approx(count / 8, abs=100)
    assert outcome.result["duration_ms"] == pytest.approx(1500, abs=100)


def test_a_key_stops_the_prompt_at_once(evening: Evening) -> None:
    for trunk in ("digest", "info"):
        outcome = evening.of("1 after 0.3 s", trunk)
        pressed_s = outcome.at("digit") - outcome.at("answered")
        assert 0.25 <= pressed_s <= 0.6
        heard_ms = next(fact["heard_ms"] for fact in outcome.facts if fact["type"] == "prompt_ended")
        assert heard_ms == pytest.approx(1000 * pressed_s, abs=100)


def test_nobody_hears_what_nobody_heard(evening: Evening) -> None:
    assert evening.of("hangs up at once").result["heard_ms"] <= 100


def test_missing_media_is_told(evening: Evening) -> None:
    assert "no_media" in evening.of("no RTP").types()
    assert "no_media" not in evening.of("silent").types()


def test_both_ends_tell_the_same_of_the_media(evening: Evening, asterisk: Asterisk) -> None:
    """What Asterisk says of our stream by its own statistics, and what our result says, its reports among it."""
    outcome = evening.of("1 after 15 s")
    fields = asterisk.note(outcome.number, "rtcp").decode().split(";")
    theirs = {name: float(value) for name, _, value in (field.partition("=") for field in fields if field)}
    assert theirs["rxcount"] == pytest.approx(15 * 50, abs=15)
    assert theirs["lp"] == 0
    assert theirs["rxjitter"] * 1000 < 10
    assert 0 <= theirs["rtt"] < 0.1
    media = outcome.result["media"]
    assert media["sent"] == pytest.approx(theirs["rxcount"], abs=100)
    assert (media["lost"], media["invalid"], media["doubled"], media["remote_lost"]) == (0, 0, 0, 0)
    assert 0 <= media["round_trip_ms"] < 100
    assert 0 <= media["jitter_ms"] < 20
    assert media["mos"] > 4
    assert not media["one_way_audio"]
    assert evening.of("no RTP").result["media"]["one_way_audio"]


def test_keys_as_tones_are_told_as_such(evening: Evening) -> None:
    for trunk, channel in (("digest", "rfc4733"), ("info", "info"), ("inband", "inband")):
        facts = evening.of("twelve digits", trunk).facts
        assert {fact["channel"] for fact in facts if fact["type"] == "digit"} == {channel}


# --- what is signalled ------------------------------------------------------------------------------------


def test_early_media_then_the_answer(evening: Evening) -> None:
    outcome = evening.of("early tone, then answers")
    types = outcome.types()
    assert types.index("early_media") < types.index("answered") < types.index("block")
    assert outcome.at("answered") - outcome.at("early_media") == pytest.approx(2.0, abs=0.3)


def test_announcement_is_early_media(evening: Evening) -> None:
    outcome = evening.of("announcement, then 404")
    assert "early_media" in outcome.types()
    assert "answered" not in outcome.types()


def test_ringing_is_told(evening: Evening) -> None:
    outcome = evening.of("rings 2 s, then answers")
    assert outcome.at("answered") - outcome.at("ringing") == pytest.approx(2.0, abs=0.3)
    assert "ringing" not in evening.of("only 100").types()


def test_ringing_stops_when_it_is_told_to(evening: Evening) -> None:
    for behaviour in ("rings for ever", "only 100"):
        outcome = evening.of(behaviour)
        assert outcome.at("ended") - outcome.at("dialing") == pytest.approx(2.0, abs=0.5)


def test_the_callee_sees_our_number(evening: Evening, asterisk: Asterisk) -> None:
    assert asterisk.note(evening.of("writes down the caller").number, "caller").decode() == CALLER
