"""Scripts from YAML: what is read, and the one clear error for everything else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.model import Block, CallerId, File, Gather, Interrupt, Limits, Pause, Record, Text, Transfer
from ivr.parser import ScriptError, dump, parse, restore

WHOLE = """\
zvonar: 1
name: appointment
start: greeting
limits: {duration: 3m, visits: 7}
blocks:
  greeting:
    prompt: [{file: clips/greeting.wav}, {pause: 500ms}, {record: 17}]
    interrupt: any
    gather: {min: 1, max: 3, terminator: "*", timeout: 4s, between: 1.5s, tries: 2}
    on: {"1": confirmed, 22: confirmed, "01": goodbye, voice: goodbye, invalid: greeting, silence: goodbye}
    tags: [welcome, "2"]
  confirmed: {prompt: [{file: confirmed.wav}], on: {done: goodbye}}
  goodbye: {}
tests:
  - name: confirms by 1
    given: [answered, {press: "1"}]
"""


def refused(text: str) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        parse(text, "appointment.yaml")
    error = caught.value
    assert len(str(error).splitlines()) == 1
    assert len(str(error)) < 700
    assert str(error) == f"{error.file}:{error.line}:{error.column}: {error.message}; {error.remedy}"
    return error


def with_block(block: str) -> str:
    """A script whose block `a` is this flow mapping, beside an empty block `manager`."""
    return f"zvonar: 1\nstart: a\nblocks:\n  manager: {{}}\n  a: {block}\n"


def block(text: str) -> Block:
    return parse(with_block(text), "s.yaml").block("a")


def test_everything_a_script_can_say() -> None:
    script = parse(WHOLE, "appointment.yaml")
    assert (script.name, script.start, script.limits) == ("appointment", "greeting", Limits(180_000, 7))
    greeting = script.block("greeting")
    assert greeting.prompt == (File("clips/greeting.wav"), Pause(500), Record("17"))
    assert greeting.interrupt is Interrupt.ANY
    assert greeting.gather == Gather(1, 3, "*", 4000, 1500, 2)
    assert greeting.target("22") == "confirmed"
    assert greeting.target("01") == "goodbye"
    assert greeting.target("9") is None
    assert greeting.tags == ("welcome", "2")
    assert script.block("goodbye") == Block("goodbye")


def test_texts() -> None:
    prompt = block(
        '{prompt: [{text: "З+амок <-> готов"}, {text: Hi, voice: male, lang: en-GB}, {text: 5, lang: no}]}'
    ).prompt
    assert prompt == (Text("З+амок <-> готов", "female", None), Text("Hi", "male", "en-GB"), Text("5", "female", "no"))


def test_a_transfer() -> None:
    made = block('{transfer: {to: "+74951234567"}, on: {ended: manager, failed: a}}')
    assert made.transfer == Transfer(("74951234567",), CallerId.OUTGOING, 30_000)
    assert made.interrupt is Interrupt.NONE
    several = block("{transfer: {to: [+74951234567, 101], caller_id: callee, ring: 20s, digits: '1,,02#'}}").transfer
    assert several == Transfer(("74951234567", "101"), CallerId.CALLEE, 20_000, "1,,02#")


def test_a_finer_outcome_of_a_transfer_falls_back_to_failed() -> None:
    made = block("{transfer: {to: 101}, on: {busy: manager, failed: a}}")
    targets = {outcome: made.target(outcome) for outcome in ("busy", "no_answer", "rejected", "failed", "ended")}
    assert targets == {"busy": "manager", "no_answer": "a", "rejected": "a", "failed": "a", "ended": None}


def test_defaults() -> None:
    script = parse("zvonar: 1\nstart: a\nblocks: {a: {gather: {digits: 2}}, b: {}}", "dir/reminder.yaml")
    assert script.name == "reminder"
    assert script.limits == Limits(600_000, 20)
    assert script.block("a").interrupt is Interrupt.DIGITS
    assert script.block("a").gather == Gather(2, 2, "#", 5000, 3000, 1)
    assert script.block("b").interrupt is Interrupt.NONE


def test_on_is_a_word_even_where_yaml_1_1_is_asked_for() -> None:
    script = parse("%YAML 1.1\n---\nzvonar: 1\nstart: a\nblocks: {a: {on: {done: a}}}", "s.yaml")
    assert script.block("a").target("done") == "a"


def test_the_example_error_of_the_documentation() -> None:
    text = WHOLE.replace('"1": confirmed, 22: confirmed', '"1": manger').replace(
        "  goodbye: {}", "  goodbye: {}\n  manager: {}"
    )
    error = refused(text)
    assert str(error) == "appointment.yaml:10:15: block 'manger' does not exist; did you mean 'manager'?"


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("zvonar: 1\nstart: a\nbloks: {a: {}}", (3, 1), "did you mean 'blocks'?"),
        ("start: a\nblocks: {a: {}}", (1, 1), "'zvonar' is required"),
        ("zvonar: 1\nblocks: {a: {}}", (1, 1), "'start' is required"),
        ("zvonar: 1\nstart: a", (1, 1), "'blocks' is required"),
        ("zvonar: 2\nstart: a\nblocks: {a: {}}", (1, 9), "version '2'"),
        ("zvonar: 1\nstart: b\nblocks: {a: {}}", (2, 8), "block 'b' does not exist"),
        ("zvonar: 1\nstart: a\nblocks: {}", (3, 9), "blocks is empty"),
        ("zvonar: 1\nstart: a\nblocks: [a]", (3, 9), "not a mapping"),
        ("zvonar: 1\nstart: a\nblocks: {a: }", (3, 12), "write `a: {}`"),
        ("zvonar: 1\nstart: a\nblocks: {a: {}}\ntests: {}", (4, 8), "not a list"),
        ("zvonar: 1\nstart: a\nblocks: {a: {}}\nname: []", (4, 7), "name is a list"),
        ("zvonar: 1\nstart: a\nblocks: {a: {}}\nlimits: {duration: 5h}", (4, 20), "300ms, 5s or 3m"),
        ("zvonar: 1\nstart: a\nblocks: {a: {}}\nlimits: {visits: 0}", (4, 18), "whole number from 1"),
        ("zvonar: 1\nstart: a\nblocks: {a: {}}\nlimits: {vists: 3}", (4, 10), "did you mean 'visits'?"),
        ("zvonar: 1\nzvonar: 1\nstart: a\nblocks: {a: {}}", (2, 1), "stands twice (first on line 1)"),
        ("zvonar: 1\nstart: a\nblocks: {a: {}, a: {}}", (3, 17), "stands twice"),
        ("", (1, 1), "empty"),
        ("# nothing\n", (1, 1), "empty"),
        ("hello", (1, 1), "not a mapping"),
        ("a: [", (1, 5), "broken YAML"),
        ("zvonar: 1\n\tstart: a", (2, 1), "blanks instead of tabs"),
        ("zvonar: 1\nstart: a\x00", (2, 9), "U+0000"),
        ("zvonar: 1\n---\nstart: a", (2, 1), "keep one script a file"),
        ("zvonar: !!python/object:os.system 1\nstart: a\nblocks: {a: {}}", (1, 9), "tag"),
        ("zvonar: 1\nstart: a\nblocks: !mine {a: {}}", (3, 9), "tag"),
        ("zvonar: 1\nstart: a\nblocks: {? [x] : {}}", (3, 12), "is a list"),
    ],
)  # fmt: skip
def test_wrong_scripts(text: str, where: tuple[int, int], says: str) -> None:
    error = refused(text)
    assert (error.line, error.column) == where
    assert says in str(error)


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ("{promt: []}", "did you mean 'prompt'?"),
        ("{prompt: greeting.wav}", "for example `prompt: [{file: greeting.wav}]`"),
        ("{prompt: [greeting.wav]}", "for example `{file: greeting.wav}`"),
        ("{prompt: [{}]}", "give it one"),
        ("{prompt: [{file: a.wav, pause: 1s}]}", "give it one"),
        ("{prompt: [{file: 5}]}", "not a string"),
        ("{prompt: [{file: ''}]}", "path of a clip"),
        ("{prompt: [{file: /etc/passwd}]}", "not relative"),
        ("{prompt: [{file: '~/a.wav'}]}", "not relative"),
        ("{prompt: [{file: 'C:a.wav'}]}", "not relative"),
        ("{prompt: [{file: 'a\\b.wav'}]}", "not relative"),
        ("{prompt: [{file: a/../../b.wav}]}", "leaves the script's folder"),
        ("{prompt: [{record: }]}", "record is nothing"),
        ("{prompt: [{pause: 5}]}", "300ms, 5s or 3m"),
        ("{prompt: [{pause: 0ms}]}", "from 1ms"),
        ("{prompt: [{pause: -1s}]}", "300ms, 5s or 3m"),
        ("{prompt: [{pause: 0.0001s}]}", "300ms, 5s or 3m"),
        ("{prompt: [{text: Hello, voice: femal}]}", "did you mean 'female'?"),
        ("{prompt: [{text: Hello, voice: anna}]}", "known here: female, male"),
        ("{prompt: [{text: Hello, lang: English}]}", "code of a language"),
        ("{prompt: [{text: Hello, file: a.wav}]}", "make two items of them"),
        ("{prompt: [{text: }]}", "text is nothing"),
        ("{prompt: [{text: '<->'}]}", "write at least one word"),
        ("{prompt: [{text: [Hello]}]}", "text is a list"),
        ("{prompt: [{text: " + "a" * 5001 + "}]}", "keep it to 5000"),
        ("{prompt: [{lang: en}]}", "belongs to a text"),
        ("{prompt: [{file: a.wav, voice: male}]}", "belongs to a text"),
        ("{transfer: '+74951234567'}", "not a mapping"),
        ("{transfer: {}}", "does not say to whom"),
        ("{transfer: {to: []}}", "empty list"),
        ("{transfer: {to: '12'}}", "3 to 15 digits"),
        ("{transfer: {to: '8 (495) 123-45-67'}}", "3 to 15 digits"),
        ("{transfer: {to: [74951234567, office]}}", "'office' is no telephone number"),
        ("{transfer: {to: {number: 5}}}", "to is a mapping"),
        ("{transfer: {to: [" + "101," * 11 + "]}}", "keep it to 10"),
        ("{transfer: {to: 101, caller_id: outgong}}", "did you mean 'outgoing'?"),
        ("{transfer: {to: 101, rings: 5s}}", "did you mean 'ring'?"),
        ("{transfer: {to: 101, ring: 200ms}}", "at least 1s"),
        ("{transfer: {to: 101, ring: 10m}}", "to 300s"),
        ("{transfer: {to: 101, digits: 1w2}}", "up to 40 keys"),
        ("{transfer: {to: 101}, gather: {digits: 1}}", "exclude each other"),
        ("{transfer: {to: 101}, on: {done: manager}}", "`ended` or `failed`"),
        ("{transfer: {to: 101}, on: {silence: manager}}", "needs a `gather`"),
        ("{transfer: {to: 101}, on: {buzy: manager}}", "did you mean 'busy'?"),
        ("{interrupt: digit}", "did you mean 'digits'?"),
        ("{interrupt: }", "interrupt is nothing"),
        ("{gather: {}}", "how many digits"),
        ("{gather: 1}", "not a mapping"),
        ("{gather: {digits: 0}}", "whole number from 1"),
        ("{gather: {digits: 1.5}}", "whole number"),
        ("{gather: {digits: '1'}}", "whole number"),
        ("{gather: {digits: true}}", "whole number"),
        ("{gather: {digits: 1, max: 2}}", "exclude each other"),
        ("{gather: {min: 2}}", "how many digits"),
        ("{gather: {min: 3, max: 2}}", "min cannot be above max"),
        ("{gather: {digits: 1, terminator: '##'}}", "one key"),
        ("{gather: {digits: 1, tries: 0}}", "whole number"),
        ("{gather: {digits: 1, timout: 3s}}", "did you mean 'timeout'?"),
        ("{tags: welcome}", "not a list"),
        ("{tags: ['a|b']}", "without |"),
        ("{on: [a]}", "not a mapping"),
        ("{on: {done: }}", "a block's name is nothing"),
        ("{on: {done: [manager]}}", "a block's name is a list"),
        ("{on: {don: manager}}", "did you mean 'done'?"),
        ("{on: {ended: manager}}", "needs a `transfer`"),
        ("{on: {silence: manager}}", "needs a `gather`"),
        ("{on: {1: manager}}", "needs a `gather`"),
        ("{on: {voice: manager}}", "interrupt: voice"),
        ("{interrupt: voice, on: {voice: manager}}", "add a `prompt`"),
        ("{gather: {digits: 1}, on: {'12': manager}}", "takes 1 digits"),
        ("{gather: {min: 2, max: 4}, on: {'1': manager}}", "takes 2 to 4 digits"),
        ("{gather: {digits: 1}, on: {'#': manager}}", "terminator: none"),
        ("{gather: {digits: 2}, on: {01: manager}}", 'write "01"'),
        ("{gather: {digits: 1}, on: {*: manager}}", 'written "*"'),
        ("{gather: {digits: 1}, on: {'1': manager, 1: manager}}", "stands twice"),
        ("{gather: {digits: 1}, on: {'1': manager, done: manager}}", "beside strings of digits"),
        ("{gather: {digits: 1}, on: {x: manager}}", "no outcome of block 'a'"),
    ],
)  # fmt: skip
def test_wrong_blocks(block: str, says: str) -> None:
    error = refused(with_block(block))
    assert error.line == 5
    assert says in str(error)


def test_a_terminator_that_became_a_comment_is_told() -> None:
    text = "zvonar: 1\nstart: a\nblocks:\n  a:\n    gather:\n      digits: 1\n      terminator: #\n"
    assert "quotation marks" in refused(text).remedy


@pytest.mark.parametrize("none", ["none", "null", "~"])
def test_no_terminator(none: str) -> None:
    gather = block(f"{{gather: {{digits: 1, terminator: {none}}}, on: {{'#': manager, '*': manager}}}}").gather
    assert gather is not None
    assert gather.terminator is None


def test_a_gather_whose_digits_go_anywhere_has_done() -> None:
    assert block("{gather: {digits: 6}, on: {done: manager, silence: a}}").target("done") == "manager"


def test_aliases_are_pointers() -> None:
    text = "zvonar: 1\nstart: a\nblocks:\n  a: &menu {gather: {digits: 1}, on: {1: b}}\n  b: *menu\n"
    script = parse(text, "s.yaml")
    assert script.block("a").gather == script.block("b").gather


HOSTILE = {
    "laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20)
    ),
    "laughs in tests": "zvonar: 1\nstart: a\nblocks: {a: {prompt: *x}}\ntests:\n - &a [1]\n - &x [*a,*a]\n",
    "itself": "zvonar: 1\nstart: a\nblocks: &b {a: *b}\n",
    "brackets": "[" * 20_000,
    "braces": "{a: " * 2_000,
    "dashes": "- " * 20_000,
    "huge": "zvonar: 1\n" + "#" * 10_000_000,
    "many keys": "\n".join(f"k{i}: {i}" for i in range(9_000)),
    "long word": "a" * 200_000,
    "long alias": "a: *" + "b" * 100_000,
    "question marks": "? " * 5_000,
    "directive": "%YAML 99.99\n---\nzvonar: 1",
    "tag directive": "%TAG ! tag:evil,2000:\n---\nzvonar: !x 1",
    "surrogate": "zvonar: \ud800",
    "escape": 'zvonar: "\\uD800"',
    "merge": "<<: {zvonar: 1}\nstart: a",
    "binary": "zvonar: !!binary aGVsbG8=",
    "set": "!!set {zvonar, start}",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_yaml_is_one_clear_error_and_soon(text: str) -> None:
    began = time.process_time()
    refused(text)
    assert time.process_time() - began < 8


def error_of(text: str) -> ScriptError | None:
    try:
        parse(text, "s.yaml")
    except ScriptError as error:
        return error
    return None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_a_script_or_an_error(text: str) -> None:
    for candidate in (text, with_block(text), WHOLE.replace("confirmed", text, 1)):
        error = error_of(candidate)
        assert error is None or (error.line >= 1 and error.column >= 1)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 12), st.text("{}[]:,\"'#&*!|>-? \n\t019ab", max_size=4))
def test_a_script_with_a_slip_is_a_script_or_an_error(at: int, cut: int, put: str) -> None:
    error = error_of(WHOLE[:at] + put + WHOLE[at + cut :])
    assert error is None or error.line <= WHOLE.count("\n") + 6


def test_plain_data_and_back() -> None:
    script = parse(WHOLE, "appointment.yaml")
    assert restore(dump(script)) == script


@pytest.mark.parametrize("path", sorted(Path("configs/scripts").rglob("*.yaml")), ids=str)
def test_shipped_scripts_and_their_clips(path: Path) -> None:
    script = parse(path.read_text("utf-8"), str(path))
    clips = [item for block in script.blocks for item in block.prompt if isinstance(item, File)]
    assert clips
    assert all((path.parent / clip.path).is_file() for clip in clips)
