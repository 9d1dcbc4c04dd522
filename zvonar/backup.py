"""`zvonar backup`: one file with everything that the service keeps, taken while it runs.

A tar of the database (SQLite's own online copy, so it is one state), the secret that opens its keys, and the clips;
with `--recordings` the recordings of calls too, which are large and of which calls do without. To restore, unpack it
into the folder of the database and start the service.
"""

from __future__ import annotations

import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from rich.progress import Progress

from api.recordings import folder_of
from api.service import records_folder
from api.store.database import Database
from api.store.seal import FILE_NAME
from engine import config as configuration
from engine.config import ConfigError

PAGES_AT_ONCE = 2000  # between them the service may write


def save(target: Path, config: Path | None, *, with_recordings: bool) -> None:
    """Write the backup; the file is there whole or not at all. Raises ConfigError."""
    chosen = configuration.load(config)
    database = Database(chosen.store.url, chosen.store.folder, chosen.store.secret_file)
    try:
        file = database.file
        if file is None:
            raise ConfigError(
                f"store.url: a server's database is backed up with pg_dump; copy {database.folder} beside it, "
                "it holds clips, recordings and the secret"
            )
        if not file.exists():
            raise ConfigError(f"store.url: there is no database {file} yet; nothing to back up")
        folder = folder_of(chosen.recording, database)
        sounds = sorted(sound for sound in folder.glob("*/*") if sound.suffix in (".wav", ".ogg"))
        _save(target, file, database, [*_clips(database), *_recordings(sounds, folder if with_recordings else None)])
    finally:
        database.dispose()
    print(
        f"{target}: {target.stat().st_size / 1e6:.1f} MB; to restore: tar -xf {target.name} -C FOLDER-OF-THE-DATABASE"
    )
    if sounds and not with_recordings:
        print(f"without the {len(sounds)} recordings of calls in {folder}; --recordings takes them too")


class _Member(NamedTuple):
    file: Path
    name: str  # in the archive


def _clips(database: Database) -> list[_Member]:
    folder = records_folder(database)
    return [_Member(clip, f"{folder.name}/{clip.name}") for clip in sorted(folder.glob("*.wav"))]


def _recordings(sounds: Sequence[Path], folder: Path | None) -> list[_Member]:
    return [] if folder is None else [_Member(sound, f"recordings/{sound.relative_to(folder)}") for sound in sounds]


def _save(target: Path, file: Path, database: Database, members: Sequence[_Member]) -> None:
    draft = target.with_name(f".{target.name}.part")
    try:
        with (
            tempfile.TemporaryDirectory(dir=target.parent, prefix=".zvonar-backup-") as scratch,
            Progress() as progress,
        ):
            copy = Path(scratch) / file.name
            _copy(file, copy, progress)
            bar = progress.add_task("sounds", total=len(members))
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))  # it holds the secret
            with tarfile.open(draft, "w:gz", compresslevel=1) as archive:
                archive.add(copy, file.name)
                secret = database.folder / FILE_NAME
                if secret.exists():
                    archive.add(secret, FILE_NAME)
                for member in members:
                    with suppress(FileNotFoundError):  # a recording that was kept long enough meanwhile
                        archive.add(member.file, member.name)
                    progress.advance(bar)
            os.replace(draft, target)
    except OSError as error:
        raise ConfigError(f"{target}: {error.strerror or error}; name a file that can be written") from error
    except sqlite3.Error as error:
        raise ConfigError(f"store.url: {file} cannot be copied ({error})") from error
    finally:
        draft.unlink(missing_ok=True)


def _copy(file: Path, copy: Path, progress: Progress) -> None:
    bar = progress.add_task("database", total=None)
    with (
        closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(
            target,
            pages=PAGES_AT_ONCE,
            progress=lambda _status, left, total: progress.update(bar, total=total, completed=total - left),
        )
