"""The OpenAPI document is true: it says what the service does, and schemathesis finds no difference."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

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



def test_is_openapi() -> None:
    OPENAPI_31_VALIDATOR.validate(document())
    told = json.dumps(document())
    for name in document()["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in told  # nothing that nobody needs


def test_has_every_route_and_no_other(running: Any) -> None:
    served = {
        (route.path, verb.lower())
        for route in app.make_app(running.service).routes
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


# What a schema cannot say of one request: it names what is not there, or fits together with something else.
BEYOND_THE_SCHEMA = {
    Code.RECORD_UNKNOWN, Code.TEMPLATE_UNKNOWN, Code.TEXT_REFUSED, Code.LANGUAGE_UNKNOWN, Code.PHONE_STOPPED,
    Code.RECORD_IN_USE, Code.MODERATION_NEEDED, Code.CLIP_NOT_AUDIO, Code.CLIP_EMPTY,
}  # fmt: skip
FIELDS_BEYOND = re.compile(
    r"outgoingPhone"  # one of the account's
    r"|plannedAt"  # within a year from now
    r"|endTime|weekdays"  # a window that opens
    r"|ivrs\.(\d+\.ivrs\.)*\d+\.digit"  # twice in a menu
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
                        message = f"{recorder.cases[case].value.path} {check.name}: {check.failure_info.failure.message}"
                        found[f"{message}\n{told}"] = check.failure_info.code_sample[:1500]
    assert not found, "\n\n".join(f"{told}\n{request}" for told, request in found.items())
    assert tested > 100
