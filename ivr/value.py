"""A place in a YAML document and what stands there; whatever is wrong with it becomes one `ScriptError`.

The document is only composed (YAML 1.2, ruamel.yaml), never constructed: no object of the reader's choosing
comes to life, and an alias is a pointer, so one that multiplies itself costs nothing until somebody walks it, and
the readers here walk no deeper than the language goes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

MAX_CHARACTERS = 256 * 1024  # of a script; the longest sensible one is a tenth of it
SHOWN_CHARACTERS = 40  # of a value that an error quotes

_TAG = "tag:yaml.org,2002:"
_KNOWN_TAGS = frozenset(_TAG + kind for kind in ("str", "int", "float", "bool", "null", "map", "seq"))
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000}
_TIME = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)(ms|s|m)", re.ASCII)


class ScriptError(Exception):
    """A script that cannot be used. Lines and columns count from 1; `str()` is one line for a person."""

    def __init__(self, file: str, line: int, column: int, message: str, remedy: str) -> None:
        super().__init__(f"{file}:{line}:{column}: {message}; {remedy}")
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.remedy = remedy


def did_you_mean(word: str, known: Iterable[str], none: str = "there is nothing to name") -> str:
    """The remedy for a word that is not among the known ones."""
    names = sorted(known)
    near = difflib.get_close_matches(word[:SHOWN_CHARACTERS], names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    if not names:
        return none
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"known here: {listed}"


@dataclass(frozen=True, slots=True)
class Value:
    """A node with its file; every reader raises `ScriptError` at the node's own position."""

    file: str
    node: Node

    def wrong(self, message: str, remedy: str) -> ScriptError:
        """The error that this place deserves; to be raised by the caller."""
        mark = self.node.start_mark
        return ScriptError(self.file, mark.line + 1, mark.column + 1, message, remedy)

    @property
    def shown(self) -> str:
        """The value, short enough for an error."""
        if isinstance(self.node, MappingNode):
            return "a mapping"
        if isinstance(self.node, SequenceNode):
            return "a list"
        if self.node.tag == _TAG + "null":
            return "nothing"
        text = str(self.node.value)
        return repr(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "...")

    @property
    def quoted(self) -> bool:
        """It is a scalar in quotation marks."""
        return isinstance(self.node, ScalarNode) and self.node.style in ("'", '"')

    def is_null(self) -> bool:
        """Nothing stands here, or `null`."""
        return self._tag("null")

    def is_list(self) -> bool:
        """A list stands here."""
        return isinstance(self.node, SequenceNode)

    def raw(self, what: str) -> str:
        """The text of any scalar as it is written, quoted or not; for names and digits."""
        if not isinstance(self.node, ScalarNode) or self.is_null():
            raise self.wrong(f"{what} is {self.shown}", "write a word")
        self._check_tag()
        return str(self.node.value)

    def text(self, what: str, example: str) -> str:
        """A string."""
        if not self._tag("str"):
            raise self.wrong(f"{what} is {self.shown}, not a string", f"for example {example}")
        return str(self.node.value)

    def whole(self, what: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`."""
        written = str(self.node.value) if self._tag("int") else ""
        if not (written.isascii() and written.isdigit() and len(written) < 10 and low <= int(written) <= high):
            raise self.wrong(f"{what} is {self.shown}", f"give a whole number from {low} to {high}")
        return int(written)

    def time_ms(self, what: str, high_ms: int) -> int:
        """A time such as `300ms`, `5s` or `3m`, above zero, as whole milliseconds."""
        match = _TIME.fullmatch(str(self.node.value)) if isinstance(self.node, ScalarNode) else None
        if match is None:
            raise self.wrong(f"{what} is {self.shown}, not a time", "write it like 300ms, 5s or 3m")
        ms = round(float(match[1]) * _UNIT_MS[match[2]], 6)
        if not ms.is_integer() or not 1 <= ms <= high_ms:
            raise self.wrong(f"{what} is {self.shown}", f"give a time from 1ms to {high_ms // 1000}s")
        return int(ms)

    def items(self, what: str, example: str, high: int) -> list[Value]:
        """The elements of a list of at most `high`."""
        if not isinstance(self.node, SequenceNode):
            raise self.wrong(f"{what} is {self.shown}, not a list", f"for example {example}")
        self._check_tag()
        if len(self.node.value) > high:
            raise self.wrong(f"{what} has {len(self.node.value)} elements", f"keep it to {high}")
        return [Value(self.file, node) for node in self.node.value]

    def pairs(self, what: str, example: str, high: int) -> list[tuple[Value, Value]]:
        """The keys and values of a mapping of at most `high`; keys are scalars and differ as written."""
        if not isinstance(self.node, MappingNode):
            raise self.wrong(f"{what} is {self.shown}, not a mapping", f"for example {example}")
        self._check_tag()
        if len(self.node.value) > high:
            raise self.wrong(f"{what} has {len(self.node.value)} entries", f"keep it to {high}")
        seen: dict[str, int] = {}
        pairs = [(Value(self.file, key), Value(self.file, value)) for key, value in self.node.value]
        for key, _ in pairs:
            name = key.raw(f"a key of {what}")
            if name in seen:
                raise key.wrong(f"{name!r} stands twice (first on line {seen[name]})", "remove one of them")
            seen[name] = key.node.start_mark.line + 1
        return pairs

    def fields(self, what: str, example: str, known: Collection[str]) -> dict[str, tuple[Value, Value]]:
        """The entries of a mapping whose keys are known: name -> (key, value)."""
        found: dict[str, tuple[Value, Value]] = {}
        for key, value in self.pairs(what, example, 1000):
            name = str(key.node.value)
            if name not in known:
                raise key.wrong(f"unknown key {key.shown} in {what}", did_you_mean(name, known))
            found[name] = key, value
        return found

    def _tag(self, kind: str) -> bool:
        self._check_tag()
        return isinstance(self.node, ScalarNode) and self.node.tag == _TAG + kind

    def _check_tag(self) -> None:
        if self.node.tag not in _KNOWN_TAGS:
            raise self.wrong(f"the tag {str(self.node.tag)[:SHOWN_CHARACTERS]!r} is no part of a script", "remove it")


def compose(text: str, file: str) -> Value:
    """The root of the one document in `text`."""
    if len(text) > MAX_CHARACTERS:
        remedy = f"keep it to {MAX_CHARACTERS // 1024} KiB"
        raise ScriptError(file, 1, 1, f"the script has {len(text)} characters", remedy)
    try:
        yaml: Any = YAML(typ="safe", pure=True)
        node = yaml.compose(text)
    except ReaderError as error:
        raise _unreadable(text, file, error) from error
    except MarkedYAMLError as error:
        raise _broken(file, error) from error
    except RecursionError as error:
        raise ScriptError(file, 1, 1, "the YAML is nested too deeply", "a script needs six levels") from error
    except (YAMLError, ValueError, AssertionError, AttributeError, IndexError, KeyError, TypeError) as error:
        # The parser itself stumbles over some rubbish (directives of versions that do not exist, for example).
        raise ScriptError(file, 1, 1, "this is no YAML 1.2", "see ivr/README.md for what a script is") from error
    if node is None:
        raise ScriptError(file, 1, 1, "the script is empty", "begin with `zvonar: 1`")
    return Value(file, node)


def _unreadable(text: str, file: str, error: ReaderError) -> ScriptError:
    # The reader does not count positions over its chunks reliably; the character is what it is sure of.
    character = error.character if isinstance(error.character, str) else chr(error.character)
    before = text[: max(text.find(character), 0)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return ScriptError(file, line, column, f"the character U+{ord(character):04X} cannot stand here", "remove it")


def _broken(file: str, error: MarkedYAMLError) -> ScriptError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    problem = " ".join((error.problem or error.context or "broken YAML").split())[:200]
    remedy = "check the indentation, brackets and quotation marks here and just above"
    if "\\t" in problem:
        remedy = "indent with blanks instead of tabs"
    elif "alias" in problem or "anchor" in problem:
        remedy = 'a star that means the key is written "*", in quotation marks'
    elif "another document" in problem:
        remedy = "keep one script a file"
    return ScriptError(file, line, column, f"broken YAML: {problem}", remedy)
