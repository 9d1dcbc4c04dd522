"""The clip picker and the room Records in a real browser: its microphone, real files, the real voice and decoder."""

from __future__ import annotations

import io
import re
import time
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from access import serious
from playwright.sync_api import Page, expect
from service import Person, Served
from watcher import Visit, goes_wrong

pytestmark = pytest.mark.peer

# A picker of all four sources on a page of its own, as the emulator has it.
PICKER = """() => {
  const picker = document.createElement("clip-picker");
  picker.setAttribute("name", "record");
  const card = document.createElement("div");
  card.className = "card";
  card.append(picker);
  document.querySelector("main").replaceChildren(card);
  window.told = [];
  picker.addEventListener("changed", () => told.push(picker.value));
}"""


def wav(seconds: float = 1.0) -> bytes:
    file = io.BytesIO()
    sound = 12000 * np.sin(np.arange(int(seconds * 8000)) * 2 * np.pi * 440 / 8000)
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(sound.astype("<i2").tobytes())
    return file.getvalue()


def m4a(path: Path, megabytes: int) -> None:
    """AAC in MP4, as a dictaphone makes it; noise at the highest rate, over and over, so it is large soon."""
    noise = np.random.default_rng(1).normal(0, 0.1, (2, 4 * 96000)).astype(np.float32)
    with av.open(str(path), "w", format="ipod") as out:
        stream = out.add_stream("aac", rate=96000, layout="stereo")
        stream.bit_rate = 1_100_000
        packets = []
        for at in range(0, noise.shape[1] - 1023, 1024):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(noise[:, at : at + 1024]), "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = 96000, at, Fraction(1, 96000)
            packets += [bytes(packet) for packet in stream.encode(frame)]
        for number in range((megabytes << 20) // (sum(map(len, packets)) // len(packets))):
            packet = av.Packet(packets[number % len(packets)])
            packet.stream, packet.time_base = stream, Fraction(1, 96000)
            packet.pts = packet.dts = number * 1024
            packet.duration = 1024
            out.mux(packet)


def picker(page: Page) -> Page:
    page.goto("/records")
    page.evaluate(PICKER)
    return page


def value(page: Page) -> object:
    return page.evaluate("document.querySelector('clip-picker').value")


@pytest.fixture
def person(served: Served, request: pytest.FixtureRequest) -> Person:
    return served.account(f"clips-{request.node.name}"[:60])


def test_text_is_marked_heard_and_told(visit: Visit, person: Person) -> None:
    page = picker(visit(who=person))
    text = page.get_by_role("textbox", name="Текст")
    text.fill("Старый замок")
    text.press("End")
    for _ in range(len("амок")):
        text.press("ArrowLeft")
    page.get_by_role("button", name="+ ударение").click()
    text.press("End")
    page.get_by_role("button", name="пауза").click()
    text.press_sequentially("ждёт")
    page.get_by_role("radio", name="Мужской голос").check()
    assert value(page) == {"text": "Старый з+амок <-> ждёт", "gender": 1}
    page.get_by_role("button", name="Прослушать предварительно").click()
    page.locator("clip-player[playing]").wait_for()
    assert person.post("getRecords") == []
    assert page.evaluate("told.at(-1)") == value(page)


def test_microphone(visit: Visit, person: Person) -> None:
    page = picker(visit(who=person, microphone="granted"))
    page.get_by_role("tab", name="Микрофон").click()
    page.get_by_role("button", name="Записать", exact=True).click()
    heard = page.locator("clip-picker canvas")
    expect(heard).to_be_visible()
    expect(page.get_by_text("0:02", exact=True)).to_be_visible()  # the fake device beeps once a second
    page.get_by_role("button", name="Стоп").click()
    expect(page.get_by_role("button", name="Записать заново")).to_be_focused()
    expect(page.get_by_role("button", name="Слушать: запись")).to_be_visible()
    page.get_by_role("button", name="Сохранить запись").click()
    chosen = page.locator(".clip-chosen")
    expect(chosen.get_by_text("Запись от")).to_be_visible()
    expect(chosen.locator(".state")).to_have_text("Готов")
    record = person.post("getRecords")[0]
    assert value(page) == page.evaluate("told.at(-1)") == {"id": record["id"]}


def test_denied_microphone_says_what_to_do(visit: Visit, person: Person) -> None:
    page = picker(visit(who=person))
    page.evaluate(
        "void (navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError') })"
    )
    page.get_by_role("tab", name="Микрофон").click()
    page.get_by_role("button", name="Записать", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="разрешите микрофон")).to_be_visible()
    page.evaluate(
        "void (navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError') })"
    )
    page.get_by_role("button", name="Записать", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Микрофон не найден")).to_be_visible()


def test_files(visit: Visit, person: Person, tmp_path: Path) -> None:
    long, noise = tmp_path / "привет.m4a", tmp_path / "noise.mp3"
    m4a(long, 20)
    assert 19 << 20 < long.stat().st_size < 22 << 20
    noise.write_bytes(b"no sound at all" * 100)
    page = picker(visit(who=person))
    goes_wrong(page, "422")
    page.get_by_role("tab", name="Аудиофайл").click()
    expect(page.get_by_text("до 25 МБ")).to_be_visible()
    page.set_input_files("input[type=file]", noise)
    expect(page.get_by_role("alert").filter(has_text="noise.mp3")).to_be_visible()
    assert value(page) is None
    page.set_input_files("input[type=file]", long)
    expect(page.locator(".clip-chosen").get_by_text("привет")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("alert").filter(has_text="noise.mp3")).not_to_be_visible()
    assert value(page) == {"id": person.post("getRecords")[0]["id"]}


def test_saved_are_searched_and_chosen(visit: Visit, person: Person) -> None:
    first = person.record(wav(), "<i>Первый</i>")
    second = person.record(wav(2), "Второй")
    page = picker(visit(who=person))
    page.get_by_role("tab", name="Сохраненные").click()
    rows = page.locator(".clip-list li")
    expect(rows).to_have_count(2)
    page.get_by_placeholder("Поиск по названию и тексту").fill("ПЕРВЫЙ")
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name="Выбрать").click()
    assert value(page) == {"id": first}
    expect(page.locator(".clip-chosen b")).to_have_text("<i>Первый</i>")
    page.evaluate(f"document.querySelector('clip-picker').value = {{id: '{second}'}}")
    expect(page.locator(".clip-chosen b")).to_have_text("Второй")
    page.evaluate("document.querySelector('clip-picker').value = {id: 999999}")
    expect(page.get_by_role("alert").filter(has_text="Аудиоролика 999999 нет")).to_be_visible()
    page.get_by_role("button", name="Выбрать другой").click()
    assert value(page) is None
    page.evaluate("document.querySelector('clip-picker').errors = {text: ['нужен текст'], '': ['целиком']}")
    expect(page.get_by_role("textbox", name="Текст")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("нужен текст")).to_be_visible()
    expect(page.get_by_text("целиком")).to_be_visible()


def test_player_by_keyboard_and_one_at_a_time(visit: Visit, person: Person) -> None:
    for name in ("first", "second"):
        person.record(wav(20), name)
    page = visit(who=person, language="en", to="/records")
    slider = page.get_by_role("slider", name="Position in first")
    expect(page.locator("tr clip-player .clip-all path").first).to_have_attribute("d", re.compile("V3[01]"))  # drawn
    page.get_by_role("button", name="Play first").click()
    expect(page.get_by_role("button", name="Pause first")).to_be_visible()
    page.get_by_role("button", name="Play second").click()
    expect(page.get_by_role("button", name="Pause second")).to_be_visible()
    expect(page.get_by_role("button", name="Play first")).to_be_visible()
    slider.press("Home")
    slider.press("PageUp")
    slider.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "0:09 of 0:20")


@pytest.mark.parametrize("width", [360, 1280])
def test_records_are_made_renamed_deleted(visit: Visit, person: Person, width: int) -> None:
    page = visit(who=person, width=width, language="en", theme="dark", to="/records")
    page.get_by_text("New record").click()
    page.locator("#new-name").fill("Of the text")
    page.get_by_role("textbox", name="Text", exact=True).fill("Hello")
    page.get_by_role("button", name="Create the record").click()
    row = page.locator("tr[data-record]")
    expect(row.get_by_role("link", name="Of the text", exact=True)).to_be_visible()
    row.get_by_role("link", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("<u>new</u>")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(row.get_by_role("link", name="<u>new</u>", exact=True)).to_be_visible()
    assert serious(page) == []
    number = person.post("getRecords")[0]["id"]
    called = {"phone": "79990000001", "dutyPhone": 1, "record": {"id": number}, "plannedAt": int(time.time()) + 3600}
    planned = person.post("create", **called)[0]["id"]
    goes_wrong(page, "409")
    row.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="planned calls")).to_be_visible()
    person.post("remove", idList=[planned])
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("There are no records yet")).to_be_visible()
    assert person.post("getRecords") == []


def test_reads_without_scripts(visit: Visit, person: Person) -> None:
    person.record(wav(), "plain")
    page = visit(who=person, language="en", to="/records", scripts=False)
    page.get_by_label("Search by name and text").fill("PLA")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="plain", exact=True).click()
    expect(page.get_by_role("heading", name="plain")).to_be_visible()
    page.get_by_label("Name").fill("renamed")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="renamed")).to_be_visible()
