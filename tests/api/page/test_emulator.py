"""The emulator's room: the key, the history, the names of fields, and what its page says."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.create_fields import Create
from api.page import field_names, words
from api.page.field_names import Unknown, unknown
from api.page.sandbox_numbers import speakers
from api.store import accounts, sent, sessions
from api.store.database import Database
from api.store.sent import Exchange
from engine.sandbox.subscribers import SUBSCRIBERS, subscriber

GOOD, OUTGOING = "79990000001", "79932432781"
EMULATOR = {"zvonar-emulator": "1"}


@pytest.fixture
def browser(running: Any, client: Any) -> Iterator[httpx2.Client]:
    """A browser in which the account of `client` is signed in."""
    service = running.service
    with service.database.write() as db:
        account = accounts.by_key(db, service.database.seal, client.key)
        assert account is not None
        token = sessions.begin(db, service.database.seal, account.id, "127.0.0.1", "test", service.now())
    headers = {"accept-language": "en", "sec-fetch-site": "same-origin"}
    with httpx2.Client(base_url=running.url, timeout=20, headers=headers, cookies={"zvonar": token}) as made:
        yield made


def test_page_shows_the_key_shortened(browser: httpx2.Client, client: Any) -> None:
    page = browser.get("/").text
    assert client.key not in page
    assert f"{client.key[:4]}…{client.key[-4:]}" in page
    assert browser.post("/emulator/key").json() == {"key": client.key}


def test_key_is_for_its_own_page_alone(running: Any, browser: httpx2.Client) -> None:
    assert browser.post("/emulator/key", headers={"sec-fetch-site": "cross-site"}).status_code == 401
    assert browser.get("/emulator/key").status_code in (404, 405)
    asked = httpx2.post(running.url + "/emulator/key", headers={"sec-fetch-site": "same-origin"})
    assert "key" not in asked.text or asked.status_code in (303, 401)


def test_old_key_dies_at_once(browser: httpx2.Client, client: Any) -> None:
    told = browser.post("/emulator/key/renew").json()
    assert told["key"] != client.key
    client.refused("userInfo", 401)
    client.key = told["key"]
    assert client.data("userInfo")["id"]
    assert told["shortened"] == f"{told['key'][:4]}…{told['key'][-4:]}"


def test_page_has_what_the_account_may_use(browser: httpx2.Client) -> None:
    page = unescape(browser.get("/", headers={"accept-language": "ru"}).text)
    for words_of_the_issue in (
        "Номер вызываемого абонента", "Номер отправителя", "(общий)", "Фильтр автоответчиков",
        "Автоматическое определение тишины", "Включить детекцию перебивания робота для первого блока IVR",
        "Использовать исходящий номер из рассылки, при связи с менеджером", "Вебхук по окончании звонка",
        "Теги для блоков голосового меню", "Аудиоролик для рассылки", "Добавить голосовое меню",
        "Внимание! При генерации запроса звонок будет отправлен абоненту", "Сгенерировать запрос",
        "Создание звонка", "Получение информации о звонке", "Получение информации о пользователе",
        "Создание аудиоролика", "Прослушать предварительно", "Сгенерировать API-ключ",
    ):  # fmt: skip
        assert words_of_the_issue in page, words_of_the_issue
    for number in SUBSCRIBERS:
        assert f'data-call="79990000{number}"' in page


def test_what_the_api_refuses_is_grey(browser: httpx2.Client, client: Any) -> None:
    page = browser.get("/").text
    offered = {"robotsBlockEnabled", "detectEndOfSpeech", "voiceDetectionEnabled", "useOutgoingPhoneForManager",
               "needRecording", "needRecognition"}  # fmt: skip
    for name in offered:
        control = page[page.index(f'data-name="{name}"') :].partition(">")[0]
        assert ("disabled" in control) == (name in field_names.unavailable()), name
    for name in field_names.unavailable():
        refused = client.refused("create", phone=GOOD, outgoingPhone=OUTGOING, record={"id": 1}, **{name: 1})
        assert refused["code"] == "option_unavailable"


def test_history_keeps_what_the_page_sent(browser: httpx2.Client, client: Any) -> None:
    record = client.record()
    body = {"phone": GOOD, "outgoingPhone": OUTGOING, "record": {"id": record}, "label": "<b>&'"}
    good = browser.post("/apiCalls/create", json=body, headers=EMULATOR)
    bad = browser.post("/apiCalls/create", json=body | {"timeout": 999}, headers=EMULATOR)
    assert (good.status_code, bad.status_code) == (200, 422)
    later, earlier = browser.get("/emulator/history").json()["sent"]
    assert (earlier["method"], earlier["status"], earlier["body"]) == ("create", 200, body)
    assert json.loads(earlier["reply"]) == good.json()
    assert (later["status"], later["body"]["timeout"]) == (422, 999)
    assert json.loads(later["reply"])["data"]["errors"]["timeout"]
    assert later["took_ms"] >= 0
    browser.post("/emulator/history/clear")
    assert browser.get("/emulator/history").json() == {"sent": [], "more": False}


def test_history_is_of_the_page_alone(browser: httpx2.Client, client: Any) -> None:
    browser.post("/apiCalls/userInfo", json={})
    client.http.post("/apiCalls/userInfo", json={"apiKey": client.key}, headers=EMULATOR)
    browser.post("/apiCalls/userInfo", json={"apiKey": client.key}, headers=EMULATOR)
    assert browser.get("/emulator/history").json()["sent"] == []


def test_file_is_in_the_history_by_its_name(browser: httpx2.Client, sound: Callable[..., bytes]) -> None:
    answer = browser.post(
        "/apiCalls/createRecord", data={"name": "x", "source": "file"}, files={"file": ("a.wav", sound())},
        headers=EMULATOR,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert browser.get("/emulator/history").json()["sent"][0]["body"] == {
        "name": "x",
        "source": "file",
        "file": "a.wav",
    }


def _account(database: Database, name: str) -> int:
    with database.write() as db:
        return accounts.add(db, database.seal, name, now=time.time())[0].id


def test_history_holds_the_latest_of_each_account(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent, "KEPT", 5)
    mine, other = _account(database, "mine"), _account(database, "other")
    with database.write() as db:
        sent.keep(db, other, Exchange("get", "{}", 200, "{}", 1, 0.0))
        for at in range(8):
            sent.keep(db, mine, Exchange("get", "{}", 200, "{}", 1, float(at)))
        page = sent.of(db, mine, None, 3)
        rest = sent.of(db, mine, page[-1].id, 3)
        assert [one.exchange.at for one in page + rest] == [7.0, 6.0, 5.0, 4.0, 3.0]
        assert len(sent.of(db, other, None, 10)) == 1


@pytest.mark.parametrize(
    ("method", "body", "told"),
    [
        ("create", {"apiKey": "x", "phone": 1, "record": {"id": 1}, "ivrs": [{"digit": 1, "record": 5}]}, []),
        ("create", {"phon": 1}, [("phon", "phone")]),
        ("create", {"detect_end_of_speech": 1}, [("detect_end_of_speech", "detectEndOfSpeech")]),
        ("create", {"timeOut": 5, "zzzzzz": 1}, [("timeOut", "timeout"), ("zzzzzz", "")]),
        ("create", {"record": {"txt": "x"}}, [("record.txt", "text")]),
        ("create", {"ivrs": [{"ivrs": [{"digt": 1}]}]}, [("ivrs[0].ivrs[0].digt", "digit")]),
        ("create", {"webhookHeaders": {"phon": "x"}, "webhookParameters": {"any": 1}}, []),
        ("get", {"apiCallIdsList": [1]}, [("apiCallIdsList", "apiCallIdList")]),
        ("userInfo", {"id": 1}, [("id", "")]),
        ("createRecord", {"name": "a", "gendr": 1}, [("gendr", "gender")]),
        ("create", [1], []),
    ],
)  # fmt: skip
def test_unknown_fields_are_named(method: str, body: Any, told: list[tuple[str, str]]) -> None:
    assert unknown(method, body) == [Unknown(*one) for one in told]


def test_no_field_of_the_contract_is_unknown() -> None:
    assert unknown("create", {str(field.alias): None for field in Create.model_fields.values()}) == []


def test_names_are_checked_as_one_types(browser: httpx2.Client) -> None:
    def check(body: str, method: str = "create") -> Any:
        return browser.post("/emulator/check", data={"method": method, "body": body})

    assert check('{"phon": 1}').json() == {"unknown": [{"path": "phon", "meant": "phone"}]}
    assert "line 1" in check('{"phone": }').json()["message"]
    assert check("{}", "nothing").status_code == 404
    assert len(check(json.dumps({f"x{n}": 1 for n in range(500)})).json()["unknown"]) == 50
    assert check("[" * 5000).status_code == 200


def test_last_calls_are_offered(browser: httpx2.Client, client: Any) -> None:
    made = [client.create(client.record())["id"] for _ in range(2)]
    told = browser.get("/emulator/calls").json()["calls"]
    assert [one["id"] for one in told] == made[::-1]
    assert told[0]["phone"] == GOOD


def test_each_subscriber_has_words() -> None:
    told = speakers()
    assert [subscriber(one.phone) for one in told] == list(SUBSCRIBERS.values())
    assert all(one.does.template != "{does}" for one in told), "a new subscriber has no words for people"


# --- the samples: each program really runs, whatever stands in the request -------------------------------------

NASTY = {
    "phone": GOOD, "outgoingPhone": OUTGOING, "dryRun": 1,
    "record": {"text": "Привет, \"мир\" 'и' $HOME `id` \\n \\ %s {x} #{y} 🔔\nвторая строка\ttab <->", "gender": 1},
    "label": "'; echo $(id) \"$x\" \\'", "webhookParameters": json.dumps({"a'b": 'c"d\\'}), "needRecording": False,
    "webhookHeaders": {"X-$Name": "it's"}, "ivrs": [], "weekdays": None,
}  # fmt: skip
RUN = {
    "curl": ("sh", ["sh"]), "python": ("py", ["python3"]), "php": ("php", ["php"]), "javascript": ("js", ["node"]),
}  # fmt: skip


def _sample(language: str, given: dict[str, Any], folder: Path) -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: the samples were NOT written")
    script = f"const s = require({json.dumps(str(words.STATIC / 'code_samples.js'))});\n"
    script += f"process.stdout.write(s[{json.dumps(language)}]({json.dumps(given)}));"
    (folder / "write.js").write_text(script, "utf-8")
    return subprocess.run([node, folder / "write.js"], capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("language", RUN)
def test_samples_run(language: str, running: Any, browser: httpx2.Client, client: Any, tmp_path: Path) -> None:
    ending, command = RUN[language]
    if shutil.which("curl" if language == "curl" else command[0]) is None:
        pytest.skip(f"no {command[0]}: the sample was NOT run")
    given = {"url": running.url + "/apiCalls/create", "body": {"apiKey": client.key, **NASTY}}
    program = tmp_path / f"sample.{ending}"
    program.write_text(_sample(language, given, tmp_path), "utf-8")
    said = subprocess.run([*command, program], capture_output=True, timeout=60, cwd=tmp_path, check=False)
    told = json.loads(said.stdout)
    expected = client.http.post("/apiCalls/create", json=given["body"]).json()
    assert told["status"] == expected["status"], (said.stdout.decode(), said.stderr.decode())
    assert set(told["data"]) == set(expected["data"]) if isinstance(expected["data"], dict) else told["data"]


@pytest.mark.parametrize("language", RUN)
def test_samples_send_exactly_the_request(language: str, receiver: Any, tmp_path: Path) -> None:
    ending, command = RUN[language]
    if shutil.which("curl" if language == "curl" else command[0]) is None:
        pytest.skip(f"no {command[0]}: the sample was NOT run")
    body = NASTY | {"empty": {}, "digits": {"1": "a", "0": "b"}, "deep": [{"x": [1, 2.5, True, None]}]}
    program = tmp_path / f"sample.{ending}"
    program.write_text(_sample(language, {"url": receiver.url, "body": body}, tmp_path), "utf-8")
    subprocess.run([*command, program], capture_output=True, timeout=60, cwd=tmp_path, check=False)
    assert receiver.next() == body


def test_sample_with_a_file_uploads_it(client: Any, sound: Callable[..., bytes], tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl: the sample was NOT run")
    name = 'it\'s "a" $clip.wav'
    (tmp_path / name).write_bytes(sound())
    given = {
        "url": client.url + "/apiCalls/createRecord", "file": name,
        "body": {"apiKey": client.key, "name": "@x;type='y'", "source": "file"},
    }  # fmt: skip
    (tmp_path / "sample.sh").write_text(_sample("curl", given, tmp_path), "utf-8")
    said = subprocess.run(["sh", "sample.sh"], capture_output=True, timeout=60, cwd=tmp_path, check=False)
    assert json.loads(said.stdout)["data"]["name"] == "@x;type='y'", said.stdout
