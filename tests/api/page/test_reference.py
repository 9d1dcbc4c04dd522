"""The reference tells the whole document, and what it shows is true."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import jsonschema_rs
import pytest

from api.delivery import signature
from api.messages import in_language
from api.openapi.document import document
from api.openapi.manual import EXAMPLES, TYPES, Entry, Field, manual, texts
from api.page import samples

DOCUMENT = document()
SCHEMAS = DOCUMENT["components"]["schemas"]
ENTRIES = [entry for group in manual() for entry in group.entries]


@pytest.fixture
def page(running: Any) -> Iterator[httpx2.Client]:
    """Nobody is signed in."""
    with httpx2.Client(base_url=running.url, headers={"accept-language": "en"}) as client:
        yield client


def _resolved(schema: Any) -> Any:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    return schema


def _names(schema: Any, seen: tuple[str, ...] = ()) -> set[str]:
    """All names of fields below a schema, found without the reader that is tested."""
    name = schema.get("$ref", "")
    if name in seen:
        return set()
    known, seen = _resolved(schema), (*seen, name) if name else seen
    found = set(known.get("properties", {})) if known.get("additionalProperties") is not True else set()
    parts = [*known.get("properties", {}).values(), *known.get("anyOf", ()), *known.get("oneOf", ()),
             *known.get("allOf", ())]  # fmt: skip
    if "items" in known:
        parts.append(known["items"])
    return found.union(*(_names(part, seen) for part in parts))


def _all(fields: tuple[Field, ...]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _all(field.fields)


def _told(entry: Entry) -> set[str]:
    shapes = [shape.fields for reply in entry.replies for shape in reply.shapes]
    return {field.name for fields in (entry.fields, entry.parameters, *shapes) for field in _all(fields)}


def test_every_operation_is_there_under_its_name(page: httpx2.Client) -> None:
    text = page.get("/reference").text
    operations = [told for verbs in DOCUMENT["paths"].values() for told in verbs.values()]
    assert len(operations) == len(ENTRIES) > 20
    for operation in operations:
        assert f'<article class="card entry" id="{operation["operationId"]}">' in text


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_every_field_of_an_operation_is_told(entry: Entry) -> None:
    operation = DOCUMENT["paths"][entry.path][entry.verb.lower()]
    wanted = {one["name"] for one in operation.get("parameters", [])}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    wanted |= _names(body)
    for reply in operation["responses"].values():
        for told in reply.get("content", {}).values():
            data = _resolved(told["schema"]).get("properties", {}).get("data", told["schema"])
            if "code" not in _resolved(data).get("properties", {}) or "message" not in _resolved(data)["properties"]:
                wanted |= _names(data)
    assert wanted <= _told(entry)
    codes = re.findall(r"`(\w+)`: ", " ".join(reply["description"] for reply in operation["responses"].values()))
    assert sorted(codes) == sorted(code for reply in entry.replies for code in reply.codes)


def test_every_field_has_a_place_on_the_page(page: httpx2.Client) -> None:
    text = page.get("/reference").text
    anchors = re.findall(r'<tr id="([^"]+)"', text)
    shapes = [shape.fields for entry in ENTRIES for reply in entry.replies for shape in reply.shapes]
    wanted = [field.anchor for fields in (*(e.fields for e in ENTRIES), *(e.parameters for e in ENTRIES), *shapes)
              for field in _all(fields)]  # fmt: skip
    assert sorted(anchors) == sorted(wanted)
    assert len(set(anchors)) == len(anchors)
    assert "apiCalls_create.ivrs.digit" in anchors
    for code in {code for entry in ENTRIES for reply in entry.replies for code in reply.codes}:
        assert f'href="/errors/{code}"' in text


def test_what_must_be_there_is_said() -> None:
    create = {field.name: field.required for field in _entry("apiCalls_create").fields}
    assert (create["record"], create["phone"], create["phones"], create["label"]) == ("yes", "one", "one", "")


def test_the_page_is_in_both_languages(page: httpx2.Client) -> None:
    english = page.get("/reference").text
    russian = page.get("/reference", headers={"accept-language": "ru"}).text
    assert 'lang="ru"' in russian
    assert "How long it may ring." in english
    assert "How long it may ring." not in russian
    assert "Сколько ждать ответа." in russian
    for text in texts():
        assert in_language(text, "ru") != text


def test_examples_would_be_taken() -> None:
    seen = set()
    for entry in ENTRIES:
        for field in _all(entry.fields):
            schema = _schema_of(entry, field)
            if field.example and schema is not None:
                seen.add(field.name)
                _validate(schema, json.loads(field.example))
    assert set(EXAMPLES) <= seen


def _validate(schema: Any, value: Any) -> None:
    jsonschema_rs.Draft202012Validator(schema | {"components": {"schemas": SCHEMAS}}).validate(value)


def _schema_of(entry: Entry, field: Field) -> Any:
    body = DOCUMENT["paths"][entry.path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    found = _resolved(body)
    for name in field.anchor.split(".")[1:]:
        inner = _object(found)
        if inner is None or name not in inner["properties"]:
            return None
        found = inner["properties"][name]
    return found


def _object(schema: Any) -> Any:
    known = _resolved(schema)
    if "properties" in known and known.get("type") == "object":
        return known
    for part in (*known.get("anyOf", ()), *known.get("allOf", ()), *([known["items"]] if "items" in known else [])):
        if part.get("$ref", "").endswith("/Anything"):
            continue
        found = _object(part)
        if found is not None:
            return found
    return None


def _entry(name: str) -> Entry:
    return next(entry for entry in ENTRIES if entry.id == name)


def test_every_kind_has_a_type() -> None:
    from api.kinds import SCHEMAS as KINDS

    assert set(TYPES) == set(KINDS)


def test_the_check_of_the_signature_knows_ours() -> None:
    names: dict[str, Any] = {}
    exec(samples.CHECKS["Python"], names)
    secret = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
    body = samples.end()
    headers = signature(secret, 7, time.time(), body)
    check = names["is_from_zvonar"]
    assert check(secret, headers, body.encode())
    assert not check(secret, headers, body.encode() + b" ")
    assert not check(secret, headers | {"webhook-id": "msg_8"}, body.encode())


def test_bodies_of_webhooks_are_as_the_service_makes_them() -> None:
    end, block = json.loads(samples.end()), json.loads(samples.block())
    _validate({"$ref": "#/components/schemas/ApiCall"}, end["apiCalls"][0])
    assert end["order"] == block["order"] == 15
    assert block["call"]["answer"] == "1"


def test_pages_are_compressed_for_people_and_not_for_neighbours(page: httpx2.Client) -> None:
    packed = page.get("/reference", headers={"accept-encoding": "gzip", "sec-fetch-site": "none"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert len(gzip.compress(packed.content, 5)) < 40_000
    plain = page.get("/reference", headers={"accept-encoding": "gzip", "sec-fetch-site": "same-site"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content
    assert "content-encoding" not in page.get("/reference", headers={"accept-encoding": "identity"}).headers
    assert "content-encoding" not in page.get("/openapi.json", headers={"accept-encoding": "gzip"}).headers
