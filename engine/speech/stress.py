"""Moves the stress of a Russian word in espeak-ng's phonemes, as its own rules would have it.

The dictionary of the espeakng-loader wheel ignores marks of stress, but espeak-ng speaks given phonemes. In Russian a
stress that moves changes vowels only: the stressed one is full, the others are reduced. So the word is asked of the
dictionary, its consonants are kept, and each vowel is written anew. The spellings of the vowels were read off the
output of espeak-ng with a dictionary that does know marks (piper-tts 1.8's), and agree with it (tests/engine/speech).
"""

from __future__ import annotations

import re
from typing import Final

from engine.speech.marks import RUSSIAN_VOWELS

SEPARATOR: Final = "_"  # between the phonemes of a word, as `espeak_TextToPhonemes` was asked to write them

_STRESS_MARKS = "',%="
_VOWEL = re.compile(r"j?[aAeEiIouVy8O][#\"23]?")  # not `@-` and `I^`, which no vowel letter stands for
_HARD = "жшц"  # after these е and и sound as э and ы
_FULL = {"а": "A", "е": "e", "ё": "8", "и": "i", "о": "o", "у": "u", "ы": "y", "э": "E", "ю": 'u"', "я": "A"}
_REDUCED = {"а": "V", "е": "i", "ё": "8", "и": "i", "о": "V", "у": "u", "ы": "y", "э": "E#", "ю": 'u"', "я": "V"}


def move(word: str, phonemes: str, stressed: int) -> str | None:
    """The phonemes of `word` with the stress on its letter `stressed`; None if letters and phonemes do not pair."""
    letters = word.lower()
    vowels = [at for at, letter in enumerate(letters) if letter in RUSSIAN_VOWELS]
    parts = [part for part in phonemes.split(SEPARATOR) if part]
    sounds = [index for index, part in enumerate(parts) if _VOWEL.fullmatch(part.lstrip(_STRESS_MARKS))]
    foreign = "(" in phonemes or " " in phonemes  # `(en)`: a switch of language within the word; several words
    if foreign or len(sounds) != len(vowels) or stressed not in vowels:
        return None
    parts = [part.lstrip(_STRESS_MARKS) for part in parts]
    for at, index in zip(vowels, sounds, strict=True):
        glide = "j" if parts[index].startswith("j") else ""
        parts[index] = ("'" if at == stressed else "") + glide + _vowel(letters, at, at == stressed, bool(glide))
    return "".join(parts)


def _vowel(letters: str, at: int, stressed: bool, glided: bool) -> str:
    letter = letters[at]
    if at and letters[at - 1] in _HARD and letter in "еи":
        return "E" if stressed and letter == "е" else "y"
    if glided and letter in "яю":
        return "a" if letter == "я" else "u"
    return (_FULL if stressed else _REDUCED)[letter]
