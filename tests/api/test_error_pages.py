"""`/errors` and `/errors/CODE`, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.messages import Message
from api.problems import PROBLEMS, Code

MAX_BYTES = 10_000
VOID = {"meta"}


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """One database will do: nothing here depends on which it is."""
    return f"sqlite:///{tmp_path}/zvonar.db"


class Page(HTMLParser):
    """What a reader sees of a page, what it loads, and whether its elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.kinds: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.style = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.kinds.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text += data

    @property
    def links(self) -> list[str]:
        return [value or "" for name, value in self.attributes if name in ("href", "src", "action")]


def get(running: Any, path: str, language: str | None = None, method: str = "GET") -> httpx2.Response:
    headers = {} if language is None else {"accept-language": language}
    with httpx2.Client(base_url=running.url, trust_env=False) as http:
        return http.request(method, path, headers=headers)


def plain(text: str, language: str) -> str:
    return Message(text).render(language).replace("`", "")


def check(answer: httpx2.Response, language: str) -> Page:
    """What holds for every page."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == language
    assert "Accept-Language" in answer.headers["vary"].split(", ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.content) < MAX_BYTES
    page = Page(answer.text)
    assert ("lang", language) in page.attributes
    assert "script" not in page.kinds
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert all(re.fullmatch(r"(\.\./)?errors(/[a-z_]+)?", link) for link in page.links)
    assert "url(" not in page.style
    assert "@import" not in page.style
    policy = answer.headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "unsafe" not in policy
    assert bool(re.search("[а-яё]", page.text)) == (language == "ru")
    return page


def test_every_code_has_its_page_in_both_languages(running: Any) -> None:
    assert set(PROBLEMS) == set(Code)
    for code, problem in PROBLEMS.items():
        for language in ("ru", "en"):
            page = check(get(running, f"/errors/{code}", language), language)
            for text in (problem.title, *problem.causes, problem.remedy):
                assert plain(text, language) in page.text
            assert f"HTTP {problem.status}" in page.text
            assert code in page.text
            assert "`" not in page.text


@pytest.mark.parametrize(("asked", "language"), [(None, "ru"), ("en-GB,en;q=0.9", "en"), ("de", "en"), ("*", "ru")])
def test_language(running: Any, asked: str | None, language: str) -> None:
    check(get(running, "/errors/internal", asked), language)


def test_index_leads_to_every_page(running: Any) -> None:
    for language in ("ru", "en"):
        page = check(get(running, "/errors", language), language)
        assert page.links == [f"errors/{code}" for code in PROBLEMS]
        assert all(plain(problem.title, language) in page.text for problem in PROBLEMS.values())


def test_head(running: Any) -> None:
    for path in ("/errors", "/errors/internal"):
        shown, head = get(running, path), get(running, path, method="HEAD")
        assert head.status_code == 200
        assert head.content == b""
        assert head.headers["content-length"] == str(len(shown.content))
        assert head.headers["content-security-policy"] == shown.headers["content-security-policy"]


@pytest.mark.parametrize(
    "code", ["nothing", "INTERNAL", "internal/", "%3Cscript%3E", "..%2f..%2fetc", "a" * 5000, "%00"]
)
def test_unknown_code(running: Any, code: str) -> None:
    for language, word in (("ru", "нет"), ("en", "no such")):
        answer = get(running, f"/errors/{code}", language)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"
        assert "Accept-Language" in answer.headers["vary"].split(", ")
        told = answer.json()
        assert told["status"] == "error"
        assert told["data"]["code"] == "not_found"
        assert word in told["data"]["message"]


def test_other_methods(running: Any) -> None:
    answer = get(running, "/errors/internal", "en", method="POST")
    assert answer.status_code == 405
    assert answer.json()["data"]["code"] == "method_wrong"
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
