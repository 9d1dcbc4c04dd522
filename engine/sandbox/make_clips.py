"""Makes the clips that the subscribers and the sample scripts speak with: `python -m engine.sandbox.make_clips`.

They are kept in the repository, so nobody needs this to make a call; it is here so that they can be made anew.
Needs espeak-ng. Everything is 8 kHz, 16 bit, mono.
"""

from __future__ import annotations

import io
import subprocess
import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

Samples = NDArray[np.float64]

RATE_HZ = 8000
SPEECH_RMS = 0.1  # of full scale while somebody speaks: -20 dBFS
TONE_PEAK = 0.15
FADE_S = 0.005  # at both ends, so that nothing clicks

CLIPS = Path(__file__).parent / "clips"
SCRIPTS = Path(__file__).parents[2] / "configs" / "scripts"

# file: (voice of espeak-ng, words a minute, text)
SPEECH = {
    CLIPS / "hello.wav": ("en-us+m3", 150, "Hello?"),
    CLIPS / "machine.wav": (
        "en-us+f2", 175, "Hi, you have reached Anna. Please leave a message after the beep."
    ),
    CLIPS / "interruption.wav": ("en-us+m7", 185, "Wait, who is this?"),
    CLIPS / "manager.wav": ("en-us+f4", 170, "Sales, this is Vera speaking."),
    CLIPS / "question.wav": ("en-us+f4", 170, "How can I help you?"),
    SCRIPTS / "manager/greeting.wav": (
        "en-us+f3", 175, "Hello. Press 1 to speak to a manager, or hang up."
    ),
    SCRIPTS / "manager/connecting.wav": ("en-us+f3", 165, "One moment, I am connecting you."),
    SCRIPTS / "manager/busy.wav": ("en-us+f3", 165, "All managers are busy. We will call you back."),
    SCRIPTS / "manager/goodbye.wav": ("en-us+f3", 165, "Thank you. Goodbye."),
    SCRIPTS / "appointment/greeting.wav": (
        "en-us+f3", 180, "Hello. Your appointment is tomorrow at ten. Press 1 to confirm, or 2 to decline."
    ),
    SCRIPTS / "appointment/confirmed.wav": ("en-us+f3", 165, "Thank you. We look forward to seeing you."),
    SCRIPTS / "appointment/declined.wav": ("en-us+f3", 165, "Your appointment is cancelled. Goodbye."),
    SCRIPTS / "appointment/again.wav": ("en-us+f3", 165, "Please press 1 to confirm, or 2 to decline."),
    SCRIPTS / "appointment/goodbye.wav": ("en-us+f3", 165, "We will call you again. Goodbye."),
}  # fmt: skip

# file: (Hz, seconds) one after another; 0 Hz is silence
TONES = {
    CLIPS / "beep.wav": [(1000, 0.5)],
    CLIPS / "ringback.wav": [(523, 0.25), (659, 0.25), (784, 0.25), (1047, 0.25), (784, 0.25), (659, 0.25), (523, 0.5)],
}


def main() -> None:
    """Write every clip, and say how long it is."""
    for path, (voice, words_a_minute, text) in SPEECH.items():
        _write(path, _speak(voice, words_a_minute, text))
    for path, notes in TONES.items():
        _write(path, np.concatenate([_tone(hz, seconds) for hz, seconds in notes]))


def _speak(voice: str, words_a_minute: int, text: str) -> Samples:
    command = ["espeak-ng", "-v", voice, "-s", str(words_a_minute), "--stdout", text]
    spoken = subprocess.run(command, check=True, capture_output=True).stdout
    # Its header does not know the length (it went to a pipe), so everything behind it is sound.
    with wave.open(io.BytesIO(spoken)) as reader:
        rate = reader.getframerate()
    samples = np.frombuffer(spoken[44 : len(spoken) // 2 * 2], "<i2") / 32768.0
    clip: Samples = soxr.resample(samples, rate, RATE_HZ)
    audible = np.flatnonzero(np.abs(clip) > 0.01)
    clip = clip[audible[0] : audible[-1] + RATE_HZ // 20]
    spoken_part = clip[np.abs(clip) > 0.02]
    return _faded(clip * (SPEECH_RMS / np.sqrt(np.mean(spoken_part**2))))


def _tone(hz: int, seconds: float) -> Samples:
    return _faded(TONE_PEAK * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ))


def _faded(samples: Samples) -> Samples:
    length = round(FADE_S * RATE_HZ)
    faded = samples.copy()
    faded[:length] *= np.linspace(0, 1, length)
    faded[-length:] *= np.linspace(1, 0, length)
    return faded


def _write(path: Path, samples: Samples) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        writer.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    print(f"{path.name}: {len(samples) / RATE_HZ:.2f} s")


if __name__ == "__main__":
    main()
