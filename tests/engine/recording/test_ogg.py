"""Opus: each side in its own channel, at its own time; and what is left of a file that was not finished."""

import errno
import io

import av
import numpy as np
import pytest

from engine.recording.ogg import OggFile, samples_of

SECONDS = 6
TIME = np.arange(SECONDS * 8000) / 8000
TURNS = TIME % 1 < 0.5  # they speak in turn
SOUND = np.stack([TURNS * np.sin(TIME * 2 * np.pi * 700), ~TURNS * np.sin(TIME * 2 * np.pi * 1100)], 1) * 8000


def write(path):
    file = OggFile(path.open("wb", buffering=0))
    for begin in range(0, len(SOUND), 4000):
        file.write(SOUND[begin : begin + 4000].astype(np.int16))
    return file


def read(path):
    resampler = av.AudioResampler("s16", "stereo", 8000)
    with av.open(str(path)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate([part.to_ndarray().reshape(-1, 2) for part in frames + resampler.resample(None)])


def power(samples):
    return float((samples.astype(float) ** 2).mean())


def test_nobody_is_heard_in_the_other_channel(tmp_path):
    path = tmp_path / "call.ogg"
    write(path).close()
    told = read(path)
    assert len(told) == samples_of(path) == len(SOUND)
    assert power(told - SOUND) < power(SOUND) / 100  # and so they are at their times
    settled = (TIME % 0.5 > 0.05) & (TIME % 0.5 < 0.45)
    for channel, quiet in ((0, ~TURNS), (1, TURNS)):
        assert power(told[quiet & settled, channel]) < power(SOUND) / 1000


def test_it_can_be_played_while_it_grows(tmp_path):
    path = tmp_path / "call.ogg"
    file = write(path)
    known = samples_of(path)
    assert known == len(read(path)) >= 8000 * (SECONDS - 2)
    file.close()


class SmallDisk(io.FileIO):
    def write(self, data):
        if self.tell() + len(data) > 12_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_full_disk_is_told_and_leaves_what_was_written(tmp_path):
    path = tmp_path / "call.ogg"
    file = OggFile(SmallDisk(path, "wb"))
    for act in (lambda: file.write(SOUND.astype(np.int16)), file.close):
        with pytest.raises(OSError, match="No space"):
            act()
    assert 0 < samples_of(path) < len(SOUND)
    assert len(read(path)) == samples_of(path)
