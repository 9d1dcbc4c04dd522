"""Facts and results in words: each type of fact that the engine tells, each disposition, each hang-up cause."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import engine
from api.messages import ENGLISH, RUSSIAN
from api.page import outcomes, telling
from api.page.telling import Clip, Teller
from engine.disposition import FINAL_CODES, OTHER_CODES, Disposition, EndedBy

CLIPS = {"7": Clip("Приветствие", 5000)}
CALL: list[tuple[dict[str, Any], str, str]] = [  # a call: the fact, in English, in Russian
    (
        {"type": "dialing", "at": 100.0, "to": "79161234567", "outgoing": "74951234567"},
        "dials +7 916 123-45-67 from +7 495 123-45-67", "набирает +7 916 123-45-67 с номера +7 495 123-45-67",
    ),
    ({"type": "ringing", "at": 100.5, "code": 180}, "rings", "звонит"),
    ({"type": "early_media", "at": 101.0, "code": 183}, "sound before the answer", "звук до ответа"),
    ({"type": "answered", "at": 103.2}, "answered after 3.2 s", "ответил через 3,2 с"),
    ({"type": "block", "at": 103.2, "block": "menu", "tags": []}, "came to the first block", "перешёл в первый блок"),
    (
        {"type": "prompt_started", "at": 103.2, "play": 1, "clips": ["record 7", "pause 300 ms"]},
        'plays "Приветствие"', "играет «Приветствие»",
    ),
    ({"type": "speech_started", "at": 104.0}, "speaks", "говорит"),
    ({"type": "speech_ended", "at": 105.0}, "fell silent", "замолчал"),
    ({"type": "no_media", "at": 105.5}, "no sound comes from the callee", "от абонента не идёт звук"),
    (
        {"type": "offer_refused", "at": 105.5, "reason": "no codec"},
        "the other side's change of sound was refused", "изменение звука с той стороны отклонено",
    ),
    ({"type": "digit", "at": 107.4, "digit": "1", "channel": "info"}, "pressed 1 after 4.2 s", "нажал 1 через 4,2 с"),
    ({"type": "barge_in", "at": 107.4, "by": "digit"}, "interrupted by a key", "перебил нажатием"),
    (
        {"type": "prompt_ended", "at": 107.4, "play": 1, "heard_ms": 4200, "why": "digit"},
        "stopped by a key after 4.2 s", "остановлено нажатием через 4,2 с",
    ),
    ({"type": "outcome", "at": 107.4, "block": "menu", "outcome": "1", "digits": "1"}, "chose 1", "выбрал 1"),
    ({"type": "block", "at": 107.4, "block": "menu.1.2"}, "came to the block 1 → 2", "перешёл в блок 1 → 2"),
    (
        {"type": "ended", "at": 110.0, "disposition": "answered_human", "digits": "1", "heard_ms": 4200},
        "a person answered, pressed 1 after 4.2 s", "ответил человек, нажал 1 через 4,2 с",
    ),
]  # fmt: skip


def test_a_call_is_told_in_both_languages() -> None:
    for language, column in ((ENGLISH, 1), (RUSSIAN, 2)):
        teller = Teller(CLIPS, timeout_s=30)
        assert [teller.tell(case[0]).render(language) for case in CALL] == [case[column] for case in CALL]


def test_every_type_of_fact_of_the_engine_has_words() -> None:
    sources = [path.read_text() for path in Path(engine.__file__).parent.glob("*.py")]
    told = [kind for source in sources for kind in re.findall(r'\.fact\(\s*"(\w+)"', source)]
    assert len(set(told)) > 17
    for kind in set(told) - {"ended"}:
        said = Teller().tell({"type": kind, "at": 1.0}).render(RUSSIAN)
        assert re.search("[а-яё]", said), kind


def test_another_dialing_begins_anew() -> None:
    teller = Teller(timeout_s=30)
    for fact, _, _ in CALL:
        teller.tell(fact)
    teller.tell({"type": "dialing", "at": 500.0})
    assert teller.tell({"type": "answered", "at": 501.5}).render(ENGLISH) == "answered after 1.5 s"
    ended = {"type": "ended", "at": 509.0, "disposition": "answered", "digits": "", "heard_ms": 61_000}
    assert teller.tell(ended).render(ENGLISH) == "answered, listened for 1:01"


@pytest.mark.parametrize("disposition", list(Disposition))
def test_every_disposition_is_a_sentence(disposition: Disposition) -> None:
    fact = {"type": "ended", "at": 30.0, "disposition": disposition.value, "digits": "", "heard_ms": 0}
    teller = Teller(timeout_s=30)
    said = teller.result(fact)
    assert disposition.value not in said.render(RUSSIAN)
    assert re.search("[а-яё]", said.render(RUSSIAN))
    assert outcomes.tone(disposition.value) in ("good", "warn", "bad")
    assert set(outcomes.DISPOSITIONS) == {known.value for known in Disposition}


def test_no_answer_says_how_long_it_rang() -> None:
    said = Teller(timeout_s=30).result({"type": "ended", "disposition": "no_answer"})
    assert said.render(RUSSIAN) == "не ответил за 30 с"


def test_every_cause_and_side_has_words() -> None:
    causes = {cause for _, cause in [*FINAL_CODES.values(), *OTHER_CODES.values()]} | {16, 19, 38, 79, 102, 127}
    assert causes <= outcomes.CAUSES.keys()
    assert outcomes.cause(99).render(ENGLISH) == "cause 99 of Q.850"
    assert set(outcomes.ENDED_BY) == {side.value for side in EndedBy}


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("ended", "heard to the end: 2 s"), ("voice", "stopped by the callee's voice after 2 s"),
        ("closed", "the call ended after 2 s of it"), ("stopped", "stopped after 2 s"),
    ],
)  # fmt: skip
def test_how_a_prompt_ends(why: str, said: str) -> None:
    fact = {"type": "prompt_ended", "at": 9.0, "heard_ms": 2000, "why": why}
    assert Teller().tell(fact).render(ENGLISH) == said


def test_length_of_what_is_played() -> None:
    assert Teller(CLIPS).plays_ms({"clips": ["record 7", "pause 300 ms"]}) == 5300
    assert Teller(CLIPS).plays_ms({"clips": ["record 7", "record 8"]}) is None
    assert Teller(CLIPS).plays_ms({"clips": []}) is None


def test_markup_in_a_name_stays_a_name() -> None:
    teller = Teller({"7": Clip("<b>{x}</b>", 1)})
    assert (
        teller.tell({"type": "prompt_started", "at": 1.0, "clips": ["record 7"]}).render(ENGLISH)
        == 'plays "<b>{x}</b>"'
    )


def test_blocks() -> None:
    assert telling.block("menu").render(ENGLISH) == "the first block"
    assert telling.block("menu.*.#").render(ENGLISH) == "the block * → #"
    assert telling.block("goodbye").render(ENGLISH) == 'the block "goodbye"'
