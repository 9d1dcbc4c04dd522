"""The contract through real HTTP: shapes exactly as API.md has them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from engine.clips.upload import Limits, prepare
from engine.config import ClipsConfig

sqlite_is_enough = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)  # it is refused before the store

ELEMENT = {
    "id", "apiCallId", "phone", "needRecording", "plannedAt", "webhookUrl", "webhookParameters", "amoscriptId",
    "needRecognition", "ivrDigit", "startedAt", "answeredAt", "managerStartedAt", "managerAnsweredAt", "finishedAt",
    "toBlock", "hangupCause", "managerStatus", "recordFilePath", "cost", "createdAt", "label", "ivrAnswers",
    "ivrIdList", "comment", "outgoingLineId", "detectEndOfSpeech", "robotsBlockEnabled", "webhookTry", "webhookSent",
}  # fmt: skip
API_CALL = ELEMENT | {
    "recognitionGroupId", "generateGroupId", "tag", "tagList", "webhookHeaders", "smartDelay", "prevCallId",
    "voiceDetectionEnabled", "startTime", "endTime", "weekdays", "timeout", "calls",
}  # fmt: skip
CALL = {
    "id", "phone", "status", "ivrDigit", "startedAt", "answeredAt", "finishedAt", "createdAt", "updatedAt",
    "managerStartedAt", "managerAnsweredAt", "managerStatus", "hangupCause", "cost", "ivrAnswers", "ivrIdList",
    "recordFilePath", "toBlock", "label", "comment", "outgoingLineId", "disposition", "sipCode", "amd", "heardMs",
    "tags",
}  # fmt: skip
RECORD = {
    "id", "name", "status", "needModeration", "moderatorComment", "cost", "isRemote", "isGlobal", "recordText",
    "gender", "isTemplate", "generateGroupId", "isPreview", "path", "createdAt",
}  # fmt: skip


def test_element_of_create(client: Any) -> None:
    element = client.create(client.record())
    assert set(element) == ELEMENT
    assert element["id"] == element["apiCallId"]
    assert isinstance(element["id"], int)
    assert (element["cost"], element["ivrAnswers"], element["toBlock"]) == ("0", "", 0)
    assert element["label"] == "127.0.0.1"
    nothing = ("ivrDigit", "startedAt", "answeredAt", "finishedAt", "hangupCause", "amoscriptId", "plannedAt")
    assert all(element[name] is None for name in nothing)
    assert abs(element["createdAt"] - time.time()) < 5


def test_call_to_its_end(running: Any, client: Any, end_fact: Any) -> None:
    running.engine.facts = lambda _dial: [
        {"type": "dialing"},
        {"type": "answered"},
        {"type": "block", "block": "menu", "tags": ["hello"]},
        {"type": "block", "block": "menu.1", "tags": ["yes"]},
        end_fact(answers=["1"], path=["menu", "menu.1"], tags=["hello", "yes"]),
    ]
    record = client.record()
    ivrs = [{"digit": 1, "id": 77, "record": {"id": str(record)}, "tag": "yes"}]
    made = client.create(record, tag="hello", timeout="45", label="crm", ivrs=ivrs)
    told = client.until_over(made["id"])
    assert set(told) == API_CALL
    assert (told["tagList"], told["timeout"], told["label"]) == ("|hello|yes|", 45, "crm")
    call = told["calls"][0]
    assert set(call) == CALL
    assert (call["status"], call["disposition"], call["sipCode"], call["hangupCause"]) == (
        "finished",
        "answered",
        200,
        16,
    )
    assert (call["ivrDigit"], call["ivrAnswers"], call["ivrIdList"]) == (1, "|1|", "|77|")
    assert (call["cost"], call["heardMs"], call["tags"]) == ("1.5", 1200, ["hello", "yes"])
    assert all(isinstance(call[name], int) for name in ("startedAt", "answeredAt", "finishedAt", "updatedAt"))
    assert client.data("userInfo")["balance"] == 998.5


def test_call_that_is_not_answered(running: Any, client: Any, end_fact: Any) -> None:
    running.engine.facts = lambda _dial: [{"type": "dialing"}, end_fact("busy")]
    call = client.until_over(client.create(client.record())["id"])["calls"][0]
    assert (call["status"], call["disposition"], call["hangupCause"], call["answeredAt"]) == (
        "canceled",
        "busy",
        17,
        None,
    )
    assert call["cost"] == "0"
    assert client.data("userInfo")["balance"] == 1000


def test_running_call_is_answered(running: Any, client: Any) -> None:
    running.engine.hold = True
    number = client.create(client.record())["id"]
    until = time.monotonic() + 5
    while client.get(number)["calls"][0]["status"] != "answered" and time.monotonic() < until:
        time.sleep(0.01)
    call = client.get(number)["calls"][0]
    assert call["status"] == "answered"
    assert call["answeredAt"]
    assert call["finishedAt"] is None


def test_callees_between_good_ones(client: Any) -> None:
    phones = ["79990000001", "abc", 79990000002, "+7 (999) 000-00-03", "89990000004", None, "123", True, ""]
    answer = client.data(
        "create", phones=phones, dutyPhone=1, record={"id": client.record()}, plannedAt=int(time.time()) + 900
    )
    assert [element["phone"] for element in answer] == [
        "79990000001", "abc", "79990000002", "79990000003", "79990000004", "None", "123", "True", "",
    ]  # fmt: skip
    assert [element.get("status") for element in answer] == [None, "error", None, None, None, *["error"] * 4]
    refused = [element for element in answer if "status" in element]
    assert all(set(element) == {"status", "phone", "message", "code"} for element in refused)
    assert {element["code"] for element in refused} == {"phone_invalid"}


def test_every_callee_bad_is_an_error_of_the_request(client: Any) -> None:
    assert (
        "abc" in client.refused("create", phones=["abc", "1"], dutyPhone=1, record={"id": client.record()})["message"]
    )


@pytest.mark.parametrize(
    "phone", ["79990000001,79990000002", ["79990000001", "79990000002"], "79990000001; 79990000002"]
)
def test_several_in_one_field(client: Any, phone: Any) -> None:
    answer = client.data("create", phone=phone, dutyPhone="1", record={"id": client.record()})
    assert [element["phone"] for element in answer] == ["79990000001", "79990000002"]


def test_the_same_number_twice_is_two_calls(client: Any) -> None:
    assert len(client.data("create", phones=["79990000001"] * 2, dutyPhone=1, record={"id": client.record()})) == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"phone": ""}, "phone"),
        ({"record": None}, "record"),
        ({"record": {"id": 999}}, "record.id"),
        ({"record": {"id": "x"}}, "record.id"),
        ({"record": {"text": "..."}}, "record.text"),
        ({"record": {"text": "а" * 100_000}}, "record.text"),
        ({"record": {"text": "привет", "language": "tlh-x"}}, "record.text"),
        ({"record": {"text": "привет", "gender": 2}}, "record.gender"),
        ({"outgoingPhone": None}, "outgoingPhone"),
        ({"outgoingPhone": "74950000000"}, "outgoingPhone"),
        ({"webhookUrl": "ftp://example.com"}, "webhookUrl"),
        ({"webhookUrl": "example.com"}, "webhookUrl"),
        ({"webhookUrl": "http://[::1"}, "webhookUrl"),
        ({"webhookParameters": "order=5"}, "webhookParameters"),
        ({"webhookHeaders": {"Host": "evil"}}, "webhookHeaders"),
        ({"webhookHeaders": {"X-A": "a\r\nX-B: b"}}, "webhookHeaders"),
        ({"plannedAt": "tomorrow"}, "plannedAt"),
        ({"plannedAt": 10**13}, "plannedAt"),
        ({"plannedAt": 10**30}, "plannedAt"),
        ({"timeout": 100000}, "timeout"),
        ({"detectEndOfSpeech": "maybe"}, "detectEndOfSpeech"),
        ({"ivrs": "many"}, "ivrs"),
        ({"ivrs": [{"digit": "12"}]}, "ivrs.0.digit"),
        ({"ivrs": [{"digit": 1}, {"digit": "1"}]}, "ivrs.1.digit"),
        ({"ivrs": [{"digit": 1, "managerPhone": "7999111223"}]}, "ivrs.0.managerPhone"),
        ({"ivrs": [{"digit": 1, "managerPhone": "79991112233, 8 800"}]}, "ivrs.0.managerPhone"),
        ({"ivrs": [{"digit": 1, "managerPhone": ["79991112233"] * 11}]}, "ivrs.0.managerPhone"),
        ({"ivrs": [{"digit": 1, "recognize": 1}]}, "ivrs.0.recognize"),
        ({"ivrs": [{"digit": 1, "ivrs": [{"digit": 2, "record": {"id": 999}}]}]}, "ivrs.0.ivrs.0.record.id"),
        ({"ivrs": [{"digit": 1, "webhookUrl": "javascript:alert(1)"}]}, "ivrs.0.webhookUrl"),
        ({"smartDelay": 1}, "smartDelay"),
        ({"smartDelay": 1441}, "smartDelay"),
        ({"smartDelay": "soon"}, "smartDelay"),
        ({"startTime": "9"}, "startTime"),
        ({"startTime": 900}, "startTime"),
        ({"endTime": "25:00"}, "endTime"),
        ({"endTime": "24:01"}, "endTime"),
        ({"startTime": "09:00", "endTime": "9:00"}, "endTime"),
        ({"weekdays": [0]}, "weekdays"),
        ({"weekdays": [1, "x"]}, "weekdays"),
        ({"weekdays": "monday"}, "weekdays"),
        ({"useOutgoingPhoneForManager": "whose"}, "useOutgoingPhoneForManager"),
        ({"robotsBlockEnabled": 1}, "robotsBlockEnabled"),
        ({"needRecording": "please"}, "needRecording"),
        ({"needRecognition": "1"}, "needRecognition"),
    ],
)
@sqlite_is_enough
def test_bad_field_is_named(client: Any, running: Any, fields: dict[str, Any], field: str) -> None:
    wanted = {"phone": "79990000001", "outgoingPhone": "79932432781", "record": {"id": client.record()}}
    assert field in client.refused("create", **{**wanted, **fields})["errors"]
    assert running.engine.dialled == []


def test_what_is_off_is_echoed(client: Any) -> None:
    made = client.create(
        client.record(), smartDelay=None, startTime="", endTime=None, weekdays=[], robotsBlockEnabled=0,
        needRecording=False, needRecognition="0", webhookHeaders={}, ivrs=[], tag=None, unknown={"field": 1},
        plannedAt=0, detectEndOfSpeech=True,
    )  # fmt: skip
    assert (made["needRecording"], made["robotsBlockEnabled"], made["detectEndOfSpeech"]) == (0, 0, 1)
    told = client.get(made["id"])
    assert (told["smartDelay"], told["startTime"], told["weekdays"], told["voiceDetectionEnabled"]) == (
        None,
        None,
        None,
        0,
    )


def test_get_leaves_out_what_is_not_ours(running: Any, client: Any) -> None:
    other = running.client("other")
    mine, foreign = client.create(client.record())["id"], other.create(other.record())["id"]
    told = client.data("get", apiCallIdList=[foreign, str(mine), 10**9, mine])
    assert [kept["id"] for kept in told] == [mine]
    assert client.data("get", apiCallIdList=str(foreign)) == []
    assert client.refused("get")["errors"]
    assert client.refused("get", apiCallIdList=list(range(5001)))["errors"]
    assert client.refused("get", apiCallIdList=["x"])["errors"]
    assert client.refused("get", apiCallIdList=[2**70])["errors"]


def test_foreign_record(running: Any, client: Any) -> None:
    foreign = running.client("other").record()
    refused = client.refused("create", phone="79990000001", dutyPhone=1, record={"id": foreign})
    assert refused["errors"] == {"record.id": [f"there is no record {foreign}; `getRecords` lists yours"]}


def test_remove(running: Any, client: Any) -> None:
    record = client.record()
    planned = client.create(record, plannedAt=int(time.time()) + 900)
    assert client.get(planned["id"])["plannedAt"] == planned["plannedAt"]
    over = client.create(record)["id"]
    client.until_over(over)
    assert [kept["id"] for kept in client.data("remove", idList=[planned["id"], over, 999])] == [planned["id"]]
    call = client.get(planned["id"])["calls"][0]
    assert (call["status"], call["disposition"], call["startedAt"]) == ("canceled", "cancelled", None)
    assert len(running.engine.dialled) == 1


def test_planned_call_waits(running: Any, client: Any) -> None:
    at = int(time.time()) + 2
    number = client.create(client.record(), plannedAt=at)["id"]
    assert client.get(number)["calls"][0]["status"] == "created"
    assert client.until_over(number)["calls"][0]["startedAt"] >= at


def test_records(running: Any, client: Any, sound: Any) -> None:
    form = {"apiKey": client.key, "name": "Привет", "gender": "1"}
    answer = client.http.post("/apiCalls/createRecord", data=form, files={"x": ("a.wav", sound())})
    record = answer.json()["data"]
    assert "\\u041f" in answer.text
    assert set(record) == RECORD
    assert (record["name"], record["status"], record["needModeration"], record["gender"]) == (
        "Привет",
        "ready",
        False,
        "1",
    )
    heard = client.http.get(record["path"]).content
    assert heard == prepare(sound(), Limits(1 << 20, 60)).wav
    assert [kept["id"] for kept in client.data("getRecords", forAmoGet=1)] == [record["id"]]
    assert client.data("createRecord", source="saved", id=str(record["id"]))["id"] == record["id"]
    assert client.refused("createRecord", source="saved", id=999)["errors"]
    assert client.refused("createRecord")["errors"]
    assert client.refused("createRecord", source="dream")["errors"]
    assert running.client("other").data("getRecords") == []


@pytest.mark.parametrize("content", [b"", b"not a clip", b"RIFF\x00\x00\x00\x00WAVE", bytes(1000)])
def test_upload_that_is_no_clip(client: Any, content: bytes, tmp_path: Any) -> None:
    form = {"apiKey": client.key, "source": "file"}
    answer = client.http.post("/apiCalls/createRecord", data=form, files={"file": ("my clip.wav", content)})
    assert answer.status_code == 422
    assert "my clip.wav" in answer.json()["data"]["message"]
    assert str(tmp_path) not in answer.text
    assert client.data("getRecords") == []


def test_upload_that_is_too_large(run_service: Any, fake_engine: Any, config: Any, sound: Any) -> None:
    small = config.model_copy(update={"clips": ClipsConfig(max_mb=1)})
    with run_service(small, fake_engine) as running:
        client = running.client()
        for content, words in ((sound() + bytes(1 << 20), "at most 1 MB"), (bytes(7 << 20), "body is larger")):
            form = {"apiKey": client.key, "source": "file"}
            answer = client.http.post("/apiCalls/createRecord", data=form, files={"file": ("a.wav", content)})
            assert answer.status_code == 413
            assert words in answer.text


@pytest.mark.parametrize("wanted", ["bytes=abc", "lines=1-2", "bytes=9999999-", "bytes=5-2", "bytes=0-1,3-4"])
def test_a_range_that_is_none_is_ignored(client: Any, wanted: str) -> None:
    client.record()
    path = client.data("getRecords")[0]["path"]
    whole = client.http.get(path)
    assert client.http.get(path, headers={"range": "bytes=0-3"}).content == b"RIFF"
    odd = client.http.get(path, headers={"range": wanted})
    assert (odd.status_code, odd.content) == (200, whole.content)


def test_numbers(client: Any) -> None:
    numbers = client.data("getPhones", all=True, status="available")
    assert set(numbers[0]) == {"id", "phone", "enable"}
    assert numbers[0]["phone"] == "79932432781"


def test_account_that_is_not_moderated(running: Any) -> None:
    client = running.client("new", moderated=False)
    record = client.record()
    assert client.data("getRecords")[0]["status"] == "moderation"
    assert client.refused("create", phone="79990000001", dutyPhone=1, record={"id": record})["errors"]["record.id"]
    refused = client.refused("createRecord", source="text", text="a")
    assert (refused["code"], set(refused["errors"])) == ("moderation_needed", {"text"})
    refused = client.refused("create", phone="79990000001", dutyPhone=1, record={"text": "a"})
    assert refused["code"] == "moderation_needed"


def test_balance_bounds_what_is_called(running: Any) -> None:
    client = running.client("poor", balance="3.1")
    phones = [f"7999000000{digit}" for digit in range(4)]
    answer = client.data(
        "create", phones=phones, dutyPhone=1, record={"id": client.record()}, plannedAt=int(time.time()) + 900
    )
    assert [element.get("status") for element in answer] == [None, None, "error", "error"]
    assert (
        "balance" in client.refused("create", phone=phones[0], dutyPhone=1, record={"id": client.record()})["message"]
    )


def test_ten_thousand_callees(running: Any) -> None:
    client = running.client("rich", balance="1000000")
    phones = [f"7999{number:07}" if number % 100 else f"bad{number}" for number in range(10_000)]
    wanted = {"dutyPhone": 1, "record": {"id": client.record()}, "plannedAt": int(time.time()) + 900}
    told = client.data("create", phones=phones, **wanted)
    assert [element["phone"] for element in told] == phones
    assert [element.get("status") == "error" for element in told] == [number % 100 == 0 for number in range(10_000)]
    numbers = [element["id"] for element in told if "id" in element]
    assert len(set(numbers)) == 9900
    kept = client.data("get", apiCallIdList=numbers[-5000:])
    assert [call["phone"] for call in kept] == [phone for phone in phones if not phone.startswith("bad")][-5000:]


@pytest.mark.parametrize(
    ("method", "path", "content", "kind", "status"),
    [
        ("POST", "/apiCalls/create", b"{", "application/json", 400),
        ("POST", "/apiCalls/create", b"[1]", "application/json", 422),
        ("POST", "/apiCalls/create", b'"x"', "application/json", 422),
        ("POST", "/apiCalls/create", b"[" * 100_000, "application/json", 422),
        ("POST", "/apiCalls/create", b'{"a":' * 60 + b"1" + b"}" * 60, "application/json", 422),
        ("POST", "/apiCalls/create", b'{"a": "\\u0000"}', "application/json", 422),
        ("POST", "/apiCalls/create", b'{"a": [{"b": 1, "b": 2}]}', "application/json", 422),
        ("POST", "/apiCalls/create", b'{"a": "\\ud800"}', "application/json", 422),
        ("POST", "/apiCalls/create", b'{"a": ' + b"1" * 5000 + b"}", "application/json", 400),
        ("POST", "/apiCalls/create", b'{"a": NaN}', "application/json", 400),
        ("POST", "/apiCalls/create", b"\xff\xfe", "application/json", 400),
        ("POST", "/apiCalls/create", b"a=%ff", "application/x-www-form-urlencoded", 422),
        ("POST", "/apiCalls/create", b"x", "multipart/form-data", 400),
        ("POST", "/apiCalls/create", b"--b\r\nbroken", "multipart/form-data; boundary=b", 400),
        ("POST", "/apiCalls/create", b"x" * (9 * 1024 * 1024), "application/json", 413),
        ("POST", "/apiCalls/create", b"", "application/json", 401),
        ("POST", "/apiCalls/create", b'{"apiKey": "wrong"}', "application/json", 401),
        ("POST", "/apiCalls/create", b'{"apiKey": ["x"]}', "application/json", 401),
        ("POST", "/apiCalls/nonsense", b"{}", "application/json", 404),
        ("POST", "/apiCalls/", b"{}", "application/json", 404),
        ("GET", "/apiCalls/create", b"", "", 405),
        ("DELETE", "/healthz", b"", "", 405),
        ("GET", "/records/../../etc/passwd", b"", "", 404),
        ("GET", "/records/none.wav", b"", "", 404),
        ("GET", "/calls/x/events", b"", "", 404),
        ("GET", "/calls/1/events", b"", "", 401),
    ],
)
@sqlite_is_enough
def test_never_anything_but_the_envelope(
    running: Any, client: Any, method: str, path: str, content: bytes, kind: str, status: int
) -> None:
    answer = client.http.request(method, path, content=content, headers={"content-type": kind} if kind else {})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert told["status"] == "error"
    assert told["data"]["message"]
    assert "Traceback" not in answer.text
    assert client.data("userInfo")


def test_keys(running: Any, client: Any) -> None:
    post = client.http.post
    assert post("/apiCalls/userInfo", json={"apikey": client.key}).status_code == 200
    assert post("/apiCalls/userInfo", data={"apiKey": client.key}).status_code == 200
    assert post("/apiCalls/userInfo", headers={"authorization": f"Bearer {client.key}"}).status_code == 200
    assert post(f"/apiCalls/userInfo?apiKey={client.key}").status_code == 200
    assert post("/apiCalls/userInfo", json={"apiKey": client.key[:-1] + "!"}).status_code == 401
    assert len(client.key) == 60
    assert client.key.isalnum()


def test_bodies(client: Any) -> None:
    record = client.record()
    fields = {"apiKey": client.key, "outgoingPhone": "79932432781", "record[id]": str(record)}
    post = client.http.post
    form = post("/apiCalls/create", data={**fields, "phones[0]": "79990000001", "phones[1]": "79990000002"})
    assert [element["phone"] for element in form.json()["data"]] == ["79990000001", "79990000002"]
    numbers = [element["id"] for element in form.json()["data"]]
    text = json.dumps({"apiKey": client.key})
    raw = post(f"/apiCalls/get?apiCallIdList[]={numbers[0]}&apiCallIdList[]={numbers[1]}", content=text)
    encoded = post(f"/apiCalls/get?apiCallIdList%5B%5D={numbers[0]}", content=text)
    as_form = {"content-type": "application/x-www-form-urlencoded"}
    stringly = post(f"/apiCalls/get?apiCallIdList%5B%5D={numbers[0]}", content=text, headers=as_form)
    assert len(raw.json()["data"]) == 2
    assert len(encoded.json()["data"]) == len(stringly.json()["data"]) == 1
    ivrs = json.dumps([{"digit": "1", "ivrs": []}])
    multipart = post("/apiCalls/create", data={**fields, "phone": "79990000001", "ivrs": ivrs}, files={"x": b"y"})
    assert multipart.status_code == 200


def test_browsers_may_call(client: Any) -> None:
    asked = {
        "origin": "https://crm.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    preflight = client.http.options("/apiCalls/create", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "*"
    wrong = client.http.post("/apiCalls/create", json={}, headers={"origin": "https://crm.example"})
    assert (wrong.status_code, wrong.headers["access-control-allow-origin"]) == (401, "*")


def test_health(client: Any) -> None:
    told = client.http.get("/healthz").json()
    assert told["ok"] is True
    assert {"dialogs", "ports", "tasks", "timers", "calls", "due", "planned", "webhooks"} <= set(told)


def test_events(running: Any, client: Any) -> None:
    number = client.create(client.record())["id"]
    url = f"/calls/{number}/events?apiKey={client.key}"
    with client.http.stream("GET", url) as live:
        events = [line for line in live.iter_lines() if line.startswith(("id:", "event:"))]
    assert events[:2] == ["id: 1", "event: dialing"]
    assert events[-1] == "event: ended"
    assert [line for line in events if line.startswith("id:")] == [
        f"id: {seq}" for seq in range(1, len(events) // 2 + 1)
    ]
    client.until_over(number)
    again = client.http.get(url, headers={"last-event-id": "3"}).text
    assert again.startswith("id: 4\nevent: ended\ndata: {")
    assert running.client("other").http.get(f"/calls/{number}/events?apiKey=x").status_code == 401
    foreign = running.client("third")
    assert foreign.http.get(f"/calls/{number}/events?apiKey={foreign.key}").status_code == 404


def test_what_breaks_is_an_envelope(running: Any, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise ZeroDivisionError("secret details")

    monkeypatch.setattr(running.service.database, "write", broken)
    answer = client.post("create", phone="79990000001", dutyPhone=1, record={"id": 1})
    assert answer.status_code == 422  # no such record: nothing was written
    answer = client.post("remove", idList=[1])
    assert (answer.status_code, answer.json()["status"]) == (500, "error")
    assert "secret" not in answer.text


def test_stop_list(running: Any, client: Any, end_fact: Any) -> None:
    running.engine.facts = lambda _dial: [
        {"type": "dialing"},
        {"type": "answered"},
        {"type": "block", "block": "menu", "tags": []},
        {"type": "block", "block": "menu.9", "tags": []},
        end_fact(answers=["9"], path=["menu", "menu.9"]),
    ]
    record = client.record()
    ivrs = [{"digit": "9", "needBlock": "1"}]
    later = client.create(record, ivrs=ivrs, plannedAt=int(time.time()) + 3)["id"]
    told = client.until_over(client.create(record, ivrs=ivrs)["id"])
    assert told["toBlock"] == told["calls"][0]["toBlock"] == 1
    refused = client.refused("create", phone="79990000001", dutyPhone=1, record={"id": record})
    assert "stop list" in refused["message"]
    suppressed = client.until_over(later)["calls"][0]
    assert (suppressed["status"], suppressed["disposition"], suppressed["startedAt"]) == (
        "canceled",
        "suppressed",
        None,
    )
    assert len(running.engine.dialled) == 1
