"""Texts to pieces: marks of stress and pauses are read, everything that is no word is gone."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.speech.error import SpeechError
from engine.speech.marks import (
    MAX_CHARACTERS,
    MAX_PAUSE_MS,
    MAX_PAUSES,
    VOWELS,
    Pause,
    Words,
    marked_word,
    plain,
    read,
    word_bounds,
)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("з+амок", (Words("замок", (1,)),)),
        ("з<<<амок", (Words("замок", (1,)),)),
        ("за>>>мок", (Words("замок", (1,)),)),
        ("за\u0301мок", (Words("замок", (1,)),)),
        ("+<<<а", (Words("а", (0,)),)),
        ("<<<а>>> +О", (Words("а О", (0, 2)),)),
        ("+\u00adа>>>\u0301", (Words("а", (0,)),)),
        ("1+1", (Words("1+1"),)),
        ("C++ and A+", (Words("C++ and A+"),)),
        ("+7 999", (Words("+7 999"),)),
        ("р+екорд <-> r+ecord", (Words("рекорд", (1,)), Pause(500), Words("record", (1,)))),
        ("<->да<-> <->\n<->", (Pause(500), Words("да"), Pause(1500))),
        ("да<->...<->нет", (Words("да"), Pause(1000), Words("нет"))),
        ("  много \t\r\n пробелов ", (Words("много пробелов"),)),
        ("ёлка и елка", (Words("ёлка и елка"),)),
        ("caf\u0065\u0301", (Words("café"),)),
    ],
)
def test_marks(text: str, pieces: tuple[object, ...]) -> None:
    assert read(text) == pieces


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ('<speak>Привет, <break time="3s"/>мир</speak>', "Привет, мир"),
        ("a <!-- x --> b <?xml version='1.0'?>", "a b"),
        ("a<b and c>d", "a b and c d"),
        ("[[h@l'oU]] {x} `id` $(id); --help", "h@l'oU x id $(id); --help"),
        ("да\0\x01\x1b[0m\x7fнет", "да 0m нет"),
        ("да \ud800 нет", "да нет"),
        ("привет 😀👍🏽 друг", "привет друг"),
        ("№ 5, 20 °C", "№ 5, 20 °C"),
        ("пере\u00adнос и нуль\u200bпробел", "перенос и нульпробел"),
        ("-v ru", "-v ru"),
    ],
)
def test_what_is_no_word_is_not_spoken(text: str, spoken: str) -> None:
    assert plain(read(text)) == spoken


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "text_has_no_word"),
        ("... <-> ?! +", "text_has_no_word"),
        ("\0\ud800😀", "text_has_no_word"),
        ("<speak></speak>", "text_has_no_word"),
        ("а" * (MAX_CHARACTERS + 1), "text_too_long"),
        ("<->а" * (MAX_PAUSES + 1), "too_many_pauses"),
    ],
)
def test_what_cannot_be_spoken(text: str, code: str) -> None:
    with pytest.raises(SpeechError) as caught:
        read(text)
    assert caught.value.code == code
    assert len(str(caught.value).splitlines()) == 1


def test_pauses_in_a_row_are_bounded() -> None:
    assert read("а" + "<->" * 1000 + "б")[1] == Pause(MAX_PAUSE_MS)


def test_the_word_of_a_mark() -> None:
    (words,) = read("Кто-т+о в «з+амке».")
    assert isinstance(words, Words)
    assert [marked_word(words, at) for at in words.stressed] == ["т+о", "з+амке"]
    assert word_bounds("да нет", 4) == (3, 6)


alphabet = st.text(st.sampled_from("аоеё+<>-aeБ1 .\u0301&\"'/speak=") | st.characters(codec=None), max_size=60)


@given(alphabet)
def test_any_text_is_pieces_or_an_error(text: str) -> None:
    try:
        pieces = read(text)
    except SpeechError:
        return
    assert not any(isinstance(one, Pause) and isinstance(two, Pause) for one, two in pairwise(pieces))
    for piece in pieces:
        if isinstance(piece, Words):
            assert any(map(str.isalnum, piece.text))
            assert all(piece.text[at] in VOWELS for at in piece.stressed)
            assert list(piece.stressed) == sorted(set(piece.stressed))
            assert not set(piece.text) & set("<>[]{}\\`")
            assert all(unicodedata.category(character)[0] != "C" for character in piece.text)
            assert not re.search("\\+[аоеё]|[аоеё]\u0301", piece.text)  # nothing is left that a voice takes for a mark
            piece.text.encode()


@given(st.text("абвгдеёжз ,.", max_size=40).filter(lambda text: any(map(str.isalnum, text))))
def test_a_text_without_marks_is_itself(text: str) -> None:
    assert read(text) == (Words(" ".join(text.split())),)
