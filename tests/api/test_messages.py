"""Everything that people read is there in both languages: the templates are found in the code, not listed here."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nodes

import api
from api.failure import Failure
from api.messages import CATALOGUE, ENGLISH, RUSSIAN, Message, language_of
from api.openapi import manual
from api.page import render, words
from api.problems import PROBLEMS
from engine.clips import refusal as clips
from engine.speech import error as speech
from ivr import menu

API = Path(api.__file__).parent
# Whose argument is a template, and which argument that is.
SAYS = {"Message": 0, "Unfit": 0, "bad_field": 1, "Refusal": 1}
# Templates that come from the tables which `written_elsewhere` reads, and messages that were made before.
SEEN_ELSEWHERE = {
    "api/blacklist.py": {"refused[0]['message']"},
    "api/callees.py": {"messages[0]"},
    "api/error_pages.py": {"cause", "problem.title", "problem.remedy"},
    "api/failure.py": {"sentence"},
    "api/prompts.py": {"error.template"},
    "api/record.py": {"message", "missing", "error.refused.template"},
    "api/refusal.py": {"template", "template or PROBLEMS[code].title"},
    "api/fields.py": {"template"},
    "api/page/words.py": {"template"},
    "api/templates.py": {"error.message"},
    "api/speech.py": {"message", "problem", "error.message", "error.refused.template"},
}


def templates_of(path: Path, source: str) -> Iterator[str]:
    """The templates that a file of `api/` hands to one of SAYS; AssertionError for one that cannot be seen."""
    module = ".".join(path.relative_to(API.parent).with_suffix("").parts)
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        place = SAYS.get(name)
        if place is None or len(call.args) <= place or (name == "Message" and "starlette" in ast.unparse(call.func)):
            continue
        yield from _said(call.args[place], module, path)


def _said(given: ast.expr, module: str, path: Path) -> Iterator[str]:
    if isinstance(given, ast.IfExp):
        yield from _said(given.body, module, path)
        yield from _said(given.orelse, module, path)
    elif isinstance(given, ast.Constant):
        yield given.value
    elif isinstance(given, ast.Name) and given.id.isupper():
        yield getattr(importlib.import_module(module), given.id)
    else:
        written = ast.unparse(given)
        # A message that is made right there, and found by this walk for itself.
        made = isinstance(given, ast.Call) and ast.unparse(given.func) in ("Message", "messages.Message")
        known = SEEN_ELSEWHERE.get(str(path.relative_to(API.parent)), set())
        assert made or written in known, f"{path.name}:{given.lineno}: the template {written} cannot be seen"


def written_elsewhere() -> Iterator[tuple[str, str]]:
    """The templates of the tables, and those of menus, each with its file."""
    for problem in PROBLEMS.values():
        for text in (problem.title, *problem.causes, problem.remedy):
            yield "api/problems.py", text
    for text in clips.TEMPLATES.values():
        yield "engine/clips/refusal.py", text
    for reason in Failure:
        yield "api/failure.py", reason.value
    for text in speech.MESSAGES.values():
        yield "engine/speech/error.py", text
    for text in manual.texts():
        yield "api/openapi/manual.py", text
    for raised in ast.walk(ast.parse(inspect.getsource(menu))):
        if isinstance(raised, ast.Call) and ast.unparse(raised.func) == "MenuError":
            assert isinstance(raised.args[1], ast.Constant), ast.unparse(raised)
            yield "ivr/menu.py", raised.args[1].value


def said_on_pages() -> Iterator[tuple[str, str]]:
    """The texts of the page's templates, `_("text")`, and of its scripts, `say("text")`."""
    environment = render.environment(ENGLISH)
    for path in sorted((API / "page" / "templates").rglob("*.html")):
        place = str(path.relative_to(API.parent))
        for call in environment.parse(path.read_text("utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                assert isinstance(call.args[0], nodes.Const), f"{place}:{call.lineno}: the text cannot be seen"
                yield place, call.args[0].value
    for script, texts in words.templates_of_scripts().items():
        source = (words.STATIC / script).read_text("utf-8")
        # Not methods of that name, and not what defines one.
        hidden = re.findall(r"(?<!\.)\bsay\((?!\s*\")[^)]*\)(?!\s*\{)", source)
        assert not hidden, f"{script}: texts that cannot be seen: {hidden}"
        for text in texts:
            yield f"api/page/static/{script}", text


def spoken() -> dict[str, set[str]]:
    """All templates, and the files that say them; but `{field}: {problem}` is the same in every language."""
    found: dict[str, set[str]] = {}
    for place, template in (*written_elsewhere(), *said_on_pages()):
        found.setdefault(template, set()).add(place)
    for path in sorted(API.rglob("*.py")):
        for template in templates_of(path, path.read_text()):
            found.setdefault(template, set()).add(str(path.relative_to(API.parent)))
    return {template: places for template, places in found.items() if any(map(str.isalpha, _words(template)))}


def _fields(template: str) -> list[tuple[str, str, str]]:
    """The placeholders: name, conversion, format."""
    parts = string.Formatter().parse(template)
    return sorted((name, conversion or "", spec or "") for _, name, spec, conversion in parts if name is not None)


def _words(template: str) -> str:
    return "".join(literal for literal, _, _, _ in string.Formatter().parse(template))


def _catalogue() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        return {str(entry.id): str(entry.string) for entry in read_po(file, abort_invalid=True) if entry.id}


SPOKEN = spoken()


def test_templates_are_found() -> None:
    assert len(SPOKEN) > 150
    assert {"is required: what is to be said", "must be an object", "The API key is missing"} <= SPOKEN.keys()


@pytest.mark.parametrize("template", sorted(SPOKEN))
def test_each_is_in_both_languages(template: str) -> None:
    said = _catalogue().get(template, "")
    assert said, "has no translation in api/locale/ru.po"
    assert re.search("[а-яё]", said, re.IGNORECASE)
    assert not re.search("[а-яё]", template, re.IGNORECASE)
    assert _fields(said) == _fields(template)
    assert said.count("`") == template.count("`")
    assert said == said.strip()
    assert said.endswith(".") == template.endswith(".")


def test_nothing_of_the_catalogue_is_unused() -> None:
    assert sorted(_catalogue()) == sorted(SPOKEN)


def test_catalogue_is_what_it_says() -> None:
    with CATALOGUE.open("rb") as file:
        known = read_po(file, abort_invalid=True)
    assert (str(known.locale), known.charset) == ("ru", "utf-8")


def test_template_that_cannot_be_seen_is_refused() -> None:
    path = API / "new.py"
    assert list(templates_of(path, 'raise Unfit("is new")')) == ["is new"]
    assert list(templates_of(path, 'bad_field("phone", "is new" if a else "is old")')) == ["is new", "is old"]
    for hidden in (
        "Message(reason)",
        "Message(str(error))",
        "Unfit(say('x'))",
        'Message(f"is {kind}")',
        'Refusal(Code.INTERNAL, str(error) + ".")',
    ):
        with pytest.raises(AssertionError):
            list(templates_of(path, hidden))


def test_contract_has_a_sentence_of_its_own() -> None:
    from api.speech import NEEDS_MODERATION

    said = Message(NEEDS_MODERATION).render(RUSSIAN)
    assert said == "Для генерации роликов требуется снять модерацию с аккаунта. Свяжитесь с менеджером"


def test_message_within_a_message_is_in_the_same_language() -> None:
    inner = Message("is longer than {most} characters", most=200)
    message = Message("{field}: {problem}", field="label", problem=inner)
    assert message.render(ENGLISH) == str(message) == "label: is longer than 200 characters"
    assert message.render(RUSSIAN) == "label: слишком длинно, допустимо символов: 200"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", RUSSIAN),
        ("ru", RUSSIAN),
        ("ru-RU", RUSSIAN),
        ("RU", RUSSIAN),
        ("*", RUSSIAN),
        ("*;q=0.5", RUSSIAN),
        ("en", ENGLISH),
        ("en-US,en;q=0.9,ru;q=0.1", ENGLISH),
        ("en;q=0.1,ru;q=0.2", RUSSIAN),
        ("en; q=0.8 , ru ; q=0.9", RUSSIAN),
        ("en;q=0", RUSSIAN),
        ("ru;q=0,en;q=0.1", ENGLISH),
        ("ru,en", RUSSIAN),
        ("en,ru", ENGLISH),
        ("de", ENGLISH),
        ("de-DE,de;q=0.9", ENGLISH),
        ("zh-Hant-TW", ENGLISH),
        ("de,ru;q=0.5", RUSSIAN),  # Russian can be given, German cannot
        ("de,ru;q=0.5,en;q=0.7", ENGLISH),
        ("de,*;q=0.5", RUSSIAN),
        ("en;q=0.5,*;q=0.1", ENGLISH),
        ("ru;q=0,*", ENGLISH),
        (";;;,,,q=1", RUSSIAN),
        ("en;q=2", RUSSIAN),
        ("en;q=x", RUSSIAN),
        ("<script>", RUSSIAN),
        ("русский", RUSSIAN),
        ("en," * 100_000, ENGLISH),
        ("x" * 100_000, RUSSIAN),
    ],
)
def test_language_that_is_asked_for(header: str, language: str) -> None:
    assert language_of(header) == language


@given(st.text() | st.from_regex(r"([a-z*]{1,3}(;q=[01](\.[0-9])?)?,?){1,5}"))
def test_any_header_is_one_of_the_two(header: str) -> None:
    assert language_of(header) in (RUSSIAN, ENGLISH)
