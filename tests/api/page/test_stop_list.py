"""The room of the stop list: any form of a number, files as people have them, and taking off."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from page_visitor import signed_in

from api import stop_import
from api.store import stop_list


@pytest.fixture
def page(running: Any, client: Any) -> Iterator[httpx2.Client]:
    with signed_in(running.service.database, running.url) as visitor:
        yield visitor


def _listed(running: Any) -> dict[str, str]:
    with running.service.database.read() as db:
        return {entry.phone: entry.comment for entry in stop_list.every(db, 1, 0, 1000)}


def test_any_form_of_a_number_is_taken(running: Any, client: Any, page: httpx2.Client) -> None:
    answer = page.post("/stop-list/add", data={"phone": " 8 (999) 000-00-01 ", "comment": "<b>\0no</b>"})
    assert answer.status_code == 303
    assert _listed(running) == {"79990000001": "<b>no</b>"}
    told = page.get(answer.headers["location"]).text
    assert "&lt;b&gt;no&lt;/b&gt;" in told
    assert "<b>no</b>" not in told
    assert client.refused("create", phone="79990000001", dutyPhone=1, record={"id": client.record()})


def test_what_is_no_number_is_said_and_kept(running: Any, page: httpx2.Client) -> None:
    answer = page.post("/stop-list/add", data={"phone": '12"<', "comment": "why"})
    assert answer.status_code == 422
    assert "is no telephone number" in answer.text
    assert 'value="12&#34;&lt;"' in answer.text
    assert 'value="why"' in answer.text
    assert _listed(running) == {}


def test_taken_off(running: Any, client: Any, page: httpx2.Client) -> None:
    page.post("/stop-list/add", data={"phone": "79990000001"})
    running.client("other")
    with signed_in(running.service.database, running.url, "other") as other:
        other.post("/stop-list/remove", data={"id": "1"})
    assert _listed(running)
    answer = page.post("/stop-list/remove", data={"id": "1"})
    assert _listed(running) == {}
    assert "may be called again" in page.get(answer.headers["location"]).text
    assert page.post("/stop-list/remove", data={"id": "x"}).status_code == 303


def test_search_by_the_beginning(running: Any, page: httpx2.Client) -> None:
    with running.service.database.write() as db:
        phones = ["74951234567", "79161234567", "79161999999", "99812345678"]
        stop_list.add(db, 1, {phone: f"comment {phone}" for phone in phones}, 1.0)
    for asked, found in (
        ("8 916 1", ["79161234567", "79161999999"]), ("+7 (495)", ["74951234567"]), ("9161999999", ["79161999999"]),
        ("99", ["99812345678"]), ("79161234567", ["79161234567"]), ("abc", []), ("5", []),
    ):  # fmt: skip
        told = page.get("/stop-list", params={"q": asked}).text
        assert [phone for phone in phones if f"comment {phone}" in told] == found, asked


def test_turned_over_by_key(running: Any, page: httpx2.Client) -> None:
    with running.service.database.write() as db:
        stop_list.add(db, 1, {f"7999000{number:04}": f"n{number:04}" for number in range(60)}, 1.0)
    first = page.get("/stop-list").text
    assert "n0059" in first
    assert 'href="/stop-list?before=11"' in first
    second = page.get("/stop-list?before=11").text
    assert "n0009" in second
    assert "n0010" not in second


def test_import_shows_before_it_does(running: Any, page: httpx2.Client) -> None:
    page.post("/stop-list/add", data={"phone": "79990000003", "comment": "old"})
    text = "Телефон;Комментарий\n8 999 000-00-01;просил\n79990000001;again\n12;x\n+7 999 000 00 03;new\n\n79990000002"
    file = {"file": ("list.csv", text.encode("cp1251"), "text/csv")}
    answer = page.post("/stop-list/look", files=file)
    assert answer.status_code == 200
    for told in ("Would be taken: 2", "already on the list: 1", "not taken: 2", "stands in line 2 already", "просил"):
        assert told in answer.text
    assert _listed(running) == {"79990000003": "old"}
    ready = answer.text.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0]
    page.post("/stop-list/take", data={"text": ready})
    assert _listed(running) == {"79990000003": "old", "79990000001": "просил", "79990000002": ""}


def test_pasted_hostile_text_is_text(page: httpx2.Client) -> None:
    answer = page.post("/stop-list/look", data={"text": "79990000001;</textarea><script>alert(1)</script>"})
    assert "<script>alert(1)" not in answer.text
    assert "Would be taken: 1" in answer.text


@pytest.mark.parametrize("given", [{}, {"text": "  \n"}])
def test_nothing_to_import(page: httpx2.Client, given: dict[str, str]) -> None:
    answer = page.post("/stop-list/look", data=given)
    assert answer.status_code == 422
    assert "Choose a file" in answer.text


def test_csv_can_be_imported_again(running: Any, page: httpx2.Client) -> None:
    with running.service.database.write() as db:
        stop_list.add(db, 1, {"79990000001": 'a "b"; c', "79990000002": "=1+1"}, 1.0)
    saved = page.get("/stop-list.csv").text
    rows = list(csv.reader(io.StringIO(saved.removeprefix("\ufeff"))))
    assert [row[:2] for row in rows[1:]] == [["79990000001", 'a "b"; c'], ["79990000002", "'=1+1"]]
    lines = stop_import.lines(stop_import.decoded(saved.encode()))
    assert [line.phone for line in lines] == ["79990000001", "79990000002"]
    assert all(line.problem is None for line in lines)


def test_a_list_without_end_is_cut() -> None:
    lines = stop_import.lines("1\n" * (stop_import.MAX_LINES + 10))
    assert len(lines) == stop_import.MAX_LINES


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_encodings(encoding: str) -> None:
    assert stop_import.decoded("79990000001;нет".encode(encoding)) == "79990000001;нет"
