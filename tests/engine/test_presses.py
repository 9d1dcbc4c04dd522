"""One press is one digit, whichever channels report it."""

from hypothesis import given
from hypothesis import strategies as st

from engine.presses import SAME_PRESS_S, Presses


def taken(reports: list[tuple[float, str, str]]) -> str:
    presses = Presses()
    return "".join(digit for at, digit, channel in reports if presses.report(at, digit, channel))


def test_both_channels_one_digit() -> None:
    assert taken([(0.0, "1", "rfc4733"), (0.1, "1", "info")]) == "1"


def test_the_same_key_twice_by_both_channels_is_two() -> None:
    reports = [(0.0, "1", "rfc4733"), (0.05, "1", "info"), (0.2, "1", "rfc4733"), (0.25, "1", "info")]
    assert taken(reports) == "11"


def test_a_late_channel_catches_up_in_order() -> None:
    reports = [(0.0, "1", "rfc4733"), (0.2, "1", "rfc4733"), (0.5, "1", "info"), (0.6, "1", "info")]
    assert taken(reports) == "11"


def test_a_much_later_report_is_a_new_press() -> None:
    assert taken([(0.0, "1", "rfc4733"), (SAME_PRESS_S + 0.1, "1", "info")]) == "11"


@given(st.text("0123456789*#", max_size=20), st.floats(0.05, 0.5), st.floats(0.0, 1.0))
def test_two_channels_tell_what_one_tells(keys: str, spacing: float, delay: float) -> None:
    first = [(index * spacing, key, "rfc4733") for index, key in enumerate(keys)]
    second = [(at + delay, key, "info") for at, key, _ in first]
    assert taken(sorted(first + second, key=lambda report: report[0])) == keys
