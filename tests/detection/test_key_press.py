"""Keys in the audio, by the limits of ITU-T Q.24, table A-1.

The procedures follow the field's own (Bellcore's and Mitel's test tapes, as in spandsp's `dtmf_rx_tests.c`): each key
at every place within a frame, at the edges of what must be heard and beyond those of what must not, then noise, speech,
gaps and echo. Levels, twist and frequencies have pass limits of the recommendation, not of this detector.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import engine.sandbox
from detection.key_press import KEYS, KeyPresses
from detection.key_tone import HIGH_HZ, LOW_HZ

RATE = 8000
PAD = "123A456B789C*0#D"
SPOKEN = sorted((Path(engine.sandbox.__file__).parent / "clips").glob("*.wav"))
Sound = NDArray[np.float64]


def tone(key: str, ms: float, level_dbm0: float = -10.0, off: float = 0.0, twist_db: float = 0.0) -> Sound:
    """`twist_db`: the low tone less the high one; `off`: by what share the frequencies are wrong."""
    place = PAD.index(key)
    t = np.arange(round(ms * RATE / 1000)) / RATE
    peak = 32768 * 10 ** ((level_dbm0 - 3.14) / 20) / np.sqrt(2)
    low, high = peak * 10 ** (twist_db / 40), peak * 10 ** (-twist_db / 40)
    waves = (2 * np.pi * hz * (1 + off) * t for hz in (LOW_HZ[place // 4], HIGH_HZ[place % 4]))
    return np.asarray(low * np.sin(next(waves)) + high * np.sin(next(waves) + 1))


def silence(ms: float) -> Sound:
    return np.zeros(round(ms * RATE / 1000))


def noise(ms: float, level_dbm0: float, seed: int = 1) -> Sound:
    rms = 32768 / np.sqrt(2) * 10 ** ((level_dbm0 - 3.14) / 20)
    return np.random.default_rng(seed).normal(0, rms, round(ms * RATE / 1000))


def frames(sound: Sound) -> NDArray[np.int16]:
    padded = np.concatenate([sound, np.zeros(-len(sound) % 160 + 320)])
    return np.clip(np.rint(padded), -32768, 32767).astype(np.int16).reshape(-1, 160)


def pressed(*parts: Sound, sent: Sound | None = None, missing: frozenset[int] = frozenset()) -> str:
    rx = frames(np.concatenate(parts))
    tx = np.zeros_like(rx)
    if sent is not None:
        told = frames(sent)[: len(rx)]
        tx[: len(told)] = told
    ear = KeyPresses(1)
    ear.open(0)
    row = np.array([0])
    return "".join(
        KEYS[press.key]
        for number in range(len(rx))
        for press in ear.step(row, rx[[number]], tx[[number]], np.array([number not in missing]))
    )


@pytest.mark.parametrize("key", KEYS)
def test_every_key_wherever_it_begins(key):
    """40 ms on, 40 ms off, at each of 8 places within a frame."""
    for late in range(0, 160, 20):
        assert pressed(np.zeros(late), tone(key, 40), silence(40), tone(key, 40), silence(40)) == key * 2


@pytest.mark.parametrize("off", [-0.015, -0.01, 0.01, 0.015])
def test_frequencies_that_must_be_heard(off):
    assert pressed(silence(33), *(part for key in KEYS for part in (tone(key, 50, off=off), silence(50)))) == KEYS


@pytest.mark.parametrize("off", [-0.06, -0.05, -0.035, 0.035, 0.05, 0.06])
def test_frequencies_that_must_not(off):
    assert pressed(*(part for key in KEYS for part in (tone(key, 100, off=off), silence(50)))) == ""


@pytest.mark.parametrize("twist_db", [-4, 8])
@pytest.mark.parametrize("level_dbm0", [-31, -3])
def test_twist_and_level_that_must_be_heard(twist_db, level_dbm0):
    parts = (part for key in KEYS for part in (tone(key, 50, level_dbm0, twist_db=twist_db), silence(50)))
    assert pressed(silence(7), *parts) == KEYS


@pytest.mark.parametrize("twist_db", [-14, 16])
def test_one_tone_beside_a_whisper_of_another_is_none(twist_db):
    assert pressed(*(part for key in KEYS for part in (tone(key, 100, twist_db=twist_db), silence(50)))) == ""


@pytest.mark.parametrize("ms", [5, 10, 20, 23])
def test_too_short(ms):
    for late in range(0, 160, 10):
        assert pressed(np.zeros(late), tone("5", ms), silence(50)) == ""


@pytest.mark.parametrize("ms", [1, 5, 10])
def test_an_interruption_is_no_pause(ms):
    for late in range(0, 160, 20):
        assert pressed(np.zeros(late), tone("5", 60), silence(ms), tone("5", 60), silence(50)) == "5"


def test_a_key_held_for_ten_seconds_is_one():
    assert pressed(tone("8", 10_000), silence(50)) == "8"


@pytest.mark.parametrize("snr_db", [12, 18, 24])
def test_in_noise(snr_db):
    """Ten of each key at -10 dBm0 a tone: all of them, and nothing beside them."""
    sound = np.concatenate([part for key in KEYS * 10 for part in (tone(key, 60), silence(60))])
    level = -10 + 3 - snr_db
    assert pressed(sound + noise(1e6, level)[: len(sound)]) == KEYS * 10


@pytest.mark.parametrize("level_dbm0", [-40, -20, -5])
def test_noise_is_no_key(level_dbm0):
    assert pressed(noise(60_000, level_dbm0, seed=3)) == ""


def clip(path: Path) -> Sound:
    with wave.open(str(path)) as reader:
        return np.frombuffer(reader.readframes(reader.getnframes()), "<i2").astype(np.float64)


def test_speech_is_no_key():
    """Talk-off: all that our subscribers say, at five pitches, loud and soft."""
    assert SPOKEN
    for path in SPOKEN:
        said = clip(path)
        for pitch in (0.7, 0.85, 1.0, 1.2, 1.4):
            at = np.arange(0, len(said) - 1, pitch)
            sound = np.interp(at, np.arange(len(said)), said)
            assert pressed(sound, sound * 0.2) == "", path.name


def test_keys_over_our_own_prompt_coming_back():
    prompt = clip(next(path for path in SPOKEN if path.stem == "machine"))
    echo = prompt * 0.1 * 10 ** (-10 / 20) * 32768 / np.abs(prompt).max()
    sound = np.concatenate([part for key in "1590#" for part in (silence(100), tone(key, 80, -16))])
    echo = np.resize(echo, len(sound))
    assert pressed(sound + echo, sent=echo * 10) == "1590#"


@pytest.mark.parametrize("delay_ms", [0, 20, 130, 400])
def test_the_echo_of_our_own_keys_is_none(delay_ms):
    ours = np.concatenate([part for key in "1590#" for part in (tone(key, 100), silence(100))])
    assert pressed(silence(delay_ms), ours * 0.4, sent=ours) == ""


def test_a_key_of_theirs_while_we_send_another():
    ours = np.concatenate([tone("1", 100), silence(100)])
    assert pressed(silence(40), tone("6", 80), silence(80), sent=ours) == "6"


@pytest.mark.parametrize("missing", [{5}, {5, 6}, {3, 6, 9}, {4, 5, 6, 7}])
def test_packets_lost_in_a_press(missing):
    assert pressed(silence(40), tone("7", 200), silence(100), missing=frozenset(missing)) == "7"


def test_a_key_is_not_held_through_a_dead_line():
    parts = silence(40), tone("7", 80), silence(1000), tone("7", 80), silence(80)
    assert pressed(*parts, missing=frozenset(range(6, 50))) == "77"


def test_a_row_hears_the_same_alone_and_among_200():
    chance = np.random.default_rng(5)
    count, ticks = 200, 60
    sounds = np.zeros((count, ticks * 160))
    for row in range(count):
        keys = chance.choice(list(KEYS), 5)
        parts = (part for key in keys for part in (silence(chance.uniform(45, 90)), tone(key, chance.uniform(41, 120))))
        sound = np.concatenate([*parts, silence(9)])
        sounds[row, : len(sound)] = sound + noise(1e4, -24, seed=row)[: len(sound)]
    rx = np.rint(sounds).astype(np.int16).reshape(count, ticks, 160)
    tx = rx[::-1]
    present = chance.random((count, ticks)) > 0.01

    def run(rows: list[int]) -> dict[int, list]:
        ear = KeyPresses(count)
        for row in rows:
            ear.open(row)
        heard: dict[int, list] = {row: [] for row in rows}
        for tick in range(ticks):
            for press in ear.step(np.array(rows), rx[rows, tick], tx[rows, tick], present[rows, tick]):
                heard[press.row].append(press)
        return heard

    among = run(list(chance.permutation(count).tolist()))
    assert sum(map(len, among.values())) > 800
    for row in range(0, count, 10):
        assert run([row])[row] == among[row]
