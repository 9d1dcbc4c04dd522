"""Stress in Russian as espeak-ng speaks it: asked of the real library, against one that knows marks.

The right-hand side is what espeak-ng 1.52 says with the dictionary of piper-tts 1.8, which honours U+0301, for the same
word and mark. Reduced vowels that sound the same (a, V; i, I) are not told apart.
"""

from __future__ import annotations

import pytest

from engine.speech import espeak
from engine.speech.espeak_child import Library
from engine.speech.stress import move

ALIKE = str.maketrans({"a": "V", "A": "V", "I": "i", "#": None, '"': None, "_": None, "2": None})


@pytest.fixture(scope="module")
def library() -> Library:
    found = espeak.library()
    assert found is not None
    return Library(found.file, str(found.data), "ru")


@pytest.mark.parametrize(
    ("marked", "spoken"),
    [
        ("з+амок", "z_'A_m_V_k"), ("зам+ок", "z_a_m_'o_k"),
        ("м+олоко", "m_'o_l_V_k_V"), ("мол+око", "m_V_l_'o_k_V"), ("молок+о", "m_V_l_V_k_'o"),
        ("зв+онит", "z_v_'o_n_;_i_t"), ("звон+ит", "z_v_V_n_;_'i_t"),
        ("пл+ачу", "p_l_'A_tS;_u#"), ("плач+у", "p_l_a_tS;_'u\""),
        ("м+ука", "m_'u_k_a#"), ("мук+а", "m_u_k_'A"),
        ("б+ольшая", "b_'o_l_S_V_ja"), ("больш+ая", "b_V_l_S_'A_ja"),
        ("стр+елки", "s_t_@-_r_;_'e_l_k_;_I"), ("стрелк+и", "s_t_@-_r_;_i_l_k_;_'i"),
        ("хл+опок", "x_l_'o_p_V_k"), ("хлоп+ок", "x_l_V_p_'o_k"),
        ("+атлас", "'A_t_l_V_s"), ("атл+ас", "a_t_l_'A_s"),
        ("+орган", "'o_r_g_V_n_"), ("орг+ан", "V_r_g_'A_n_"),
        ("пр+опасть", "p_@-_r_'o_p_V_s_t;"),
        ("янв+арь", "ja_n_v_'A_R_I^"),
    ],
)  # fmt: skip
def test_a_stress_that_moves(library: Library, marked: str, spoken: str) -> None:
    at = marked.index("+")
    word = marked.replace("+", "")
    moved = move(word, library.phonemes(word), at)
    assert moved is not None
    assert moved.translate(ALIKE) == spoken.translate(ALIKE)


def test_another_case_is_the_same(library: Library) -> None:
    assert move("ЗАМОК", library.phonemes("ЗАМОК"), 1) == move("замок", library.phonemes("замок"), 1)


@pytest.mark.parametrize("word", ["США", "Wi", "моckва", "молоко" * 30])
def test_what_cannot_be_paired_is_left(library: Library, word: str) -> None:
    assert move(word, library.phonemes(word), len(word) - 1) is None


def test_given_phonemes_are_spoken(library: Library) -> None:
    lock, castle, moved = library.say("замок"), library.say(" [[z'AmVk]] "), library.say(" [[zam'ok]] ")
    assert abs(len(castle) - len(lock)) > len(lock) * 0.05
    assert abs(len(moved) - len(lock)) < len(lock) * 0.01
