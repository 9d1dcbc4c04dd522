"""The walk through a script, event by event, and at random."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.events import (
    Begin,
    CancelTimer,
    Command,
    Digit,
    EnterBlock,
    Event,
    HangUp,
    Outcome,
    PlayPrompt,
    PromptEnded,
    SetTimer,
    StartTransfer,
    StopPrompt,
    TimerFired,
    TransferEnded,
)
from ivr.interpreter import Interpreter
from ivr.model import Block, File, Gather, Interrupt, Limits, Pause, PromptItem, Script, Transfer
from ivr.parser import parse


@dataclass
class Walk:
    """An interpreter with its host's books: what plays, which timers are set. It checks the contract as it goes."""

    script: Script
    interpreter: Interpreter = field(init=False)
    playing: int | None = None
    transferring: bool = False
    timers: dict[str, int] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    outcomes: list[tuple[str, str, str, bool]] = field(default_factory=list)
    prompts: int = 0
    over: str | None = None
    last: list[Command] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.interpreter = Interpreter(self.script)

    def step(self, event: Event) -> list[Command]:
        if isinstance(event, PromptEnded) and event.play == self.playing:
            self.playing = None
        if isinstance(event, TransferEnded):
            self.transferring = False
        if isinstance(event, TimerFired):
            self.timers.pop(event.name, None)
        was_over = self.over
        self.last = self.interpreter.step(event)
        assert was_over is None or not self.last, "nothing follows HangUp"
        for command in self.last:
            assert self.over is None, "nothing follows HangUp"
            self._take(command)
        return self.last

    def _take(self, command: Command) -> None:
        match command:
            case EnterBlock(block, _):
                self.path.append(block)
            case PlayPrompt(play, items, _):
                assert self.playing is None, "two prompts at once"
                assert items
                self.prompts += 1
                self.playing = play
            case StopPrompt():
                assert self.playing is not None, "nothing to stop"
                self.playing = None
            case StartTransfer():
                assert self.playing is None, "the prompt is still played"
                assert not self.transferring, "two transfers at once"
                self.transferring = True
            case SetTimer(name, ms):
                assert ms > 0
                self.timers[name] = ms
            case CancelTimer(name):
                self.timers.pop(name, None)
            case Outcome(block, outcome, digits, chose):
                assert block == self.path[-1]
                self.outcomes.append((block, outcome, digits, chose))
            case HangUp(why):
                assert self.playing is None
                assert not self.timers, "a timer stays behind"
                self.over = why

    def press(self, digits: str) -> None:
        for digit in digits:
            self.step(Digit(digit))

    def heard(self, by: str = "ended") -> None:
        assert self.playing is not None
        self.step(PromptEnded(self.playing, by))

    def wait(self, name: str = "gather") -> None:
        assert name in self.timers
        self.step(TimerFired(name))


def begun(yaml: str) -> Walk:
    head = "zvonar: 1\nstart: a\nblocks:\n  bye: {}\n  one: {}\n"
    walk = Walk(parse(head + "".join(f"  {line.strip()}\n" for line in yaml.strip().splitlines()), "s.yaml"))
    walk.step(Begin())
    return walk


MENU = 'a: {prompt: [{file: f}], gather: {digits: 1, tries: 2}, on: {"1": one, invalid: bye, silence: bye}}'


def test_a_key_during_the_prompt_stops_it_and_chooses() -> None:
    walk = begun(MENU)
    assert [type(command) for command in walk.last] == [SetTimer, EnterBlock, PlayPrompt]
    walk.press("1")
    assert [type(command) for command in walk.last] == [
        StopPrompt, Outcome, EnterBlock, Outcome, CancelTimer, HangUp,
    ]  # fmt: skip
    assert walk.path == ["a", "one"]
    assert walk.outcomes == [("a", "1", "1", True), ("one", "done", "", False)]
    assert walk.over == "end"


def test_a_key_after_the_prompt() -> None:
    walk = begun(MENU)
    walk.heard()
    assert walk.timers["gather"] == 5000
    walk.press("1")
    assert walk.path == ["a", "one"]


def test_whichever_comes_first_the_key_or_the_end_of_its_prompt() -> None:
    walk = begun(MENU)
    walk.heard("digit")
    walk.press("1")
    assert walk.path == ["a", "one"]


def test_silence_loses_a_try_and_then_all() -> None:
    walk = begun(MENU)
    walk.heard()
    walk.wait()
    assert isinstance(walk.last[0], PlayPrompt)
    assert walk.path == ["a"]
    walk.heard()
    walk.wait()
    assert walk.outcomes[0] == ("a", "silence", "", False)
    assert walk.path == ["a", "bye"]


def test_a_wrong_key_loses_a_try_and_the_last_one_names_the_outcome() -> None:
    walk = begun(MENU)
    walk.press("9")
    assert [type(command) for command in walk.last] == [StopPrompt, PlayPrompt]
    walk.press("8")
    assert walk.outcomes[0] == ("a", "invalid", "8", False)
    assert walk.path == ["a", "bye"]
    walk = begun(MENU)
    walk.press("9")
    walk.heard()
    walk.wait()
    assert walk.outcomes[0] == ("a", "silence", "", False)


def test_the_stale_end_of_a_stopped_prompt_is_not_the_end_of_the_next() -> None:
    walk = begun(MENU)
    walk.press("9")
    second = walk.playing
    walk.step(PromptEnded(1, "digit"))
    assert walk.playing == second
    assert walk.last == []
    walk.press("1")
    assert walk.path == ["a", "one"]


def test_an_outcome_that_on_does_not_name_hangs_up() -> None:
    walk = begun('a: {prompt: [{file: f}], gather: {digits: 1}, on: {"1": one}}')
    walk.heard()
    walk.wait()
    assert walk.outcomes == [("a", "silence", "", False)]
    assert walk.over == "end"


@pytest.mark.parametrize("interrupt", ["none", "voice"])
def test_early_keys_count_when_a_prompt_they_may_not_stop_is_over(interrupt: str) -> None:
    walk = begun(MENU.replace("gather", f"interrupt: {interrupt}, gather"))
    walk.press("1")
    assert walk.last == []
    assert walk.playing == 1
    walk.heard()
    assert walk.path == ["a", "one"]


def test_keys_before_the_beginning_are_kept() -> None:
    walk = Walk(parse("zvonar: 1\nstart: a\nblocks:\n  one: {}\n  bye: {}\n  " + MENU, "s.yaml"))
    walk.press("1")
    assert walk.last == []
    walk.step(Begin())
    assert walk.prompts == 0
    assert walk.path == ["a", "one"]


def test_a_burst_walks_through_menus_without_their_prompts() -> None:
    walk = begun("""
        a: {prompt: [{file: f}], gather: {digits: 2}, on: {"12": b}}
        b: {prompt: [{file: g}], on: {done: c}}
        c: {prompt: [{file: h}], gather: {digits: 1}, on: {"3": one}}
    """)
    walk.press("123")
    assert walk.path == ["a", "b"]  # what takes no digits is heard
    walk.heard()
    assert walk.prompts == 2
    assert walk.path == ["a", "b", "c", "one"]


def test_a_key_that_stops_a_mere_prompt_waits_for_the_next_menu() -> None:
    walk = begun("""
        a: {prompt: [{file: f}], interrupt: digits, on: {done: b}}
        b: {prompt: [{file: g}], gather: {digits: 1}, on: {"1": one}}
    """)
    walk.press("1")
    assert walk.last == []
    walk.heard("digit")
    assert walk.prompts == 1
    assert walk.path == ["a", "b", "one"]


def test_a_mere_prompt_in_a_circle_is_not_skipped_by_one_key() -> None:
    walk = begun("a: {prompt: [{file: f}], interrupt: digits, on: {done: a}}")
    walk.press("1")
    walk.heard("digit")
    assert walk.path == ["a", "a"]
    assert walk.playing == 2


LONG = "a: {prompt: [{file: f}], gather: {min: 2, max: 4, timeout: 7s, between: 2s}, on: {done: one, invalid: bye}}"


def test_a_terminator_ends_the_digits_and_is_none_of_them() -> None:
    walk = begun(LONG)
    walk.press("123#")
    assert walk.outcomes[0] == ("a", "done", "123", False)


def test_a_full_gather_waits_for_nothing() -> None:
    walk = begun(LONG)
    walk.press("1234")
    assert walk.outcomes[0] == ("a", "done", "1234", False)


def test_no_further_digit_completes_what_is_long_enough() -> None:
    walk = begun(LONG)
    walk.press("1")
    assert walk.timers["gather"] == 2000
    walk.heard("digit")
    assert walk.last == []  # the wait for the second digit runs since the first
    walk.press("2")
    walk.wait()
    assert walk.outcomes[0] == ("a", "done", "12", False)


@pytest.mark.parametrize("too_little", ["1", "1#", "#"])
def test_too_few_digits_are_invalid(too_little: str) -> None:
    walk = begun(LONG)
    walk.heard()
    assert walk.timers["gather"] == 7000
    walk.press(too_little)
    if walk.over is None:
        walk.wait()
    assert walk.outcomes[0] == ("a", "invalid", too_little.strip("#"), False)
    assert walk.path == ["a", "bye"]


def test_star_and_hash_can_be_choices() -> None:
    walk = begun('a: {gather: {digits: 1, terminator: none}, on: {"#": one, "*": bye}}')
    walk.press("#")
    assert walk.path == ["a", "one"]
    assert walk.outcomes[0] == ("a", "#", "#", True)


def test_voice_where_on_names_it() -> None:
    walk = begun("a: {prompt: [{file: f}], interrupt: any, gather: {digits: 1}, on: {voice: one}}")
    walk.heard("voice")
    assert walk.outcomes[0] == ("a", "voice", "", False)
    assert walk.path == ["a", "one"]


def test_voice_that_on_does_not_name_stops_the_prompt_and_the_gather_goes_on() -> None:
    walk = begun('a: {prompt: [{file: f}], interrupt: any, gather: {digits: 1}, on: {"1": one}}')
    walk.heard("voice")
    assert walk.last == [SetTimer("gather", 5000)]
    walk.press("1")
    assert walk.path == ["a", "one"]


def test_digits_that_came_before_the_voice_win() -> None:
    walk = begun('a: {prompt: [{file: f}], interrupt: any, gather: {digits: 2}, on: {"12": one, voice: bye}}')
    walk.press("1")
    walk.heard("voice")
    walk.press("2")
    assert walk.path == ["a", "one"]


def test_voice_in_a_block_that_only_plays_is_its_end() -> None:
    walk = begun("a: {prompt: [{file: f}], interrupt: voice, on: {done: one}}")
    walk.heard("voice")
    assert walk.outcomes[0] == ("a", "done", "", False)


def test_early_keys_are_kept_beyond_the_outcome_voice() -> None:
    walk = begun("""
        a: {prompt: [{file: f}], interrupt: voice, gather: {digits: 1}, on: {voice: b}}
        b: {gather: {digits: 1}, on: {"1": one}}
    """)
    walk.press("1")
    walk.heard("voice")
    assert walk.path == ["a", "b", "one"]


def test_pauses_are_played_and_nothing_is_not() -> None:
    walk = begun("""
        a: {prompt: [{pause: 1s}], on: {done: b}}
        b: {gather: {digits: 1}, on: {silence: bye}}
    """)
    assert isinstance(walk.last[-1], PlayPrompt)
    assert walk.last[-1].items == (Pause(1000),)
    walk.heard()
    assert SetTimer("gather", 5000) in walk.last
    assert walk.prompts == 1


def test_a_circle_of_blocks_that_do_nothing_ends() -> None:
    walk = begun("a: {on: {done: b}}\nb: {on: {done: a}}")
    assert walk.over == "visits"
    assert len(walk.path) == 40


def test_the_visits_of_a_block_are_bounded() -> None:
    walk = begun("a: {prompt: [{file: f}], on: {done: a}}")
    while walk.over is None:
        walk.heard()
    assert walk.over == "visits"
    assert walk.path == ["a"] * 20


def test_the_duration_is_bounded() -> None:
    walk = begun(MENU)
    assert walk.timers["duration"] == 600_000
    walk.wait("duration")
    assert walk.last == [StopPrompt(), HangUp("duration")]


TRANSFER = "a: {prompt: [{file: f}], transfer: {to: [101, 102]}, on: {ended: b, failed: one}}\nb: " + MENU[3:]


def test_the_prompt_is_played_and_then_a_manager_called() -> None:
    walk = begun(TRANSFER)
    walk.press("1")  # early: kept for the menu
    walk.heard()
    assert walk.last == [StartTransfer(Transfer(("101", "102")))]
    walk.press("2")  # meant for the manager
    assert walk.last == []
    walk.step(TransferEnded("ended"))
    assert walk.path == ["a", "b", "one"]
    assert walk.outcomes[:2] == [("a", "ended", "", False), ("b", "1", "1", True)]
    assert walk.step(TransferEnded("ended")) == []


@pytest.mark.parametrize("outcome", ["failed", "busy", "no_answer", "rejected"])
def test_no_manager_could_be_reached(outcome: str) -> None:
    walk = begun(TRANSFER)
    walk.heard()
    walk.step(TransferEnded(outcome))
    assert walk.path == ["a", "one"]
    assert walk.outcomes[0][1] == outcome


def test_a_talk_is_bounded_by_the_duration_of_the_script() -> None:
    walk = begun("a: {transfer: {to: 101}}")
    assert walk.transferring
    walk.wait("duration")
    assert walk.last == [HangUp("duration")]
    assert walk.step(TransferEnded("ended")) == []


def test_voice_over_the_prompt_may_lead_elsewhere_than_to_the_manager() -> None:
    yaml = "a: {prompt: [{file: f}], interrupt: any, transfer: {to: 101}, on: {voice: one}}"
    walk = begun(yaml)
    walk.heard("voice")
    assert walk.path == ["a", "one"]
    walk = begun(yaml)
    walk.heard("digit")
    assert walk.transferring


def test_a_second_beginning_and_timers_that_nobody_set_are_nothing() -> None:
    walk = begun(MENU)
    for event in (Begin(), TimerFired("gather"), TimerFired("other"), PromptEnded(0, "ended"), PromptEnded(2, "ended")):
        assert walk.step(event) == []
    assert Interpreter(walk.script).step(TimerFired("duration")) == []


# --- at random ------------------------------------------------------------------------------------------

NAMES = ("a", "b", "c", "d")
KEYS = "0123456789*#AB"


@st.composite
def blocks(draw: st.DrawFn, name: str) -> Block:
    gather = None
    outcomes = ["done", "voice"]
    transfer = draw(st.none() | st.just(Transfer(("101",))))
    if transfer is not None:
        outcomes += ["ended", "failed", "busy"]
    elif draw(st.booleans()):
        low = draw(st.integers(1, 3))
        gather = Gather(
            low, draw(st.integers(low, 4)), draw(st.sampled_from(["#", "*", None])), 500, 300, draw(st.integers(1, 3))
        )
        outcomes += ["invalid", "silence"] + (["1", "12", "123", "*"] if draw(st.booleans()) else [])
    on = draw(st.dictionaries(st.sampled_from(outcomes), st.sampled_from(NAMES)))
    items: list[PromptItem] = [File("f.wav"), Pause(100)]
    prompt = draw(st.lists(st.sampled_from(items), max_size=2))
    return Block(name, tuple(prompt), draw(st.sampled_from(Interrupt)), gather, tuple(on.items()), (), transfer)


scripts = st.tuples(*(blocks(name) for name in NAMES)).map(lambda them: Script("random", "a", them, Limits(60_000, 5)))
anything = st.one_of(
    st.just(Begin()),
    st.builds(Digit, st.sampled_from(KEYS)),
    st.builds(PromptEnded, st.integers(0, 6), st.sampled_from(["ended", "digit", "voice", "stopped"])),
    st.builds(TimerFired, st.sampled_from(["gather", "other"])),
    st.builds(TransferEnded, st.sampled_from(["ended", "failed", "busy"])),
)


@settings(max_examples=500, deadline=None)
@given(scripts, st.lists(anything, max_size=60))
def test_every_event_is_safe_in_every_state(script: Script, events: list[Event]) -> None:
    walk = Walk(script)
    for event in events:
        if event == Begin() or walk.over is None or walk.path:
            walk.step(event)


@settings(max_examples=500, deadline=None)
@given(scripts, st.data())
def test_every_walk_of_a_true_host_ends_with_one_hang_up(script: Script, data: st.DataObject) -> None:
    walk = Walk(script)
    walk.step(Begin())
    for _ in range(1000):
        if walk.over is not None:
            break
        choices: list[Event] = [TimerFired("gather")] if "gather" in walk.timers else []
        if walk.playing is not None:
            choices += [PromptEnded(walk.playing, by) for by in ("ended", "voice", "digit")]
        if walk.transferring:
            choices += [TransferEnded(outcome) for outcome in ("ended", "failed", "rejected")]
        assert choices, "the script waits for nothing"
        if data.draw(st.booleans()):
            walk.step(Digit(data.draw(st.sampled_from(KEYS))))
        else:
            walk.step(data.draw(st.sampled_from(choices)))
    else:
        walk.step(TimerFired("duration"))
    assert walk.over is not None
    assert all(walk.path.count(name) <= 5 for name in NAMES)
    assert walk.step(TimerFired("duration")) == []


@settings(max_examples=100, deadline=None)
@given(scripts, st.lists(anything, max_size=40))
def test_the_same_events_give_the_same_commands(script: Script, events: list[Event]) -> None:
    one, other = Interpreter(script), Interpreter(script)
    assert [one.step(event) for event in events] == [other.step(event) for event in events]
