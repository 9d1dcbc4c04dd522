"""A WAV file can be read at any moment of its growth."""

import errno
import io
import wave

import numpy as np
import pytest

from engine.recording.wav import HEADER, SIZE_MAX, WavFile, header, mend

SOUND = np.random.default_rng(3).integers(-32768, 32768, (1000, 2)).astype(np.int16)


def read(path):
    with wave.open(str(path), "rb") as file:
        assert file.getparams()[:3] == (2, 2, 8000)
        assert file.getnframes() * 4 + HEADER.size == path.stat().st_size
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


def test_it_is_whole_after_each_write(tmp_path):
    path = tmp_path / "call.wav"
    file = WavFile(path.open("wb", buffering=0))
    assert len(read(path)) == 0
    for end in (160, 480, 1000):
        file.write(SOUND[len(read(path)) : end])
        assert (read(path) == SOUND[:end]).all()
    file.close()


class SmallDisk(io.FileIO):
    """Takes so many bytes, and a part of what does not fit."""

    left = 44 + 4000 + 333

    def write(self, data):
        end = self.tell() + len(data)
        if self.tell() >= self.left:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data[: len(data) - max(0, end - self.left)])


def test_a_full_disk_leaves_what_was_whole(tmp_path):
    path = tmp_path / "call.wav"
    file = WavFile(SmallDisk(path, "wb"))
    file.write(SOUND)
    with pytest.raises(OSError, match="No space"):
        file.write(SOUND)
    file.close()
    assert (read(path) == SOUND).all()


def test_a_file_that_was_left_in_the_middle_is_mended(tmp_path):
    path = tmp_path / "call.wav"
    path.write_bytes(header(4 * 100) + SOUND.astype("<i2").tobytes()[:-3])
    assert mend(path) == 999
    assert (read(path) == SOUND[:999]).all()


def test_the_header_holds_no_more_than_it_can():
    assert header(1 << 33)[40:] == SIZE_MAX.to_bytes(4, "little")
