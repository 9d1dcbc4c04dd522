"""Names of languages, and which one a text is in."""

from __future__ import annotations

import pytest

from engine.speech.languages import Language, listed, of_text


def test_russian_first_and_by_name() -> None:
    tags = ["en", "de", "ru-RU", "ru", "uk", "en-GB", "en-GB-x-rp", "ru-LV", "lfn"]
    assert listed(tags) == [
        Language("ru", "русский"),
        Language("ru-RU", "русский (Россия)"),
        Language("de", "Deutsch"),
        Language("en", "English"),
        Language("en-GB", "English (United Kingdom)"),
        Language("lfn", "lfn"),
        Language("uk", "українська"),
    ]


@pytest.mark.parametrize(("text", "language"), [("Hello", "en"), ("SMS от банка", "ru"), ("123", "en"), ("é", "en")])
def test_the_language_of_a_text(text: str, language: str) -> None:
    assert of_text(text) == language
