"""What the log never shows."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from zvonar import log

KEY = "aB3x" + "Zq7" * 18 + "Zz"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize("as_json", ["text", "json", ""])
def test_no_secret(as_json: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(log.FORMAT_ENV, as_json)
    log.configure()
    ours = structlog.get_logger("test")
    ours.info(f"came with {KEY}", key=KEY, password="hunter2", nested={"apiKey": KEY}, secret=SECRET)
    try:
        int(f"password='hunter2' {SECRET} {KEY}")
    except ValueError:
        ours.exception("broke")
        logging.getLogger("somebody").exception("theirs broke: %s", KEY)
    told = capsys.readouterr().err
    assert told.count("broke") >= 2
    assert KEY[:4] + "..." in told
    assert KEY not in told
    assert "hunter2" not in told
    assert SECRET not in told


def test_what_is_no_key_stays() -> None:
    digest = "0123456789abcdef" * 4
    assert log.hide(f"{digest} 79990000001") == f"{digest} 79990000001"
