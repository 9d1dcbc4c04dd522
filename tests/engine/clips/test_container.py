"""What a file is, told by its bytes; and what is cut off, told without decoding it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clips.container import Container, is_cut, recognise

KINDS = {
    "wav": Container.WAV, "wav, float": Container.WAV, "mp3": Container.MP3, "vorbis": Container.OGG,
    "opus": Container.OGG, "webm": Container.MATROSKA, "m4a": Container.MP4, "alac": Container.MP4,
    "3gp": Container.MP4, "aac": Container.AAC, "flac": Container.FLAC, "amr": Container.AMR,
}  # fmt: skip
TOLD_BY_THE_DECODER = {Container.FLAC, Container.AMR}


@pytest.mark.parametrize("name", KINDS)
def test_is_recognised_and_whole(make, name):
    file = make(name)
    assert recognise(file) is KINDS[name]
    assert not is_cut(file, KINDS[name])


@pytest.mark.parametrize("name", [name for name in KINDS if KINDS[name] not in TOLD_BY_THE_DECODER])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.9])
def test_half_of_it_is_cut(make, name, share):
    file = make(name)
    assert is_cut(file[: int(share * len(file))], KINDS[name])


@pytest.mark.parametrize("name", ["wav", "mp3", "opus", "webm", "aac", "flac", "amr"])
def test_what_was_written_into_a_pipe_promises_nothing(make, name):
    assert not is_cut(make(name, piped=True), KINDS[name])


def test_a_recording_that_the_browser_did_not_end(make):
    assert is_cut(make("webm", piped=True)[:-1], Container.MATROSKA)


@pytest.mark.parametrize("name", ["mp3", "aac", "flac"])
def test_behind_an_id3_tag(make, name):
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x02" + bytes(130)
    assert recognise(tag + make(name)) is KINDS[name]


@pytest.mark.parametrize(
    "file",
    [
        b"", b"R", b"\x89PNG\r\n\x1a\n" + bytes(99), b"%PDF-1.7\n", b"PK\x03\x04" + bytes(99), b"plain text\n" * 9,
        b"<!doctype html><p>404", b'<svg xmlns="http://www.w3.org/2000/svg"/>', b"#EXTM3U\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n", b"[playlist]\nFile1=/etc/passwd\n", b"v=0\r\no=- 0 0 IN IP4 ::",
        b"RIFF\0\0\0\0AVI LIST", b"GIF89a" + bytes(99), b"\xff\xd8\xff\xe0\0\x10JFIF", bytes(1000), b"MThd\0\0\0\6",
    ],
)  # fmt: skip
def test_what_is_none_of_ours(file):
    assert recognise(file) is None


@given(st.sampled_from(Container), st.binary(max_size=300))
def test_rubbish_is_cut_or_not_but_no_error(container, file):
    assert is_cut(file, container) in (True, False)


def test_what_is_nothing_but_headers_ends():
    assert not is_cut(b"\x1a\x45\xdf\xa3\x80" + b"\xec\x80" * 1000, Container.MATROSKA)
    assert not is_cut((b"OggS" + bytes(23)) * 1000, Container.OGG)
    assert is_cut(b"\0\0\0\x08free" * 1000, Container.MP4)  # nothing says what is in it
