"""The OpenAPI document is true: it says what the service does, and schemathesis finds no difference."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from api import app
from api.openapi.document import document
from api.openapi.operations import OPERATIONS
from api.problems import Code
from api.store.accounts import Role
from engine.dial import Dial

GOOD, OUTGOING = "79990000001", "79932432781"


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """One kind of database is enough: the document does not know which it is."""
    return f"sqlite:///{tmp_path}/zvonar.db"


def test_is_openapi() -> None:
    OPENAPI_31_VALIDATOR.validate(document())
    told = json.dumps(document())
    for name in document()["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in told  # nothing that nobody needs


def test_has_every_route_and_no_other(running: Any) -> None:
    served = {
        (route.path, verb.lower())
        for route in app.make_app(running.service).routes
        if getattr(route, "include_in_schema", True)  # the page is for people
        for verb in route.methods  # type: ignore[attr-defined]
        if verb != "HEAD"
    }
    assert {(path, verb) for path, verbs in document()["paths"].items() for verb in verbs} == served
    assert OPERATIONS.keys() == app.METHODS.keys()


def test_every_code_is_told_of() -> None:
    told = json.dumps(document()["paths"])
    nowhere = {Code.METHOD_WRONG}  # of what is no operation
    assert {code for code in Code if f"`{code}`: " not in told} == nowhere


def test_examples_work(running: Any) -> None:
    client = running.client(role=Role.MODERATOR)
    told = client.http.get("/openapi.json").json()
    client.record()
    for path, verbs in told["paths"].items():
        for media in verbs.get("post", {}).get("requestBody", {}).get("content", {}).values():
            if "example" in media:
                answer = client.http.post(path, json={"apiKey": client.key, **media["example"]})
                assert answer.status_code == 200, (path, answer.text)


class Truth:
    """A client whose every reply is held against the document."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.document = document()
        self.seen: set[tuple[str, str]] = set()  # paths, and the statuses that came

    def check(self, path: str, verb: str, answer: Any) -> Any:
        replies = self.document["paths"][path][verb]["responses"]
        assert str(answer.status_code) in replies, (path, answer.text)
        content = {name.partition(";")[0]: media for name, media in replies[str(answer.status_code)]["content"].items()}
        content_type = answer.headers["content-type"].partition(";")[0]
        media = content[content_type]
        told = answer.json() if content_type == "application/json" else answer.text
        if media["schema"] != {"type": "string", "format": "binary"}:
            schema = {**media["schema"], "components": self.document["components"]}
            jsonschema_rs.Draft202012Validator(schema).validate(told)
        self.seen.add((path, str(answer.status_code)))
        return told

    def post(self, method: str, status: int = 200, **fields: Any) -> Any:
        path = method if method.startswith("/") else f"/apiCalls/{method}"
        answer = self.client.http.post(path, json={"apiKey": self.client.key, **fields})
        assert answer.status_code == status, answer.text
        return self.check(path, "post", answer)["data"]

    def get(self, path: str, **parts: Any) -> Any:
        return self.check(path, "get", self.client.http.get(path.format(**parts), params={"apiKey": self.client.key}))


def test_replies_are_as_told(running: Any, receiver: Any, end_fact: Any, sound: Any) -> None:
    manager = {"to": "74951234567", "started_at": 1.0, "answered_at": None, "ended_at": 2.0, "status": "busy"}

    def facts(dial: Dial) -> list[dict[str, Any]]:
        recording = None
        if dial.record_to:
            dial.record_to.write_bytes(sound())
            recording = {"path": str(dial.record_to), "state": "saved", "why": "", "started_at": 1.0, "duration_ms": 9}
        return [
            {"type": "dialing"},
            {"type": "answered"},
            {"type": "block", "block": "menu", "tags": ["hello"]},
            {"type": "block", "block": "menu.1", "tags": ["yes"]},
            end_fact(
                answers=["1"], path=["menu", "menu.1"], tags=["hello", "yes"], recording=recording, manager=manager
            ),
        ]

    running.engine.facts = facts
    moderator = running.client("boss", role=Role.MODERATOR)
    truth, new, boss = Truth(running.client()), Truth(running.client("new", moderated=False)), Truth(moderator)
    record = truth.client.record()
    called = {"outgoingPhone": OUTGOING, "record": {"id": record}, "webhookUrl": receiver.url}
    menu = {"ivrs": [{"digit": "1", "id": 7, "tag": "yes", "webhookUrl": receiver.url}], "tag": "hello"}
    made = truth.post(
        "create", phone=GOOD, webhookHeaders={"X-A": 1}, webhookParameters={"a": 1}, needRecording=1, **called, **menu
    )
    number = made[0]["id"]
    truth.post("create", phones=[GOOD, "1"], smartDelay=5, startTime="00:00", endTime="24:00", weekdays=[1], **called)
    truth.post("create", phones=[GOOD, "1"], plannedAt=int(time.time()) + 600, dryRun=1, **called)
    truth.post("create", phone=GOOD, record={"text": "Hello, Anna"}, dutyPhone=1, dryRun=1)
    truth.post("create", 422, phone="1", **called)
    truth.post("create", 401, apiKey="wrong")
    truth.client.until_over(number)
    heard = truth.post("get", apiCallIdList=[number, number + 1])[0]["recordFilePath"]
    truth.get("/recordings/{token}.{kind}", token=heard.rpartition("/")[2].removesuffix(".wav"), kind="wav")
    assert [list(receiver.next())[-1] for _ in range(2)] == ["call", "apiCalls"]
    shown = truth.post("/webhooks/list")
    assert [kept["kind"] for kept in shown] == ["end", "block"]
    assert shown[1]["attempts"]  # they come in order: the second one has come, so the first is settled
    truth.post("/webhooks/resend", idList=[shown[0]["id"]])
    planned = truth.post("create", phone=GOOD, plannedAt=int(time.time()) + 600, **called)[0]["id"]
    truth.post("deleteRecord", 409, id=record)
    assert truth.post("remove", idList=[planned])
    spoken = truth.post("createRecord", text="Hello, +Anna", name="x")
    assert truth.post("deleteRecord", id=spoken["id"])["recordText"]
    saved = truth.post("saveTemplate", name="one", **called, **menu)["id"]
    assert truth.post("getTemplates")
    by_template = truth.post("createWithTemplate", templateId=saved, phones=[GOOD, "1"])
    assert truth.post("getWithTemplates", apiCallIdList=[by_template[0]["id"]])
    truth.post("createWithTemplate", 422, templateId=999, phone=GOOD)
    truth.post("/apiBlacklist/addPhonesFromApi", phones=[{"phone": GOOD, "comment": "no"}, "1"])
    for method in ("userInfo", "getPhones", "getRecords"):
        assert truth.post(method)
    new.client.record()
    new.post("createRecord", 422, text="Hello")
    new.post("/moderation/list", 403)
    waiting = boss.post("/moderation/list")
    assert {kept["kind"] for kept in waiting} == {"account", "record"}
    for kept in waiting:
        boss.post("/moderation/reject", kind=kept["kind"], id=kept["id"], comment="no")
        boss.post("/moderation/accept", kind=kept["kind"], id=kept["id"])
    truth.get("/calls/{number}/events", number=number)
    truth.get("/calls/{number}/events", number=10**9)
    truth.get("/records/{token}.wav", token=truth.post("getRecords")[0]["path"].rpartition("/")[2].removesuffix(".wav"))
    truth.get("/errors/{code}", code="internal")
    truth.post("getAvailableLanguages")
    for path in ("/apiCalls/getAvailableLanguages", "/healthz", "/readyz", "/metrics", "/openapi.json", "/errors"):
        assert truth.get(path)
    assert {path for path, status in truth.seen | boss.seen if status == "200"} == document()["paths"].keys()


# What a schema cannot say of one request: it names what is not there, or fits together with something else.
BEYOND_THE_SCHEMA = {
    Code.RECORD_UNKNOWN, Code.TEMPLATE_UNKNOWN, Code.TEXT_REFUSED, Code.LANGUAGE_UNKNOWN, Code.PHONE_STOPPED,
    Code.RECORD_IN_USE, Code.MODERATION_NEEDED, Code.CLIP_NOT_AUDIO, Code.CLIP_EMPTY,
    Code.BODY_INVALID,  # a NUL character in the name of an unknown field of a form
}  # fmt: skip
FIELDS_BEYOND = re.compile(
    r"outgoingPhone"  # one of the account's
    r"|plannedAt"  # within a year from now
    r"|endTime|weekdays"  # a window that opens
    r"|ivrs\.(\d+\.ivrs\.)*\d+\.digit"  # twice in a menu
    r"|ivrs\.(\d+\.ivrs\.)*\d+\.managerPhone"  # and no menu below
    r"|(ivrs\.[\d.ivs]*)?webhookParameters"  # JSON text
    r"|file"  # a sound
    r"|id"  # of an account or record that there is
)


@pytest.fixture(params=[Role.USER, Role.MODERATOR])
def under_test(request: pytest.FixtureRequest, running: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What schemathesis tests: the service, with a record, a template and a planned call in it."""
    monkeypatch.chdir(tmp_path)
    running.engine.most = 0  # nothing is dialled: webhooks would go to whatever addresses are made up
    client = running.client(role=request.param, balance="1000000000")
    record = client.record()
    client.create(record)
    client.data("saveTemplate", name="one", record={"id": record}, dutyPhone=1)
    config = SchemathesisConfig.from_dict({
        "seed": 4,
        "headers": {"Authorization": f"Bearer {client.key}"},
        "continue-on-failure": True,
        "generation": {"max-examples": 15, "deterministic": True},
    })  # fmt: skip
    schema = schemathesis.openapi.from_url(f"{running.url}/openapi.json", config=config)
    schema.hook(filter_failure)
    # A moderator who rejects themselves has tested the rest in vain. The events of a call that waits have no end; the
    # tests of the contract read those of one that is over.
    if request.param is Role.MODERATOR:
        return schema.include(path_regex="^/moderation/")
    return schema.exclude(path_regex="^/moderation/(accept|reject)|/events$")


def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """What the schema allows is taken, unless it is refused for what no schema can say."""
    if not isinstance(failure, RejectedPositiveData) or response.status_code != 422:
        return True
    told = response.json()["data"]
    if told["code"] in BEYOND_THE_SCHEMA:
        return False
    return not all(FIELDS_BEYOND.fullmatch(field) for field in told.get("errors", ["?"]))


def test_schemathesis_finds_nothing(under_test: Any) -> None:
    found: dict[str, str] = {}  # what was answered, and to what request
    tested = 0
    for event in engine.from_schema(under_test).execute():
        if isinstance(event, events.NonFatalError):
            found[f"{event.label}: {event.value!r}"] = ""
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.ScenarioFinished):
            recorder = event.recorder
            tested += len(recorder.interactions)
            for case, checks in recorder.checks.items():
                for check in checks:
                    if check.failure_info is not None:
                        answer = recorder.interactions[case].response
                        told = answer.text[:300] if answer is not None else ""
                        message = f"{check.name}: {check.failure_info.failure.message}"
                        found[f"{recorder.cases[case].value.path} {message}\n{told}"] = check.failure_info.code_sample
    assert not found, "\n\n".join(f"{told}\n{request}" for told, request in found.items())
    assert tested > 100
