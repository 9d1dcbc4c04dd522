"""A call watched in a browser to its webhook; a stream that breaks and comes back; what waits is cancelled."""

from __future__ import annotations

import io
import re
import time
import wave
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from access import serious
from playwright.sync_api import Page, expect
from service import Served
from watcher import Visit, goes_wrong, until

pytestmark = pytest.mark.peer
OUTGOING = "79932432781"
ANSWER = "<b>taken</b><script>alert(1)</script>"


@pytest.fixture(scope="module")
def customer() -> Iterator[str]:
    """A customer's server, which answers with markup."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER.encode())

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    server.shutdown()
    thread.join()
    server.server_close()


def clip(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(bytes(range(256)) * int(seconds * 8000 * 2 / 256))
    return file.getvalue()


def test_call_is_watched_to_its_webhook(visit: Visit, served: Served, customer: str) -> None:
    person = served.account("watcher")
    greeting, thanks = person.record(clip(6), "<i>Приветствие</i>"), person.record(clip(0.5), "Спасибо")
    number = person.post(
        "create", phone="79990000001", outgoingPhone=OUTGOING, record={"id": greeting}, webhookUrl=customer,
        needRecording=1, ivrs=[{"digit": 1, "record": {"id": thanks}, "tag": "yes", "managerPhone": "79990000016"}],
    )[0]["id"]  # fmt: skip
    page = visit(who=person, to=f"/calls/{number}")
    watch = page.locator("call-watch")
    expect(watch.locator("li").get_by_text("играет «<i>Приветствие</i>»")).to_be_visible()
    bar = watch.locator("progress").first
    was = bar.evaluate("bar => bar.value")
    until(page, f"document.querySelector('call-watch progress').value > {was}")
    expect(watch.locator(".watch-keys kbd")).to_have_text("1")
    expect(watch.locator("progress.cut")).to_have_count(1)
    # When all is told, the page is made anew, with the picture of the call.
    expect(page.locator("#result")).to_contain_text("нажал 1 через", timeout=20_000)
    expect(page.locator(".timeline circle.key")).to_have_count(1)
    expect(page.locator("#webhooks .answer")).to_have_text(ANSWER)
    expect(page.locator("#result")).to_contain_text("до менеджера не дозвонились: занято")
    assert serious(page) == []
    is_heard_drawn_and_sought_in(page)


def is_heard_drawn_and_sought_in(page: Page) -> None:
    """The recording of the call on its page: 001 says hello, and presses 1 after 3 s."""
    player = page.locator("recording-player")
    player.scroll_into_view_if_needed()
    for side in ("callee", "us"):
        expect(player.locator(f".clip-all path.{side}")).to_have_attribute("d", re.compile("M0 .*Z"))
    expect(player.locator(".mark")).to_have_count(4)  # two clips, the key, the manager who is called
    digit, line = player.locator(".mark.digit"), player.get_by_role("slider")
    digit.focus()
    expect(player.locator(".recording-said")).to_contain_text("нажал 1 через")
    page.keyboard.press("Enter")
    expect(line).to_have_attribute("aria-valuenow", digit.get_attribute("data-at") or "")
    line.press("Home")
    player.get_by_role("button", name="Слушать").click()
    until(page, "document.querySelector('recording-player .clip-wave').ariaValueNow > 100")
    page.set_viewport_size({"width": 360, "height": 720})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Скачать").click()
    with wave.open(str(download.value.path())) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)


def test_watch_says_that_the_service_is_away_and_comes_back(visit: Visit, served_alone: Served) -> None:
    person = served_alone.account("keeper")
    record = person.record(clip(1))
    number = person.post(
        "create", phone="79990000001", outgoingPhone=OUTGOING, record={"id": record}, plannedAt=int(time.time()) + 3600
    )[0]["id"]
    page = visit(who=person, to=f"/calls/{number}")
    expect(page.locator(".watch-now")).to_have_text("Ждёт: назначенного времени")
    goes_wrong(page, "ERR_")
    goes_wrong(page, "Failed to load resource")
    served_alone.end()
    expect(page.locator("call-watch .callout")).to_be_visible()
    served_alone.start()
    expect(page.locator("call-watch .callout")).to_be_hidden(timeout=20_000)
    person.post("remove", idList=[number])
    expect(page.locator("#result")).to_have_text("отменён", timeout=20_000)


def test_what_waits_is_cancelled_after_a_question(visit: Visit, served: Served) -> None:
    person = served.account("planner")
    record, later = person.record(clip(1)), int(time.time()) + 7200
    phones = [f"7999000010{place}" for place in range(3)]
    person.post("create", phones=phones, outgoingPhone=OUTGOING, record={"id": record}, plannedAt=later)
    page = visit(who=person, width=360, theme="dark", to="/plans")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.locator("tbody tr").first.get_by_role("button").click()
    page.get_by_role("button", name="Не отменять").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_role("button", name="Отменить все").click()
    expect(page.locator("dialog")).to_contain_text("Отменить все ожидающие здесь звонки: 3?")
    assert serious(page) == []
    page.get_by_role("button", name="Отменить звонки").click()
    expect(page.get_by_text("Ничего не ждёт")).to_be_visible()


def test_table_moves_without_a_reload(visit: Visit, served: Served) -> None:
    person = served.account("reader")
    record = person.record(clip(1))
    page = visit(who=person, to="/calls", language="en")
    expect(page.get_by_text("No call was made yet.")).to_be_visible()
    page.evaluate("window.same = true")
    person.post("create", phone="79990000003", outgoingPhone=OUTGOING, record={"id": record})
    expect(page.locator("tbody .state")).to_have_text("busy", timeout=30_000)
    assert page.evaluate("window.same") is True
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    told = download.value.path().read_text("utf-8-sig")
    assert "79990000003" in told
