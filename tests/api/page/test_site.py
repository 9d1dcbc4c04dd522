"""What every room has from the site: people get a page where there is nothing, scripts the API's refusal."""

from __future__ import annotations

import re
from typing import Any

import pytest
from person import Person

from api.page.rooms import ROOMS

NUMBERED = sorted({way.path for room in ROOMS for way in room if ":int}" in way.path and way.method == "GET"})


@pytest.mark.parametrize("number", [999, 2**63 - 1, 2**63, 10**40])
def test_what_does_not_exist(running: Any, number: int) -> None:
    assert len(NUMBERED) > 3
    operator = Person(running)
    for path in (re.sub(r"\{\w+:int\}", str(number), pattern) for pattern in NUMBERED):
        shown = operator.http.get(path, headers={"accept": "text/html,*/*"})
        assert (shown.status_code, shown.headers["content-type"]) == (404, "text/html; charset=utf-8"), path
        assert "There is nothing here" in shown.text
        told = operator.http.get(path, headers={"accept": "application/json"})
        assert (told.status_code, told.json()["data"]["code"]) in ((404, "not_found"), (404, "record_unknown")), path
