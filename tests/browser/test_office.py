"""The office as people use it: webhooks that are hostile or fail, a receiver that is looked at, a list to import."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2
import pytest
from access import serious
from playwright.sync_api import Page, expect
from service import Person, Served
from watcher import Visit
from world import BUSY, CLIPS, HOSTILE, OUTGOING

pytestmark = pytest.mark.peer


class _Hostile(BaseHTTPRequestHandler):
    """Answers the first webhook with markup and 500, the others with 200."""

    failed = False

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        code = 200 if type(self).failed else 500
        type(self).failed = True
        self.send_response(code)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(HOSTILE.encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def hostile() -> Iterator[str]:
    _Hostile.failed = False
    server = HTTPServer(("127.0.0.1", 0), _Hostile)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def _call(person: Person, webhook: str) -> int:
    clip = person.record((CLIPS / "greeting.wav").read_bytes())
    asked = {"phone": BUSY, "outgoingPhone": OUTGOING, "record": {"id": clip}, "webhookUrl": webhook}
    return int(person.post("create", **asked)[0]["id"])


def _webhook(page: Page, call: int) -> None:
    page.goto(f"/webhooks?call={call}")
    expect(page.locator("#deliveries tbody tr")).to_have_count(1)


def test_hostile_answer_is_text_and_the_webhook_is_sent_again(visit: Visit, served: Served, hostile: str) -> None:
    person = served.account("webhooks")
    call = _call(person, hostile)
    page = visit(who=person, to="/webhooks")
    row = page.locator("#deliveries tbody tr")
    expect(row).to_contain_text("ждёт следующей попытки")
    expect(row).to_contain_text("<img src=//elsewhere.example/x")
    page.get_by_role("button", name="Отправить ещё раз неудачные…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Будет отправлено: 1.")
    assert serious(page) == []
    dialog.get_by_role("button", name="Отправить ещё раз").click()
    expect(dialog).to_be_hidden()
    expect(row).to_contain_text("доставлен")
    _webhook(page, call)
    row.get_by_role("link", name="конец звонка").click()
    expect(page.locator("[data-answer]").first).to_have_text(HOSTILE)
    expect(page.locator(".try")).to_have_count(2)
    assert serious(page) == []


def test_receiver_shows_what_comes_while_one_looks(visit: Visit, served: Served) -> None:
    person = served.account("receiver")
    page = visit(who=person, to="/receiver", language="en", width=360)
    address = page.get_by_label("Address of the receiver").input_value()
    expect(page.locator("#caught")).to_contain_text("Nothing came yet")
    httpx2.post(address, content=HOSTILE)
    came = page.locator("#caught details")
    expect(came).to_have_count(1)
    expect(came.locator("[data-body]")).to_have_text(HOSTILE)
    came.locator("summary").click()
    _call(person, address)
    expect(came).to_have_count(2)
    expect(came.first).to_contain_text("signature is right")
    expect(came.last).not_to_have_attribute("open", "")  # what was folded stays so
    assert serious(page) == []
    page.get_by_role("link", name="Use it in the emulator").click()
    expect(page.locator("#webhookUrl")).to_be_visible()
    expect(page.locator("#webhookUrl")).to_have_value(address)


def test_pasted_list_is_looked_at_before_it_is_taken(visit: Visit, served: Served) -> None:
    page = visit(who=served.account("stops"), to="/stop-list", language="en")
    page.get_by_label("or a pasted list").fill(f"8 999 000-00-05; {HOSTILE}\n12")
    page.get_by_role("button", name="Look what would be taken").click()
    expect(page.locator("main")).to_contain_text("Would be taken: 1")
    assert serious(page) == []
    page.get_by_role("button", name="Put 1 on the stop list").click()
    row = page.locator("main tbody tr")
    expect(row).to_have_count(1)  # the table before it had two
    expect(row).to_contain_text(HOSTILE)
    row.get_by_role("button", name="Take +7 999 000-00-05 off").click()
    expect(page.locator("main")).to_contain_text("The list is empty")
