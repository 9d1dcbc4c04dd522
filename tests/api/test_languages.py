"""What a program sends, and in which language it is told what is wrong with it; over HTTP."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.store.accounts import Role

CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
# Words that stay as they are in Russian: names of fields and methods, formats, what the request itself holds.
NAMES = re.compile(
    r"`[^`]*`|'[^']*'|\"\{.*\}\"|^[\w.]+:"
    r"|\b(?:JSON|UTF-8|NUL|NaN|multipart/form-data|boundary|Unix|HTTP|apiKey|http://|https://)"
)
LANGUAGES = ["ru", "en", None]


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """One database will do: nothing here depends on which it is."""
    return f"sqlite:///{tmp_path}/zvonar.db"


def ask(client: Any, language: str | None, method: str, **request: Any) -> Any:
    if language is None:
        client.http.headers.pop("accept-language", None)
    else:
        client.http.headers["accept-language"] = language
    path = method if "/" in method else f"/apiCalls/{method}"
    return client.http.post(path, **request)


def in_language(text: str, language: str | None) -> bool:
    """Whether a text is in that language and no other."""
    if language == "en":
        return not CYRILLIC.search(text)
    return bool(CYRILLIC.search(text)) and not re.search("[A-Za-z]{2,}", NAMES.sub("", text))


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_bad_fields(client: Any, language: str | None) -> None:
    wanted = {
        "apiKey": client.key, "phone": "79990000001", "record": {"id": "x"}, "ivrs": [5], "needRecognition": 1,
        "timeout": "soon", "webhookUrl": "ftp://a", "webhookParameters": "[1]", "webhookHeaders": {"Host": "x"},
        "startTime": "99", "weekdays": [8], "smartDelay": 1, "label": "x" * 300, "dutyPhone": 2, "plannedAt": -1,
    }  # fmt: skip
    answer = ask(client, language, "create", json=wanted)
    assert answer.status_code == 422
    assert "Accept-Language" in answer.headers["vary"].split(", ")
    assert answer.headers["content-language"] == (language or "ru")
    data = answer.json()["data"]
    assert len(data["errors"]) == 13
    for told in [data["message"], *(text for texts in data["errors"].values() for text in texts)]:
        assert in_language(told, language), told


def test_refused_callees(client: Any, language: str | None) -> None:
    record = client.record()
    ask(client, language, "/apiBlacklist/addPhonesFromApi", json={"apiKey": client.key, "phones": ["79990000007"]})
    phones = ["79990000001", "79990000007", "abc", "123", "0" * 11]
    wanted = {"apiKey": client.key, "phones": phones, "dutyPhone": 1, "record": record}
    wanted["plannedAt"] = int(time.time()) + 900
    answer = ask(client, language, "create", json=wanted)
    assert answer.status_code == 200
    told = [element["message"] for element in answer.json()["data"] if element.get("status") == "error"]
    assert len(told) == 4
    assert all(in_language(text, language) for text in told), told
    wanted["phones"] = phones[1:]
    data = ask(client, language, "create", json=wanted).json()["data"]
    assert len(data["errors"]["phones"]) == 4
    assert all(in_language(text, language) for text in [data["message"], *data["errors"]["phones"]]), data


def test_no_money(running: Any, language: str | None) -> None:
    client = running.client("poor", balance="0")
    wanted = {"apiKey": client.key, "phone": "79990000001", "dutyPhone": 1, "record": client.record()}
    data = ask(client, language, "create", json=wanted).json()["data"]
    assert data["code"] == "balance_low"
    assert in_language(data["message"], language), data


@pytest.mark.parametrize(
    ("content", "russian", "english"),
    [
        (b'{"a":', "нет значения, строка 1, столбец 6", "a value is missing, line 1, column 6"),
        (b'{"a" 1}', "нет двоеточия, строка 1, столбец 6", "a colon is missing, line 1, column 6"),
        (b'{"a": 1\n"b"}', "нет запятой, строка 2, столбец 1", "a comma is missing, line 2, column 1"),
        (b"{a: 1}", "нет имени поля в двойных кавычках, строка 1, столбец 2",
         "a field's name in double quotes is missing, line 1, column 2"),
        (b'{} "b"', "после конца идёт что-то ещё, строка 1, столбец 4",
         "something follows the end, line 1, column 4"),
        (b'{"a": "b', "у текста нет закрывающей кавычки, строка 1, столбец 7",
         "a text has no closing quote, line 1, column 7"),
        (b'{"a": "\n"}', "в тексте есть перевод строки или другой управляющий символ, строка 1, столбец 8",
         "a text holds a line break or another control character, line 1, column 8"),
        (rb'{"a": "\x"}', "обратная косая черта стоит перед недопустимым символом, строка 1, столбец 8",
         "a backslash stands before what it cannot stand before, line 1, column 8"),
        (rb'{"a": "\u12"}', "обратная косая черта стоит перед недопустимым символом, строка 1, столбец 9",
         "a backslash stands before what it cannot stand before, line 1, column 9"),
        (b'{"a": NaN}', "NaN — не число", "NaN is no number"),
    ],
)  # fmt: skip
def test_no_json(client: Any, content: bytes, russian: str, english: str) -> None:
    for language, reason in (("ru", russian), ("en", english)):
        answer = ask(client, language, "get", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 400
        before = "The body is not JSON: " if language == "en" else "Тело запроса — не JSON: "
        assert answer.json()["data"]["message"] == before + reason


@pytest.mark.parametrize(
    "content",
    [b"[1]", b"1", b"{} {}", b"[" * 100_000, b'{"a":' * 50 + b"1" + b"}" * 50, b"1" * 5000, b"\xff\xfe",
     b'{"a": "\\u0000"}', b'{"a": "\\ud800"}', b'{"a": 1,}', b"{"],
)  # fmt: skip
def test_bodies_that_no_request_has(client: Any, content: bytes, language: str | None) -> None:
    answer = ask(client, language, "get", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    assert in_language(answer.json()["data"]["message"], language), answer.text


def _part(disposition: str, content: str = "x") -> str:
    return f"--b\r\nContent-Disposition: form-data{disposition}\r\n\r\n{content}\r\n"


FILES = "".join(_part(f'; name="f{number}"; filename="a"') for number in range(11))


@pytest.mark.parametrize(
    ("kind", "content", "russian"),
    [
        ("multipart/form-data", "--b--", "в заголовке не указан boundary"),
        ("multipart/form-data; boundary=b", "--b\r\n", "оно оборвано"),
        ("multipart/form-data; boundary=b", _part("") + "--b--\r\n", "у одной из частей нет имени"),
        ("multipart/form-data; boundary=b", FILES + "--b--\r\n", "слишком много файлов, допустимо: 10"),
        ("multipart/form-data; boundary=b", _part('; name="a"') * 60_001 + "--b--\r\n",
         "слишком много полей, допустимо: 60000"),
        ("multipart/form-data; boundary=b", _part('; name="a"', "x" * (8 << 20) + "x") + "--b--\r\n",
         "одно из полей больше 8 МБ"),
        ("multipart/form-data; boundary=b", "garbage--", "оно повреждено"),
    ],
    ids=["boundary", "cut", "name", "files", "fields", "size", "damaged"],
)  # fmt: skip
def test_no_form(client: Any, kind: str, content: str, russian: str) -> None:
    for language in LANGUAGES:
        answer = ask(client, language, "createRecord", content=content.encode(), headers={"content-type": kind})
        assert answer.status_code == 400, answer.text
        message = answer.json()["data"]["message"]
        assert in_language(message, language), message
        assert language == "en" or message.endswith(": " + russian), message


def test_clips(client: Any, language: str | None) -> None:
    for content in (b"", b"no sound at all", bytes(100_000)):
        form = {"data": {"apiKey": client.key}, "files": {"file": ("1.wav", content)}}
        answer = ask(client, language, "createRecord", **form)
        assert answer.status_code == 422
        data = answer.json()["data"]
        assert data["code"].startswith("clip_")
        formats = "WAV|MP3|OGG|Opus|FLAC|WebM|M4A|AAC|AMR|file: 1.wav|1.wav"
        for text in (data["message"], *data["errors"]["file"]):
            assert in_language(re.sub(formats, "", text), language), text


def test_moderator(running: Any, language: str | None) -> None:
    client = running.client("mod", role=Role.MODERATOR)
    for kind in ("account", "record"):
        wanted = {"apiKey": client.key, "kind": kind, "id": 999_999, "comment": "?"}
        data = ask(client, language, "/moderation/reject", json=wanted).json()["data"]
        assert in_language(data["message"], language), data
    data = ask(client, language, "/moderation/reject", json={"apiKey": client.key, "kind": "x"}).json()["data"]
    assert in_language(data["message"], language), data


def test_try_of_a_webhook_that_failed(running: Any, client: Any, language: str | None) -> None:
    made = client.create(client.record(), webhookUrl="http://127.0.0.1:1/")
    client.until_over(made["id"])
    until = time.monotonic() + 10
    tries: list[dict[str, Any]] = []
    while not tries and time.monotonic() < until:
        answer = ask(client, language, "/webhooks/list", json={"apiKey": client.key})
        tries = [tried for webhook in answer.json()["data"] for tried in webhook["attempts"]]
        time.sleep(0.02)
    assert tries[0]["status"] is None
    said = "no connection came about" if language == "en" else "не удалось соединиться с сервером"
    assert tries[0]["answer"] == said


def test_service_that_ends(running: Any, language: str | None) -> None:
    running.service._ending = True
    headers = {} if language is None else {"accept-language": language}
    answer = httpx2.get(f"{running.url}/readyz", headers=headers, trust_env=False)
    assert answer.status_code == 503
    assert in_language(answer.json()["problem"], language)


def test_where_no_method_is(client: Any, language: str | None) -> None:
    for answer in (ask(client, language, "nothing"), ask(client, language, "get"), client.http.get("/apiCalls/get")):
        assert answer.status_code in (404, 401, 405)
        assert in_language(answer.json()["data"]["message"], language), answer.text
