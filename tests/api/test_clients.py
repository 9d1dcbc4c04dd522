"""The habits of programs that were written for this kind of service: each is taken as it was meant."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

GOOD, BUSY, OUTGOING = "79990000001", "79990000003", "79932432781"
FORM = "application/x-www-form-urlencoded"

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)  # nothing here depends on the store


def send(client: Any, path: str, body: str | bytes = b"", content_type: str | None = None) -> Any:
    """Exactly these bytes, with that header or none; what the reply's `data` is."""
    link = http.client.HTTPConnection(urlsplit(client.url).netloc, timeout=20)
    headers = {} if content_type is None else {"Content-Type": content_type}
    link.request("POST", path, body if isinstance(body, bytes) else body.encode(), headers)
    answer = link.getresponse()
    raw = answer.read()
    link.close()
    assert raw.isascii()  # two clients decode \uXXXX by hand
    told = json.loads(raw)
    assert (answer.status, told["status"]) == (200, "success"), raw
    return told["data"]


def order(client: Any, **fields: Any) -> dict[str, Any]:
    """A request to call tomorrow; what `get` tells of it."""
    wanted = {"phone": GOOD, "outgoingPhone": OUTGOING, "record": {"id": client.record()}, "apiKey": client.key}
    planned = {"plannedAt": int(time.time()) + 80_000} | fields
    [element] = send(client, "/apiCalls/create", json.dumps(wanted | planned), "application/json")
    assert "status" not in element  # a client takes one for an error
    return dict(client.get(element["id"]))


def test_json_text_under_any_content_type(client: Any) -> None:
    """axios and fetch with a string body, PHP curl with json_encode, files that Windows wrote."""
    body = json.dumps({"apiKey": client.key, "x": "й"}).encode()
    for content_type in ("application/json; charset=utf-8", FORM, "text/plain;charset=UTF-8", "multipart/form-data",
                         "*/*", None):  # fmt: skip
        for before in ("", "\ufeff", " \r\n"):
            assert send(client, "/apiCalls/userInfo", before.encode() + body, content_type)["id"] == 1


def test_form_without_content_type(client: Any) -> None:
    """A socket and fwrite."""
    assert send(client, "/apiCalls/userInfo", f"apiKey={client.key}\r\n")["id"] == 1


def test_slashes_too_many(client: Any) -> None:
    """`$host . "/" . $method`, with a host that ends in one."""
    for path in ("//apiCalls/userInfo", "/apiCalls/userInfo/", "/apiCalls//userInfo"):
        assert send(client, path, urlencode({"apikey": client.key}), FORM)["id"] == 1


def test_file_part_of_any_name(client: Any, sound: Any) -> None:
    """CURLFILE, form-data, requests files=."""
    content = sound()
    head = "".join(
        f'--b7\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {"apiKey": client.key, "name": "Ролик", "source": "file", "text": "", "id": ""}.items()
    )
    for part in ("file", "record", "audio", "data[file]", "file[]", "0"):
        of_file = f'--b7\r\nContent-Disposition: form-data; name="{part}"; filename="ролик.wav"\r\n\r\n'
        body = (head + of_file).encode() + content + b"\r\n--b7--\r\n"
        assert send(client, "/apiCalls/createRecord", body, "multipart/form-data; boundary=b7")["name"] == "Ролик"


def test_http_build_query(client: Any) -> None:
    """PHP's nesting, brackets encoded or not; a menu as JSON text in a field is the same."""
    record = str(client.record())
    fields = {
        "apiKey": client.key, "phones[0]": GOOD, "phones[1]": "+7 (999) 000-00-03", "outgoingPhone": "",
        "dutyPhone": "1", "record[id]": record, "plannedAt": str(int(time.time()) + 9000), "weekdays[]": "",
        "ivrs[0][digit]": "1", "ivrs[0][record][id]": record, "ivrs[0][needBlock]": "0", "ivrs[0][ivrs]": "[]",
        "webhookParameters[order]": "15",
    }  # fmt: skip
    for body in (urlencode(fields), "&".join(f"{name}={quote(value)}" for name, value in fields.items())):
        first, second = send(client, "/apiCalls/create", body, FORM)
        assert (first["phone"], second["phone"]) == (GOOD, BUSY)
        assert json.loads(first["webhookParameters"]) == {"order": "15"}


def test_every_optional_field_is_empty(client: Any) -> None:
    """A form whose fields nobody filled in; PHP's false and null likewise, and what JSON.stringify makes of null."""
    names = (
        "phones", "ivrs", "webhookUrl", "webhookParameters", "webhookHeaders", "startTime", "endTime", "weekdays",
        "smartDelay", "timeout", "robotsBlockEnabled", "detectEndOfSpeech", "voiceDetectionEnabled", "needRecording",
        "needRecognition", "useOutgoingPhoneForManager", "tag", "label", "prevCallId", "dryRun",
    )  # fmt: skip
    told = [order(client, **dict.fromkeys(names, nothing)) for nothing in ("", None, False, [])]
    told.append(order(client, ivrs="null", webhookParameters="null", webhookHeaders="null"))
    for kept in told:
        assert kept["weekdays"] is kept["webhookUrl"] is kept["webhookParameters"] is kept["smartDelay"] is None
        assert (kept["timeout"], kept["needRecording"], kept["label"]) == (30, 0, "127.0.0.1")


def test_empty_elements_of_lists(client: Any) -> None:
    """`idList[]=` of a form, an array with holes."""
    for empty in ("", None, False):
        kept = order(client, weekdays=["1", empty, 2], ivrs=[empty, {"digit": "1", "tag": "yes"}])
        assert kept["weekdays"] == [1, 2]
        [found] = client.data("get", apiCallIdList=[empty, str(kept["id"])])
        [gone] = client.data("remove", idList=[kept["id"], empty], isTemplate="0")
        assert found["id"] == gone["id"] == kept["id"]
        client.refused("get", apiCallIdList=[empty])


def test_empty_elements_of_a_form(client: Any) -> None:
    number = order(client)["id"]
    path = f"/apiCalls/get?apiCallIdList[]={number}&apiCallIdList%5B%5D="
    assert send(client, path, json.dumps({"apiKey": client.key}))[0]["id"] == number


@pytest.mark.parametrize("spelt", ["+{}", " {}\n", "000{}", "{}.0"])
def test_numbers_as_they_are_written(client: Any, spelt: str) -> None:
    """sprintf, a cell of a table, a column that held an empty cell."""
    record = client.record()
    kept = order(
        client, record={"id": spelt.format(record)}, smartDelay=spelt.format(15), timeout=spelt.format(45),
        weekdays=spelt.format(3),
    )  # fmt: skip
    assert (kept["smartDelay"], kept["timeout"], kept["weekdays"]) == (15, 45, [3])
    assert client.data("get", apiCallIdList=[spelt.format(kept["id"])])


@pytest.mark.parametrize("yes", [1, True, 1.0, "1", " 1", "1.0", "true", "True", "TRUE", "on", "On", "Yes", "y"])
def test_yes(client: Any, yes: Any) -> None:
    assert order(client, detectEndOfSpeech=yes)["detectEndOfSpeech"] == 1


@pytest.mark.parametrize(
    "no", [0, False, 0.0, "0", " 0", "0.0", "false", "False", "off", "Off", "No", "NULL", "", None]
)
def test_no(client: Any, no: Any) -> None:
    kept = order(client, detectEndOfSpeech=no, needRecording=no, outgoingPhone=no, dutyPhone=1)
    assert (kept["detectEndOfSpeech"], kept["needRecording"]) == (0, 0)


@pytest.mark.parametrize(
    "phone",
    [
        79990000001, 79990000001.0, "79990000001.0", "+7 (999) 000-00-01", "8 999 000 00 01", " 79990000001\r\n",
        "+7\u00a0999\u00a0000\u201100\u201101", "\u202a+79990000001\u202c", "\ufeff79990000001",
    ],
)  # fmt: skip
def test_telephone_numbers(client: Any, phone: Any) -> None:
    """A number of JSON, a cell of a table, one that was copied from a page."""
    assert order(client, phone=phone)["phone"] == GOOD


def test_ten_digits_of_a_table_are_no_other_number(client: Any) -> None:
    assert client.refused("create", phone="9990000001.0", record={"id": client.record()}, dutyPhone=1)


@pytest.mark.parametrize("write", [float, str, lambda at: str(float(at) + 0.25), lambda at: at + 0.25])
def test_time_with_a_fraction(client: Any, write: Any) -> None:
    """`time.time() + 60`, `Date.now() / 1000`."""
    at = int(time.time()) + 5000
    assert order(client, plannedAt=write(at))["plannedAt"] == at


@pytest.mark.parametrize("nothing", [0, "0", "", None, False])
def test_no_record_is_chosen(client: Any, nothing: Any) -> None:
    """A form has a list of records and a text beside it."""
    kept = order(
        client, record={"id": nothing, "text": "Hello", "gender": True}, ivrs=[{"digit": 1, "record": nothing}]
    )
    assert kept["calls"][0]["status"] == "created"


def test_webhook_headers_name_the_content_type(client: Any) -> None:
    """It is what the service sends anyway; another one would be a lie."""
    kept = order(client, webhookHeaders={"Content-Type": "application/json; charset=utf-8", "X-Token": 5})
    assert kept["webhookHeaders"] == {"X-Token": "5"}
    client.refused("create", phone=GOOD, record={"id": 1}, dutyPhone=1, webhookHeaders={"Content-Type": "text/xml"})


def test_address_with_blanks_around(client: Any) -> None:
    assert order(client, webhookUrl=" https://crm.example/вызов\n")["webhookUrl"] == "https://crm.example/вызов"


def test_parameters_that_cannot_be_sent_on(running: Any, client: Any, receiver: Any) -> None:
    """They are refused at once: found at the call's end, they would keep it from ending."""
    record = {"id": client.record()}
    wanted = {"phone": GOOD, "outgoingPhone": OUTGOING, "record": record, "webhookUrl": receiver.url}
    for text in ('{"a":' * 600 + "1" + "}" * 600, '{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud800"}', '{"\\u0000": 1}'):
        client.refused("create", **wanted, webhookParameters=text)
        client.refused("create", **wanted, ivrs=[{"digit": 1, "webhookParameters": text}])
    deep = '{"a":' * 38 + '"{phone}"' + "}" * 38
    client.until_over(client.create(record["id"], webhookUrl=receiver.url, webhookParameters=deep)["id"])
    assert GOOD in json.dumps(receiver.next()["a"])
