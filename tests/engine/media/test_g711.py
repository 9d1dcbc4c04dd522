"""G.711 against values of the Recommendation, and against itself."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media.g711 import SILENCE, Law, decode, decode_rows, encode

CODES = np.arange(256, dtype=np.uint8)


def test_a_law_codes_survive():
    assert np.array_equal(encode(decode(CODES, Law.A), Law.A), CODES)


def test_mu_law_codes_survive_but_for_the_second_zero():
    again = encode(decode(CODES, Law.MU), Law.MU)
    assert np.flatnonzero(again != CODES).tolist() == [0x7F]
    assert again[0x7F] == 0xFF


@pytest.mark.parametrize(
    ("law", "sample", "code"),
    [
        (Law.A, 0, 0xD5), (Law.A, -1, 0x55), (Law.A, 32767, 0xAA), (Law.A, -32768, 0x2A), (Law.A, 1000, 0xFA),
        (Law.MU, 0, 0xFF), (Law.MU, 32767, 0x80), (Law.MU, -32768, 0x00), (Law.MU, 1000, 0xCE), (Law.MU, -1000, 0x4E),
    ],
)  # fmt: skip
def test_known_codes(law, sample, code):
    assert encode(np.array([sample], np.int16), law).tolist() == [code]


@pytest.mark.parametrize("law", Law)
def test_error_is_below_the_step(law):
    samples = np.arange(-32768, 32768).astype(np.int16)
    error = np.abs(decode(encode(samples, law), law).astype(int) - samples)
    assert (error <= np.maximum(16, np.abs(samples.astype(int)) // 16)).all()


@pytest.mark.parametrize("law", Law)
def test_silence(law):
    assert abs(int(decode(np.array([SILENCE[law]], np.uint8), law)[0])) <= 8


def test_rows_in_their_own_laws():
    rows = np.stack([CODES, CODES, CODES])
    mixed = decode_rows(rows, np.array([0, 1, 0], np.uint8))
    assert np.array_equal(mixed[0], decode(CODES, Law.A))
    assert np.array_equal(mixed[1], decode(CODES, Law.MU))
    assert np.array_equal(mixed[2], mixed[0])
