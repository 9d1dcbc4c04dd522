"""The table of DESIGN's dispositions, row by row."""

import pytest

from engine.disposition import Disposition, of_final_code

ROWS = [
    ((403, 603, 606, 607, 608), "rejected", 21),
    ((404, 485, 604), "unallocated", 1),
    ((410,), "unallocated", 22),
    ((484,), "unallocated", 28),
    ((486, 600), "busy", 17),
    ((480,), "unavailable", 18),
    ((408,), "unavailable", 102),
    ((401, 402, 407), "trunk_error", 21),
    ((405,), "trunk_error", 63),
    ((406, 415), "trunk_error", 79),
    ((488,), "trunk_error", 31),
    ((500, 503), "congestion", 41),
    ((502,), "congestion", 38),
    ((504,), "congestion", 102),
    ((501, 505, 513, 580, 599), "congestion", 127),
    ((400, 413, 420, 481, 487, 499), "trunk_error", 127),
    ((601, 699), "rejected", 21),
    ((300, 302, 380), "trunk_error", 31),
]


@pytest.mark.parametrize(
    ("code", "disposition", "cause"), [(code, word, cause) for codes, word, cause in ROWS for code in codes]
)
def test_a_final_code_has_its_disposition_and_cause(code: int, disposition: str, cause: int) -> None:
    verdict = of_final_code(code)
    assert (verdict.disposition.value, verdict.cause) == (disposition, cause)


def test_a_reason_header_wins_the_cause_but_not_the_word() -> None:
    verdict = of_final_code(503, q850=34)
    assert (verdict.disposition, verdict.cause) == (Disposition.CONGESTION, 34)


@pytest.mark.parametrize(("code", "side"), [(486, "callee"), (603, "callee"), (404, "network"), (503, "network")])
def test_who_ended_it(code: int, side: str) -> None:
    assert of_final_code(code).ended_by.value == side
