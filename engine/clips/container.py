"""Which container a file is, by its own bytes and never by its name, and whether all of it is there.

Nothing is decoded, and the list is closed: what is not in it (playlists, pictures, scripts that name other files) is
never shown to a demuxer.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from engine.clips import wav


class Container(StrEnum):
    """The values are the names of libavformat's demuxers."""

    WAV = "wav"
    OGG = "ogg"
    FLAC = "flac"
    MATROSKA = "matroska"  # WebM is a part of it
    MP4 = "mov"  # M4A, 3GP and QuickTime too
    AMR = "amr"
    AAC = "aac"
    MP3 = "mp3"


# Bytes at the beginning; a dot is any byte.
_SIGNS: Final = tuple(
    (container, re.compile(sign, re.DOTALL))
    for container, sign in (
        (Container.WAV, rb"RIFF....WAVE"),
        (Container.OGG, rb"OggS"),
        (Container.FLAC, rb"fLaC"),
        (Container.MATROSKA, rb"\x1a\x45\xdf\xa3"),
        (Container.MP4, rb"....(?:ftyp|moov|mdat|wide|free|skip)"),
        (Container.AMR, rb"#!AMR(?:-WB)?\n"),
        (Container.AAC, rb"\xff[\xf0\xf1\xf8\xf9]"),  # ADTS: 12 bits of sync, layer 0
        (Container.MP3, rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xff]"),  # 11 bits of sync, layer 3 or 2
    )
)

MP3_MISSING_BYTES: Final = 4096  # a quarter of a second; tags that were edited later differ by less


def recognise(file: bytes) -> Container | None:
    """None if it is none of ours."""
    at = _after_id3(file)
    for container, sign in _SIGNS:
        if sign.match(file, at):
            return container
    # An ID3 tag with padding behind it stands before nothing but MP3.
    return Container.MP3 if at else None


def is_cut(file: bytes, container: Container) -> bool:
    """The container promises more than there is. False also where it promises nothing: then the decoder finds out."""
    return _CUT[container](file) if container in _CUT else False


def _after_id3(file: bytes) -> int:
    """Where the sound begins: ID3v2.4 section 3.1, the size has 7 bits a byte."""
    if file[:3] != b"ID3" or len(file) < 10:
        return 0
    a, b, c, d = file[6:10]
    return 10 + ((a & 127) << 21 | (b & 127) << 14 | (c & 127) << 7 | d & 127)


def _wav_is_cut(file: bytes) -> bool:
    try:
        any(name == b"data" for name, _ in wav.chunks(file))
    except wav.WavError:
        return True
    return False


def _ogg_is_cut(file: bytes) -> bool:
    """RFC 3533 section 6: a page is 27 bytes, a table of its segments, and the segments."""
    at = 0
    while file.startswith(b"OggS", at):
        segments = file[at + 26] if at + 26 < len(file) else 0
        body = at + 27 + segments
        at = body + sum(file[at + 27 : body])
    return at > len(file) or (at < len(file) and b"OggS".startswith(file[at:]))


_MASTERS: Final = (0x18538067, 0x1F43B675)  # Segment, Cluster: their children stand in them one after another


def _matroska_is_cut(file: bytes) -> bool:
    """RFC 8794: elements of an id and a size; the size may be unknown, as a browser writes it while it records."""
    at = 0
    while at < len(file):
        length = 9 - file[at].bit_length()
        if length > 4:  # no id begins so: rubbish after the end is the decoder's affair
            return False
        ident = int.from_bytes(file[at : at + length], "big")
        at += length
        if at >= len(file):
            return True
        length = 9 - file[at].bit_length()
        if length > 8:
            return False
        size = int.from_bytes(file[at : at + length], "big") & (1 << 7 * length) - 1
        at += length
        unknown = size == (1 << 7 * length) - 1
        if not unknown and at + size > len(file):
            return True
        if ident not in _MASTERS:
            if unknown:
                return False
            at += size
    return at > len(file)


def _mp4_is_cut(file: bytes) -> bool:
    """ISO/IEC 14496-12 section 4.2: boxes of a size and a name. What they hold is described by `moov`."""
    at, described = 0, False
    while at + 8 <= len(file):
        size, name = struct.unpack_from(">I4s", file, at)
        if size == 1 and at + 16 <= len(file):
            (size,) = struct.unpack_from(">Q", file, at + 8)
        elif size == 0:
            size = len(file) - at
        if size < 8:
            return False
        described |= name == b"moov"
        at += size
    return at > len(file) or not described


def _aac_is_cut(file: bytes) -> bool:
    """ISO/IEC 14496-3 section 1.A.2.2: the header of an ADTS frame has the frame's length, 13 bits."""
    at = _after_id3(file)
    while at + 7 <= len(file) and file[at] == 0xFF:
        size = (file[at + 3] & 3) << 11 | file[at + 4] << 3 | file[at + 5] >> 5
        if size < 7:
            return False
        at += size
    return at > len(file)


def _mp3_is_cut(file: bytes) -> bool:
    """The first frame of most files says how many bytes there are (Xing's header, also named Info)."""
    begin = _after_id3(file)
    found = re.search(rb"(?:Xing|Info)(.{4})", file[begin : begin + 200], re.DOTALL)
    if found is None:
        return False
    flags = int.from_bytes(found[1], "big")
    if not flags & 2:
        return False
    at = begin + found.end() + (4 if flags & 1 else 0)
    promised = int.from_bytes(file[at : at + 4], "big")
    return promised - (len(file) - begin) > MP3_MISSING_BYTES


_CUT: Final[dict[Container, Callable[[bytes], bool]]] = {
    Container.WAV: _wav_is_cut,
    Container.OGG: _ogg_is_cut,
    Container.MATROSKA: _matroska_is_cut,
    Container.MP4: _mp4_is_cut,
    Container.AAC: _aac_is_cut,
    Container.MP3: _mp3_is_cut,
}
