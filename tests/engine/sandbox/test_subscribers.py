"""The table of subscribers and its page."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from engine.sandbox import subscribers
from engine.sandbox.sandbox import CLIPS
from engine.sandbox.subscribers import SUBSCRIBERS, Answer, Early, HangUp, Press, Reject, Ring, Say, Wait


def test_the_page_is_the_table() -> None:
    page = (Path(subscribers.__file__).parent / "README.md").read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    assert rows[1:] == [[number, one.does] for number, one in SUBSCRIBERS.items()] + [["any other", "as 001"]]


@pytest.mark.parametrize("number", SUBSCRIBERS)
def test_every_part_is_complete(number: str) -> None:
    steps = SUBSCRIBERS[number].steps
    kinds = [type(step) for step in steps]
    assert kinds[-1] in (Reject, HangUp)
    assert (HangUp in kinds) == (Answer in kinds)
    if Answer in kinds:
        before = kinds[: kinds.index(Answer)]
        assert set(before) <= {Ring, Wait, Early}
    else:
        assert not {Say, Press} & set(kinds)
    assert sum(step.seconds for step in steps if isinstance(step, Wait)) <= 600


def test_all_clips_are_there_and_no_other() -> None:
    assert subscribers.clips() == sorted(path.stem for path in CLIPS.glob("*.wav"))
    for path in CLIPS.glob("*.wav"):
        with wave.open(str(path)) as clip:
            assert (clip.getframerate(), clip.getsampwidth(), clip.getnchannels()) == (8000, 2, 1)
            assert clip.getnframes() < 6 * 8000


@pytest.mark.parametrize(
    ("number", "who"), [("79990000003", "003"), ("003", "003"), ("74950000777", "001"), ("79161234567", "001")]
)
def test_the_last_three_digits_decide(number: str, who: str) -> None:
    assert subscribers.subscriber(number) is SUBSCRIBERS[who]
