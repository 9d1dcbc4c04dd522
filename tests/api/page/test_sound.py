"""How a call sounded, in words."""

from __future__ import annotations

import pytest

from api.page.sound import sound

CLEAN = {
    "sent": 500, "received": 498, "lost": 0, "late": 0, "doubled": 0, "invalid": 0, "jitter_ms": 0.5,
    "round_trip_ms": 0.2, "remote_lost": None, "remote_jitter_ms": None, "mos": 4.4, "one_way_audio": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("media", "english", "russian"),
    [
        (None, "", ""),
        (CLEAN | {"mos": None}, "", ""),
        (CLEAN, "good sound (MOS 4.4)", "хороший звук (MOS 4,4)"),
        (
            CLEAN | {"lost": 2, "remote_lost": 25, "round_trip_ms": 81.6, "mos": 3.6},
            "fair sound (MOS 3.6) · 5.0 % of the packets lost · 82 ms there and back",
            "средний звук (MOS 3,6) · потеряно 5,0 % пакетов · 82 мс туда и обратно",
        ),
        (
            CLEAN | {"received": 0, "mos": None, "one_way_audio": True},
            "sound went one way only",
            "звук шёл только в одну сторону",
        ),
        (CLEAN | {"mos": 1.0}, "bad sound (MOS 1.0)", "плохой звук (MOS 1,0)"),
    ],
)
def test_sound(media, english, russian):
    assert sound(media, "en") == english
    assert sound(media, "ru") == russian
