"""Methods of the contract beyond one call: texts, templates, plans, dry runs, repetitions, moderation, stop list."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.store.accounts import Role

DAY_S = 86_400
PHONE, DUTY = "79990000001", {"dutyPhone": 1}


def wanted(client: Any, **fields: Any) -> dict[str, Any]:
    return {"phone": PHONE, **DUTY, "record": {"id": client.record()}, **fields}


# --- clips from text ------------------------------------------------------------------------------------------


def test_record_of_text(client: Any) -> None:
    record = client.data("createRecord", source="text", text="Здравствуйте, это <-> клиника", gender=1)
    assert (record["status"], record["cost"], record["gender"]) == ("ready", "0.9", "1")
    assert record["recordText"] == "здравствуйте, это <-> клиника"
    assert record["name"] == "Здравствуйте, это клиника"
    assert client.http.get(record["path"]).content[:4] == b"RIFF"
    assert client.data("userInfo")["balance"] == 999.1
    assert client.until_over(client.create(record["id"])["id"])["calls"][0]["disposition"] == "answered"


def test_text_in_a_request_is_made_once(running: Any, client: Any) -> None:
    texts = {"record": {"text": "Привет"}, "ivrs": [{"digit": 1, "record": {"text": "Спасибо", "gender": 1}}]}
    for _ in range(2):
        client.until_over(client.data("create", phone=PHONE, **DUTY, **texts)[0]["id"])
    made = client.data("getRecords")
    assert [(record["recordText"], record["gender"]) for record in made] == [("привет", "0"), ("спасибо", "1")]
    assert client.data("userInfo")["balance"] == 1000 - 2 * 0.9 - 2 * 1.5
    assert all(path.exists() for dial in running.engine.dialled for path in dial.records.values())


def test_text_that_the_balance_cannot_pay(running: Any) -> None:
    client = running.client("poor", balance="0.5")
    assert client.refused("createRecord", source="text", text="Привет")["code"] == "balance_low"
    assert client.refused("create", phone=PHONE, **DUTY, record={"text": "Привет"})["code"] == "balance_low"
    assert (client.data("getRecords"), client.data("userInfo")["balance"]) == ([], 0.5)


def test_languages(client: Any) -> None:
    told = client.http.get("/apiCalls/getAvailableLanguages").json()
    assert told["status"] == "success"
    assert all(set(language) == {"code", "name"} for language in told["data"])
    assert told["data"][0]["code"] == "ru"


def test_delete_record(running: Any, client: Any) -> None:
    record = client.record()
    planned = client.create(record, plannedAt=int(time.time()) + 900)["id"]
    refused = client.refused("deleteRecord", 409, id=record)
    assert refused["code"] == "record_in_use"
    client.data("remove", idList=[planned])
    path = client.data("getRecords")[0]["path"]
    assert client.data("deleteRecord", id=record)["id"] == record
    assert client.data("getRecords") == []
    assert client.http.get(path).status_code == 404
    assert client.refused("create", phone=PHONE, **DUTY, record={"id": record})["code"] == "record_unknown"
    assert client.refused("deleteRecord", id=record)["code"] == "record_unknown"
    assert running.client("other").refused("deleteRecord", id=client.record())["code"] == "record_unknown"


# --- when a call is made --------------------------------------------------------------------------------------


def test_window_in_the_accounts_time_zone(running: Any) -> None:
    client = running.client("east", timezone="Asia/Vladivostok")
    zone = ZoneInfo("Asia/Vladivostok")
    tomorrow = (datetime.now(zone).isoweekday() % 7) + 1
    made = client.data("create", **wanted(client, startTime="9:30", endTime="18:00:00", weekdays=[tomorrow]))[0]
    told = client.get(made["id"])
    assert (told["startTime"], told["endTime"], told["weekdays"]) == ("09:30", "18:00", [tomorrow])
    assert told["calls"][0]["status"] == "created"
    dry = client.data("create", **wanted(client, startTime="09:30", endTime="18:00", weekdays=[tomorrow]), dryRun=1)[0]
    opens, closes = (datetime.fromtimestamp(dry[name], zone) for name in ("startsAt", "windowEndsAt"))
    assert (opens.isoweekday(), opens.strftime("%H:%M"), closes.strftime("%H:%M")) == (tomorrow, "09:30", "18:00")
    assert dry["waitsFor"] == "window"


def test_window_that_is_open_now(client: Any) -> None:
    made = client.data("create", **wanted(client, weekdays=[1, 2, 3, 4, 5, 6, 7], startTime="00:00", endTime="24:00"))
    assert client.until_over(made[0]["id"])["calls"][0]["disposition"] == "answered"


def test_a_window_closes_over_calls_that_wait(running: Any, client: Any) -> None:
    """They waited for their turn too long: they are called in the next one, and not now."""
    running.engine.most = 0
    now = datetime.now(ZoneInfo("Europe/Moscow"))
    days = [now.isoweekday(), now.isoweekday() % 7 + 1]
    made = client.data("create", **wanted(client, weekdays=days))[0]["id"]
    with running.service.database.write() as db:
        db.exec_driver_sql(f"UPDATE calls SET closes_at = {time.time() - 1}")
    running.engine.most = 10
    assert client.until_over(made)["calls"][0]["disposition"] == "answered"  # the window is open still


def test_redial(running: Any, client: Any, end_fact: Any, receiver: Any) -> None:
    causes = ["busy", "no_answer", "answered"]
    running.engine.facts = lambda _dial: [{"type": "dialing"}, end_fact(causes.pop(0))]
    made = client.data("create", **wanted(client, smartDelay="2", webhookUrl=receiver.url))[0]["id"]
    for count in (2, 3):
        _until(lambda count=count: len(client.get(made)["calls"]) == count)
        call = client.get(made)["calls"][-1]
        assert call["status"] == "created"
        _bring_forward(running)
    told = client.until_over(made)
    assert [call["disposition"] for call in told["calls"]] == ["busy", "no_answer", "answered"]
    assert told["cost"] == "1.5"
    body = receiver.next()
    assert [call["disposition"] for call in body["apiCalls"][0]["calls"]] == ["busy", "no_answer", "answered"]
    assert receiver.came.empty()
    facts = client.http.get(f"/calls/{made}/events?apiKey={client.key}").text
    assert [int(line[4:]) for line in facts.splitlines() if line.startswith("id: ")] == [1, 2, 3, 4, 5, 6]
    user = client.data("userInfo")
    assert (user["balance"], user["held"]) == (998.5, 0)


def test_a_redial_can_be_removed(running: Any, client: Any, end_fact: Any) -> None:
    running.engine.facts = lambda _dial: [{"type": "dialing"}, end_fact("congestion")]
    made = client.data("create", **wanted(client, smartDelay=1440))[0]["id"]
    _until(lambda: len(client.get(made)["calls"]) == 2)
    assert client.data("userInfo")["held"] == 1.5
    assert [kept["id"] for kept in client.data("remove", idList=[made])] == [made]
    assert [call["disposition"] for call in client.get(made)["calls"]] == ["congestion", "cancelled"]
    assert client.data("userInfo")["held"] == 0


def test_a_decline_is_final(running: Any, client: Any, end_fact: Any, receiver: Any) -> None:
    running.engine.facts = lambda _dial: [{"type": "dialing"}, end_fact("rejected")]
    made = client.data("create", **wanted(client, smartDelay=2, webhookUrl=receiver.url))[0]["id"]
    assert receiver.next()["disposition"] == "rejected"
    assert len(client.get(made)["calls"]) == 1


# --- dry runs, repetitions ------------------------------------------------------------------------------------


def test_dry_run(running: Any, client: Any) -> None:
    client.http.post(
        "/apiBlacklist/addPhonesFromApi", json={"apiKey": client.key, "phones": [{"phone": "79990000009"}]}
    )
    at = int(time.time()) + 900
    phones = ["79990000001", "79990000009", "abc"]
    told = client.data("create", **wanted(client, phone=None, phones=phones, plannedAt=at, dryRun=True))
    assert (told[0]["phone"], told[0]["startsAt"], told[0]["waitsFor"], told[0]["cost"]) == (
        phones[0],
        at,
        "plan",
        "1.5",
    )
    assert [element.get("code") for element in told] == [None, "phone_stopped", "phone_invalid"]
    assert "id" not in told[0]
    assert client.data("userInfo")["held"] == 0
    assert running.engine.dialled == []


def test_the_same_reply_again(client: Any) -> None:
    body = {"apiKey": client.key, **wanted(client)}
    headers = {"Idempotency-Key": "one"}
    first = client.http.post("/apiCalls/create", json=body, headers=headers)
    again = client.http.post("/apiCalls/create", json=body, headers=headers)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert "idempotent-replay" not in first.headers
    assert again.headers["idempotent-replay"] == "true"
    other = client.http.post("/apiCalls/create", json=body | {"phone": "79990000002"}, headers=headers)
    assert (other.status_code, other.json()["data"]["code"]) == (422, "idempotency_key_reused")
    fresh = client.http.post("/apiCalls/create", json=body, headers={"Idempotency-Key": "two"})
    assert fresh.json()["data"][0]["id"] != first.json()["data"][0]["id"]


def test_a_refused_request_does_not_use_up_its_key(client: Any) -> None:
    body = {"apiKey": client.key, **wanted(client)}
    headers = {"Idempotency-Key": "x"}
    assert client.http.post("/apiCalls/create", json=body | {"phone": ""}, headers=headers).status_code == 422
    assert client.http.post("/apiCalls/create", json=body, headers=headers).status_code == 200
    long = client.http.post("/apiCalls/create", json=body, headers={"Idempotency-Key": "k" * 256})
    assert long.status_code == 422


def test_many_at_once_with_one_key(running: Any, client: Any) -> None:
    body = {"apiKey": client.key, **wanted(client)}
    answers: list[Any] = []

    def ask() -> None:
        answers.append(client.http.post("/apiCalls/create", json=body, headers={"Idempotency-Key": "same"}))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replay" in answer.headers for answer in answers) == 7
    client.until_over(answers[0].json()["data"][0]["id"])
    assert len(running.engine.dialled) == 1


# --- templates ------------------------------------------------------------------------------------------------


def test_templates(running: Any, client: Any) -> None:
    fields = {
        "record": {"text": "Здравствуйте, {name}, ждём вас {when}"}, "outgoingPhone": "79932432781", "timeout": 40,
        "tag": "visit",
    }  # fmt: skip
    template = client.data("saveTemplate", name="Напоминание", **fields)
    assert (template["name"], template["timeout"]) == ("Напоминание", 40)
    assert "apiKey" not in template
    assert [kept["id"] for kept in client.data("getTemplates", onlyModerated=1)] == [template["id"]]
    use = {"templateId": str(template["id"]), "phones": [PHONE, "abc"]}
    refused = client.refused("createWithTemplate", **use, variables={"name": "Анна"})
    assert set(refused["errors"]) == {"variables.when"}
    variables = {"name": "Анна", "when": "завтра"}
    told = client.data("createWithTemplate", **use, variables=variables, outgoingPhone="", label="crm")
    assert [element.get("status") for element in told] == [None, "error"]
    kept = client.until_over(told[0]["id"])
    assert (kept["timeout"], kept["tag"], kept["label"]) == (40, "visit", "crm")
    assert client.data("getRecords")[0]["recordText"] == "здравствуйте, анна, ждём вас завтра"
    plain = client.create(client.record())["id"]
    numbers = [told[0]["id"], plain]
    assert [call["id"] for call in client.data("getWithTemplates", apiCallIdList=numbers)] == [told[0]["id"]]
    assert running.client("other").refused("createWithTemplate", **use)["code"] == "template_unknown"


def test_removing_calls_of_templates(client: Any) -> None:
    template = client.data("saveTemplate", name="x", record={"id": client.record()}, dutyPhone=1)["id"]
    at = int(time.time()) + 900
    [of_template] = client.data("createWithTemplate", templateId=template, phones=[PHONE], plannedAt=at)
    plain = client.create(client.record(), plannedAt=at)["id"]
    numbers = [of_template["id"], plain]
    assert [call["id"] for call in client.data("remove", idList=numbers, isTemplate=1)] == [of_template["id"]]
    assert [call["id"] for call in client.data("remove", idList=numbers)] == [plain]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"record": None}, "record"),
        ({"record": {"id": 999}}, "record.id"),
        ({"ivrs": [{"digit": 1}, {"digit": 1}]}, "ivrs.1.digit"),
        ({"timeout": 9999}, "timeout"),
        ({"needRecognition": 1}, "needRecognition"),
    ],
)
def test_a_template_is_checked(client: Any, fields: dict[str, Any], field: str) -> None:
    good = {"name": "x", "record": {"id": client.record()}}
    assert field in client.refused("saveTemplate", **{**good, **fields})["errors"]
    assert client.data("getTemplates") == []


# --- moderation, the stop list ---------------------------------------------------------------------------------


def test_moderation(running: Any) -> None:
    client, moderator = running.client("new", moderated=False), running.client("boss", role=Role.MODERATOR)
    ask = lambda what, **fields: moderator.http.post(f"/moderation/{what}", json={"apiKey": moderator.key, **fields})  # noqa: E731
    record = client.record()
    waiting = ask("list").json()["data"]
    assert [(item["kind"], item["id"]) for item in waiting if item["kind"] == "record"] == [("record", record)]
    assert "new" in [item["name"] for item in waiting if item["kind"] == "account"]
    assert ask("reject", kind="record", id=record).json()["data"]["errors"]["comment"]
    assert ask("reject", kind="record", id=record, comment="слишком тихо").status_code == 200
    kept = client.data("getRecords")[0]
    assert (kept["status"], kept["moderatorComment"]) == ("rejected", "слишком тихо")
    refused = client.refused("create", phone=PHONE, **DUTY, record={"id": record})
    assert (refused["code"], "слишком тихо" in refused["message"]) == ("moderation_needed", True)
    assert ask("accept", kind="record", id=record).status_code == 200
    assert client.until_over(client.create(record)["id"])["calls"][0]["disposition"] == "answered"
    later = client.record()
    account = client.data("userInfo")["id"]
    assert ask("accept", kind="account", id=account).status_code == 200
    assert client.data("userInfo")["moderated"] is True
    assert {kept["status"] for kept in client.data("getRecords")} == {"ready"}
    assert client.data("createRecord", source="text", text="Привет")["status"] == "ready"
    assert ask("accept", kind="record", id=10**6).json()["data"]["errors"]["id"]
    mine = client.http.post("/moderation/accept", json={"apiKey": client.key, "kind": "record", "id": later})
    assert (mine.status_code, mine.json()["data"]["code"]) == (403, "role_missing")


def test_a_clip_that_is_rejected_later_is_not_played(running: Any) -> None:
    client, moderator = running.client("new", moderated=False), running.client("boss", role=Role.OPERATOR)
    record = client.record()
    for what, fields in (("accept", {}), ("reject", {"comment": "нет"})):
        if what == "reject":
            planned = client.create(record, plannedAt=int(time.time()) + 2)["id"]
        body = {"apiKey": moderator.key, "kind": "record", "id": record, **fields}
        assert moderator.http.post(f"/moderation/{what}", json=body).status_code == 200
    call = client.until_over(planned)["calls"][0]
    assert (call["disposition"], running.engine.dialled) == ("suppressed", [])


@pytest.mark.parametrize(
    "phones",
    [
        [{"phone": "79990000001", "comment": "просил"}, {"phone": "+7 999 000-00-02"}],
        ["79990000001", 79990000002],
        "79990000001,79990000002",
        '[{"phone": "79990000001"}, {"phone": "79990000002"}]',
    ],
)
def test_stop_list_from_outside(client: Any, phones: Any) -> None:
    ask = lambda given: client.http.post("/apiBlacklist/addPhonesFromApi", json={"apiKey": client.key, "phones": given})  # noqa: E731
    assert ask(phones).json()["data"]["count"] == 2
    assert ask(phones).json()["data"]["count"] == 2
    told = client.data("create", **wanted(client, phone=None, phones=["79990000002", "79990000003"]))
    assert [element.get("code") for element in told] == ["phone_stopped", None]
    assert ask([]).status_code == 422
    assert ask([{"phone": "x"}]).json()["data"]["code"] == "phone_invalid"


def test_the_number_to_call_from_that_an_account_has(running: Any) -> None:
    client = running.client("clinic", outgoing="74951234567")
    record = client.record()
    [made] = client.data("create", phone=PHONE, record={"id": record})
    client.until_over(made["id"])
    assert running.engine.dialled[0].outgoing == "74951234567"
    assert running.client("other").refused("create", phone=PHONE, record={"id": record})["errors"]["outgoingPhone"]


# --- running it -----------------------------------------------------------------------------------------------


def test_metrics_and_readiness(running: Any, client: Any) -> None:
    client.until_over(client.create(client.record())["id"])
    client.create(client.record(), plannedAt=int(time.time()) + 900)
    told = client.http.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = told.text.splitlines()
    assert 'zvonar_calls_total{disposition="answered"} 1.0' in lines
    assert 'zvonar_calls_waiting{reason="plan"} 1.0' in lines
    assert 'zvonar_open{kind="dialogs"} 0.0' in lines
    assert any(line.startswith('zvonar_http_request_seconds_count{method="create",status="200"}') for line in lines)
    assert client.http.get("/readyz").json() == {"ready": True}


def _bring_forward(running: Any) -> None:
    """The redial that waits is due now."""
    with running.service.database.write() as db:
        db.exec_driver_sql("UPDATE calls SET due_at = 1 WHERE status = 'created'")
        db.exec_driver_sql("UPDATE lanes SET next_due = 1")
    running.service.wake()


def _until(condition: Any, within_s: float = 8.0) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.01)
