"""YAML -> `Script`. What the words mean and every default: `ivr/README.md`.

Every error names the line and column of what is wrong, and what to write instead. Files are not looked at here:
whether a clip exists is found out by who has its folder.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath

from ivr import plain, transfer
from ivr.model import Block, File, Gather, Interrupt, Limits, Pause, PromptItem, Record, Script, Text
from ivr.outcomes import check_outcomes
from ivr.value import ScriptError, Value, compose, did_you_mean

__all__ = ["ScriptError", "dump", "parse", "restore"]

dump, restore = plain.dump, plain.restore

MAX_BLOCKS = 1000
MAX_ITEMS = 50  # of one prompt
MAX_DIGITS = 64  # of one gather
MAX_TEXT = 5000  # characters of a text
MAX_TRIES = 20
MAX_VISITS = 100
MAX_WAIT_MS = 10 * 60_000  # a pause, a timeout
MAX_DURATION_MS = 4 * 3_600_000

_SCRIPT_KEYS = ("zvonar", "name", "start", "limits", "blocks", "tests")
_BLOCK_KEYS = ("prompt", "interrupt", "gather", "transfer", "on", "tags")
_GATHER_KEYS = ("digits", "min", "max", "terminator", "timeout", "between", "tries")
_ITEM_KEYS = ("file", "record", "text", "pause")
_TEXT_KEYS = ("text", "voice", "lang")
VOICES = ("female", "male")
_LANG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,4}")
_TERMINATORS = "0123456789*#ABCD"


def parse(text: str, source: str) -> Script:
    """The script in `text`; `source` is its file's name, for errors. Raises ScriptError."""
    root = compose(text, source)
    fields = root.fields("the script", "`zvonar: 1`", _SCRIPT_KEYS)
    for name in ("zvonar", "start", "blocks"):
        if name not in fields:
            raise root.wrong(f"{name!r} is required", "add it at the top of the script")
    version = fields["zvonar"][1]
    if version.raw("zvonar") != "1":
        raise version.wrong(f"version {version.shown} of the language is not known", "write `zvonar: 1`")
    if "tests" in fields:
        fields["tests"][1].items("tests", "`tests: [{given: [answered], expect: {path: [greeting]}}]`", 10_000)
    blocks = _blocks(fields["blocks"][1])
    start = fields["start"][1]
    return Script(
        name=_name(fields["name"][1]) if "name" in fields else PurePosixPath(source).stem or "script",
        start=_existing(start, "start", {block.name for block in blocks}),
        blocks=blocks,
        limits=_limits(fields["limits"][1]) if "limits" in fields else Limits(),
    )


def _name(value: Value) -> str:
    name = value.raw("name")
    if not name.strip() or not name.isprintable() or len(name) > 200:
        raise value.wrong(f"name is {value.shown}", "give it 1 to 200 printable characters")
    return name


def _existing(value: Value, what: str, names: set[str]) -> str:
    name = value.raw(what)
    if name not in names:
        raise value.wrong(f"block {value.shown} does not exist", did_you_mean(name, names))
    return name


def _limits(value: Value) -> Limits:
    fields = value.fields("limits", "`limits: {duration: 10m, visits: 20}`", ("duration", "visits"))
    limits = Limits()
    return Limits(
        duration_ms=fields["duration"][1].time_ms("duration", MAX_DURATION_MS)
        if "duration" in fields
        else limits.duration_ms,
        visits=fields["visits"][1].whole("visits", 1, MAX_VISITS) if "visits" in fields else limits.visits,
    )


def _blocks(value: Value) -> tuple[Block, ...]:
    pairs = value.pairs("blocks", "`blocks: {greeting: {prompt: [{file: greeting.wav}]}}`", MAX_BLOCKS)
    if not pairs:
        raise value.wrong("blocks is empty", "give it the block that `start` names")
    names = {_block_name(key) for key, _ in pairs}
    return tuple(_block(str(key.node.value), body, names) for key, body in pairs)


def _block_name(key: Value) -> str:
    name = key.raw("a block's name")
    if not name or not name.isprintable() or any(character.isspace() for character in name) or len(name) > 100:
        raise key.wrong(f"{key.shown} is no name for a block", "use up to 100 letters, digits, - and _, no blanks")
    return name


def _block(name: str, value: Value, names: set[str]) -> Block:
    if value.is_null():
        raise value.wrong(f"block {name!r} says nothing", f"write `{name}: {{}}` for a block that only hangs up")
    fields = value.fields(f"block {name!r}", "`{prompt: [{file: greeting.wav}]}`", _BLOCK_KEYS)
    if "transfer" in fields and "gather" in fields:
        key = max((fields[name][0] for name in ("transfer", "gather")), key=lambda at: at.node.start_mark.index)
        raise key.wrong("'transfer' and 'gather' exclude each other", "gather in a block of its own that leads here")
    prompt = _prompt(fields["prompt"][1]) if "prompt" in fields else ()
    gather = _gather(fields["gather"][1]) if "gather" in fields else None
    interrupt = Interrupt.DIGITS if gather else Interrupt.NONE
    if "interrupt" in fields:
        interrupt = _interrupt(fields["interrupt"][1])
    block = Block(
        name,
        prompt,
        interrupt,
        gather,
        tags=_tags(fields["tags"][1]) if "tags" in fields else (),
        transfer=transfer.read(fields["transfer"][1]) if "transfer" in fields else None,
    )
    if "on" not in fields:
        return block
    on = fields["on"][1].pairs("on", '`on: {"1": confirmed, silence: goodbye}`', 10_000)
    check_outcomes(block, [key for key, _ in on])
    targets = tuple((str(key.node.value), _existing(target, "a block's name", names)) for key, target in on)
    return replace(block, on=targets)


def _interrupt(value: Value) -> Interrupt:
    # A lone `none` is a word here; YAML's null is not.
    name = value.raw("interrupt")
    if name not in list(Interrupt):
        raise value.wrong(f"interrupt is {value.shown}", did_you_mean(name, [mode.value for mode in Interrupt]))
    return Interrupt(name)


def _tags(value: Value) -> tuple[str, ...]:
    items = value.items("tags", "`tags: [welcome]`", 100)
    tags = tuple(item.raw("a tag") for item in items)
    for item, tag in zip(items, tags, strict=True):
        if not tag or not tag.isprintable() or "|" in tag or len(tag) > 100:
            raise item.wrong(f"{item.shown} is no tag", "use up to 100 printable characters without |")
    return tags


def _prompt(value: Value) -> tuple[PromptItem, ...]:
    return tuple(_item(item) for item in value.items("prompt", "`prompt: [{file: greeting.wav}]`", MAX_ITEMS))


def _item(value: Value) -> PromptItem:
    fields = value.fields("an item of prompt", "`{file: greeting.wav}`", (*_ITEM_KEYS, "voice", "lang"))
    if "text" in fields:
        return _text(fields)
    for name in ("voice", "lang"):
        if name in fields:
            raise fields[name][0].wrong(f"{name!r} belongs to a text", "remove it, or write `{text: Hello}`")
    if len(fields) != 1:
        raise value.wrong(f"an item of prompt has {len(fields)} keys", "give it one: file, record, text or pause")
    ((name, (_, content)),) = fields.items()
    match name:
        case "file":
            return File(_path(content))
        case "record":
            return Record(_record(content))
        case _:
            return Pause(content.time_ms("pause", MAX_WAIT_MS))


def _text(fields: dict[str, tuple[Value, Value]]) -> Text:
    for name, (key, _) in fields.items():
        if name not in _TEXT_KEYS:
            raise key.wrong(f"'text' and {name!r} exclude each other", "make two items of them")
    content = fields["text"][1]
    text = content.raw("text")
    if len(text) > MAX_TEXT:
        raise content.wrong(f"the text has {len(text)} characters", f"keep it to {MAX_TEXT}")
    if not any(map(str.isalnum, text)):
        raise content.wrong(f"text is {content.shown}", "write at least one word")
    default = Text(text)
    return Text(
        text,
        voice=_voice(fields["voice"][1]) if "voice" in fields else default.voice,
        lang=_lang(fields["lang"][1]) if "lang" in fields else default.lang,
    )


def _voice(value: Value) -> str:
    voice = value.raw("voice")
    if voice not in VOICES:
        raise value.wrong(f"voice is {value.shown}", did_you_mean(voice, VOICES))
    return voice


def _lang(value: Value) -> str:
    # `no`, Norwegian, is a word in YAML 1.2.
    lang = value.raw("lang")
    if not _LANG.fullmatch(lang):
        raise value.wrong(f"lang is {value.shown}", "give the code of a language, for example ru or en-GB")
    return lang


def _path(value: Value) -> str:
    path = value.text("file", "`{file: greeting.wav}`")
    parts = path.split("/")
    if not path.strip() or not path.isprintable() or len(path) > 1000:
        raise value.wrong(f"file is {value.shown}", "give the path of a clip, for example greeting.wav")
    if path.startswith(("/", "~")) or "\\" in path or (len(path) > 1 and path[1] == ":"):
        raise value.wrong(f"{value.shown} is not relative to the script", "put the clip beside it: clips/greeting.wav")
    if ".." in parts:
        raise value.wrong(f"{value.shown} leaves the script's folder", "put the clip into that folder")
    return path


def _record(value: Value) -> str:
    record = value.raw("record")
    if not record or not record.isprintable() or len(record) > 100:
        raise value.wrong(f"record is {value.shown}", "give the id of a record, for example 17")
    return record


def _gather(value: Value) -> Gather:
    fields = value.fields("gather", "`gather: {digits: 1}`", _GATHER_KEYS)
    default = Gather()
    low, high = _counts(value, fields)
    return Gather(
        min=low,
        max=high,
        terminator=_terminator(fields["terminator"][1]) if "terminator" in fields else default.terminator,
        timeout_ms=_wait(fields, "timeout", default.timeout_ms),
        between_ms=_wait(fields, "between", default.between_ms),
        tries=fields["tries"][1].whole("tries", 1, MAX_TRIES) if "tries" in fields else default.tries,
    )


def _wait(fields: dict[str, tuple[Value, Value]], name: str, default_ms: int) -> int:
    return fields[name][1].time_ms(name, MAX_WAIT_MS) if name in fields else default_ms


def _counts(value: Value, fields: dict[str, tuple[Value, Value]]) -> tuple[int, int]:
    if "digits" in fields:
        for name in ("min", "max"):
            if name in fields:
                raise fields[name][0].wrong(f"{name!r} and 'digits' exclude each other", "keep one of the two")
        count = fields["digits"][1].whole("digits", 1, MAX_DIGITS)
        return count, count
    if "max" not in fields:
        raise value.wrong("gather does not say how many digits", "write `digits: 1`, or `min: 1, max: 4`")
    high = fields["max"][1].whole("max", 1, MAX_DIGITS)
    low = fields["min"][1].whole("min", 1, MAX_DIGITS) if "min" in fields else 1
    if low > high:
        raise fields["min"][1].wrong(f"min is {low} and max is {high}", "min cannot be above max")
    return low, high


def _terminator(value: Value) -> str | None:
    if value.is_null() and not str(value.node.value):
        raise value.wrong("terminator is empty", 'write terminator: "#" in quotation marks, or none')
    if value.is_null() or value.raw("terminator") == "none":
        return None
    key = value.raw("terminator")
    if len(key) != 1 or key not in _TERMINATORS:
        raise value.wrong(f"terminator is {value.shown}", 'give one key, for example "#", or none')
    return key
