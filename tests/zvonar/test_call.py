"""What `zvonar call` prints."""

from __future__ import annotations

from typing import Any

import pytest

from zvonar.call import line, summary

RESULT: dict[str, Any] = {
    "disposition": "answered", "answered_at": 1003.0, "duration_ms": 12000, "heard_ms": 3000, "digits": "1",
    "path": ["greeting", "manager"], "reason": "", "journal": None, "recording": None, "manager": None,
}  # fmt: skip
MANAGER = {
    "to": "74951234567", "shown": "79932432781", "started_at": 1005.0, "answered_at": 1007.5, "ended_at": 1015.0,
    "status": "answered", "sip_code": 200, "hangup_cause": 16,
}  # fmt: skip


@pytest.mark.parametrize(
    ("manager", "told"),
    [
        (MANAGER, "manager: 74951234567, who saw 79932432781: answered after 2.5 s, talked for 7.5 s"),
        (
            MANAGER | {"answered_at": None, "status": "no_answer", "sip_code": 487},
            "manager: 74951234567, who saw 79932432781: no answer (SIP 487)",
        ),
        (
            MANAGER | {"answered_at": None, "status": "congestion", "sip_code": None},
            "manager: 74951234567, who saw 79932432781: congestion",
        ),
    ],
)
def test_the_manager_in_the_summary(manager: dict[str, Any], told: str) -> None:
    assert summary(RESULT | {"manager": manager}).plain.splitlines()[-1] == told
    assert "manager:" not in summary(RESULT).plain


def test_the_sound_in_the_summary() -> None:
    media = {
        "mos": 3.62, "lost": 12, "received": 488, "remote_lost": 3, "round_trip_ms": 81.6, "one_way_audio": False,
    }  # fmt: skip
    told = "sound: MOS 3.6, 12 of 500 packets lost, 3 of ours, 82 ms there and back"
    assert told in summary(RESULT | {"media": media}).plain
    silent = media | {"mos": None, "received": 0, "remote_lost": None, "round_trip_ms": None, "one_way_audio": True}
    assert "sound: one way only" in summary(RESULT | {"media": silent}).plain
    assert "sound:" not in summary(RESULT | {"media": None}).plain


def test_a_fact_of_a_transfer() -> None:
    fact = {"call": "c", "seq": 9, "at": 1007.5, "type": "transfer_answered", "to": "74951234567"}
    assert line(fact, began=1000.0).plain == "   7.50 s  transfer_answered to 74951234567"
