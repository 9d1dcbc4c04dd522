"""The bank of ears on a clean line: speech in, silence, clicks, keys and echoes out; rows by themselves."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from detection.bank import Bank
from detection.ears import FRAME_SAMPLES, Heard

Sound = NDArray[np.float64]
CLIPS = Path(__file__).parents[2] / "engine/sandbox/clips"
SCRIPT = Path(__file__).parents[2] / "configs/scripts/appointment"
VOICE = frozenset({"voice"})
RATE = 8000


def clip(path: Path) -> Sound:
    with wave.open(str(path)) as reader:
        return np.frombuffer(reader.readframes(reader.getnframes()), "<i2").astype(np.float64)


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE))


def noise(seconds: float, level_dbm0: float) -> Sound:
    rms = 32768 / np.sqrt(2) * 10 ** ((level_dbm0 - 3.14) / 20)
    return np.asarray(np.random.default_rng(7).normal(0, rms, round(seconds * RATE)))


def line(*parts: Sound) -> Sound:
    return np.concatenate(parts)


def frames(sound: Sound, ticks: int) -> NDArray[np.int16]:
    padded = np.zeros(ticks * FRAME_SAMPLES)
    padded[: min(len(sound), len(padded))] = sound[: len(padded)]
    return np.clip(np.round(padded), -32768, 32767).astype(np.int16).reshape(ticks, FRAME_SAMPLES)


def hear(rx: Sound, tx: Sound | None = None, missing: frozenset[int] = frozenset()) -> list[tuple[int, Heard]]:
    """What one row hears, each with the time at which it was said, in ms."""
    ticks = len(rx) // FRAME_SAMPLES
    received, sent = frames(rx, ticks), frames(silence(0) if tx is None else tx, ticks)
    bank = Bank(1)
    bank.open(0, VOICE)
    row = np.array([0], np.intp)
    said: list[tuple[int, Heard]] = []
    for tick in range(ticks):
        present = np.array([tick not in missing])
        heard = bank.step(row, received[tick : tick + 1], sent[tick : tick + 1], present)
        said += [((tick + 1) * 20, event) for event in heard]
    return said


def kinds(said: list[tuple[int, Heard]]) -> list[str]:
    return [event.kind for _, event in said]


@pytest.mark.parametrize("name", ["hello", "machine", "interruption"])
@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_an_utterance_has_one_start_and_one_end(name: str, gain: float) -> None:
    spoken = clip(CLIPS / f"{name}.wav") * gain
    said = hear(line(silence(1), spoken, silence(1)))
    assert kinds(said) == ["speech_started", "speech_ended"]
    (start_told, start), (end_told, end) = said
    assert 1000 <= start.t_ms <= 1080
    assert start_told - start.t_ms <= 120  # so soon a prompt stops
    length_ms = len(spoken) / RATE * 1000
    assert abs(end.t_ms - 1000 - length_ms) <= 150
    assert 420 <= end_told - end.t_ms <= 460
    assert end.value >= start.value > -40


def test_who_speaks_from_the_first_frame_is_heard_from_the_first_frame() -> None:
    said = hear(line(clip(CLIPS / "machine.wav"), silence(1)))
    assert kinds(said) == ["speech_started", "speech_ended"]
    assert said[0][1].t_ms == 0


def test_words_apart_are_two_utterances() -> None:
    hello = clip(CLIPS / "hello.wav")
    said = hear(line(hello, silence(0.3), hello, silence(0.8), hello, silence(1)))
    assert kinds(said) == ["speech_started", "speech_ended"] * 2


@pytest.mark.parametrize(
    "sound",
    [silence(5)] + [noise(10, level) for level in (-70, -60, -50, -45, -40)],
    ids=["digital", "-70", "-60", "-50", "-45", "-40"],
)
def test_silence_and_noise_that_stays_are_no_voice(sound: Sound) -> None:
    assert hear(sound) == []


@pytest.mark.parametrize("level", [-60, -50, -45])
def test_speech_above_noise_is_heard(level: float) -> None:
    sound = line(silence(2), clip(CLIPS / "hello.wav"), silence(1))
    said = hear(sound + noise(len(sound) / RATE, level))
    assert kinds(said) == ["speech_started", "speech_ended"]
    assert abs(said[0][1].t_ms - 2000) <= 80


def test_clicks_are_no_voice() -> None:
    sound = silence(3)
    sound[8000] = 30000
    sound[12003:12006] = -20000
    sound[16155:16163] = 25000
    assert hear(sound) == []


@pytest.mark.parametrize("on_off", [(0.04, 0.04), (0.05, 0.03), (0.07, 0.07), (0.1, 0.1), (1.5, 0.2)])
@pytest.mark.parametrize("pair", [(697, 1209), (770, 1336), (852, 1477), (941, 1633)])
@pytest.mark.parametrize("twist_db", [-8, 0, 4])
def test_keys_are_no_voice(pair: tuple[int, int], on_off: tuple[float, float], twist_db: float) -> None:
    at = np.arange(2 * RATE) / RATE
    low, high = (np.sin(2 * np.pi * hz * at) for hz in pair)
    pressed = 3000 * (low * 10 ** (-twist_db / 20) + high) * (at % sum(on_off) < on_off[0])
    assert hear(line(silence(1), pressed, silence(1))) == []


@pytest.mark.parametrize("delay_ms", [0, 20, 160, 300, 440])
@pytest.mark.parametrize("loss_db", [20, 26, 40])
def test_the_echo_of_our_own_prompt_is_no_voice(delay_ms: int, loss_db: float) -> None:
    sent = line(silence(0.5), clip(SCRIPT / "greeting.wav"), silence(1))
    echo = line(silence(delay_ms / 1000), sent) * 10 ** (-loss_db / 20)
    assert hear(echo, sent) == []


def test_who_interrupts_a_prompt_is_heard_through_its_echo() -> None:
    sent = line(silence(0.5), clip(SCRIPT / "greeting.wav"))
    said = line(silence(1.8), clip(CLIPS / "interruption.wav"), silence(9))[: len(sent)]
    heard = hear(said + sent * 0.03, sent)
    assert heard[0][1].kind == "speech_started"
    assert abs(heard[0][1].t_ms - 1800) <= 150


def test_a_packet_missing_now_and_then_changes_little() -> None:
    sound = line(silence(1), clip(CLIPS / "machine.wav"), silence(1))
    said = hear(sound, missing=frozenset(range(0, 400, 7)))
    assert kinds(said) == ["speech_started", "speech_ended"]


def test_speech_ends_where_packets_cease() -> None:
    sound = line(clip(CLIPS / "machine.wav"), silence(1))
    said = hear(sound, missing=frozenset(range(75, 300)))
    assert kinds(said) == ["speech_started", "speech_ended"]
    assert said[1][1].t_ms <= 1500


def test_a_row_hears_the_same_alone_and_among_500() -> None:
    ticks, count = 120, 500
    rng = np.random.default_rng(3)
    spoken = clip(CLIPS / "machine.wav")
    sounds = [np.roll(spoken, int(rng.integers(0, 20_000))) * rng.uniform(0.05, 1.2) for _ in range(count)]
    rx = np.stack([frames(sound + np.resize(noise(3, -55), len(sound)), ticks) for sound in sounds])
    tx = np.stack([frames(sound * 0.4, ticks) for sound in reversed(sounds)])
    present = rng.random((count, ticks)) > 0.02

    def run(rows: list[int]) -> dict[int, list[Heard]]:
        bank = Bank(count)
        for row in rows:
            bank.open(row, VOICE)
        heard: dict[int, list[Heard]] = {row: [] for row in rows}
        for tick in range(ticks):
            for event in bank.step(np.array(rows, np.intp), rx[rows, tick], tx[rows, tick], present[rows, tick]):
                heard[event.row].append(event)
        return heard

    among = run(list(rng.permutation(count).tolist()))
    assert sum(map(len, among.values())) > count
    for row in range(0, count, 25):
        assert run([row])[row] == among[row]


def test_a_row_opened_again_begins_from_nothing() -> None:
    bank = Bank(2)
    sound = frames(clip(CLIPS / "hello.wav"), 26)
    row = np.array([1], np.intp)

    def run() -> list[Heard]:
        bank.open(1, VOICE)
        silent = np.zeros((1, FRAME_SAMPLES), np.int16)
        return [event for tick in range(26) for event in bank.step(row, sound[[tick]], silent, np.array([True]))]

    assert run() == run() != []
    bank.close(1)
    bank.close(1)
    assert bank.step(row, sound[[5]], sound[[5]], np.array([True])) == []


def test_what_cannot_be_opened() -> None:
    bank = Bank(2)
    with pytest.raises(ValueError, match="no listener 'fax'"):
        bank.open(0, frozenset({"voice", "fax"}))
    with pytest.raises(ValueError, match="no row 2"):
        bank.open(2, VOICE)
    bank.open(0, frozenset())
    empty = np.zeros((0, FRAME_SAMPLES), np.int16)
    assert bank.step(np.array([], np.intp), empty, empty, np.array([], np.bool_)) == []


def test_listeners_come_and_go_by_themselves() -> None:
    """A voice that is listened for anew forgets what it heard; the key that is held meanwhile stays one."""
    bank = Bank(1)
    row, silent = np.array([0]), np.zeros((1, FRAME_SAMPLES), np.int16)
    t = np.arange(50 * FRAME_SAMPLES) / RATE
    sound = frames(6000 * np.sin(2 * np.pi * 697 * t) + 6000 * np.sin(2 * np.pi * 1336 * t), 50)
    heard: list[Heard] = []
    bank.open(0, frozenset({"digits"}))
    for tick in range(50):
        if tick == 10:
            bank.open(0, VOICE)
        if tick == 20:
            bank.close(0, VOICE)
        heard += bank.step(row, sound[[tick]], silent, np.array([True]), hurry=tick % 2 == 1)
    assert [(event.kind, event.value) for event in heard] == [("digit", 2)]
    bank.close(0)
    assert bank.step(row, sound[[0]], silent, np.array([True])) == []
