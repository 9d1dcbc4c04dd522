"""The store of clips: what is kept, by what name, and that nothing is left of what is not."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path
from typing import Any

import pytest

from api.clips import BadClip, ClipStore
from engine.clips.cache import ClipCache
from engine.clips.upload import Limits


@pytest.fixture
def store(tmp_path: Path) -> ClipStore:
    return ClipStore(tmp_path / "records", ClipCache(tmp_path / "clips"), Limits(1 << 20, 20))


def files(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


def test_by_what_is_played(store: ClipStore, sound: Any) -> None:
    kept = store.add(sound(0.5), "a.wav")
    content = store.path(kept.name).read_bytes()
    assert kept.name == hashlib.sha256(content).hexdigest()
    assert store.add(content, "b.wav") == store.adopt(content, "c.wav") == kept
    assert store.add(sound(0.4), "a.wav").name != kept.name


def test_the_first_call_need_not_wait(store: ClipStore, tmp_path: Path, sound: Any) -> None:
    kept = store.add(sound(), "a.wav")
    written = {path: path.stat().st_mtime_ns for path in files(tmp_path / "clips")}
    clip = ClipCache(tmp_path / "clips").prepare(store.path(kept.name))
    assert written == {clip.path: clip.path.stat().st_mtime_ns}
    assert clip.duration_ms == kept.duration_ms


@pytest.mark.parametrize("content", [b"", b"not a clip", bytes(2 << 20)])
def test_a_bad_one_names_itself_and_leaves_nothing(store: ClipStore, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadClip, match=r"^my clip\.mp3: ") as caught:
        store.add(content, "my clip.mp3")
    assert caught.value.refused.code in ("clip_empty", "clip_not_audio", "clip_too_large")
    assert str(tmp_path) not in str(caught.value)
    assert files(tmp_path) == []


def test_a_full_disk_is_no_fault_of_the_upload(
    store: ClipStore, tmp_path: Path, sound: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.write_bytes

    def half(path: Path, content: bytes) -> int:
        real(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space"):
        store.add(sound(), "a.wav")
    assert files(tmp_path) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path, sound: Any) -> None:
    (tmp_path / "file").write_text("")
    store = ClipStore(tmp_path / "records", ClipCache(tmp_path / "file" / "clips"), Limits(1 << 20, 20))
    with pytest.raises(NotADirectoryError):
        store.add(sound(), "a.wav")
    assert files(tmp_path / "records") == []
