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


@given(
    st.text("0123456789*#", max_size=20),
    st.floats(0.05, 0.5),
    st.floats(0.0, 1.0),
    st.permutations(["rfc4733", "info", "inband"]),
)
def test_channels_tell_what_one_tells(keys: str, spacing: float, delay: float, channels: list[str]) -> None:
    reports = [
        (index * spacing + late * delay / 2, key, channel)
        for index, key in enumerate(keys)
        for late, channel in enumerate(channels)
    ]
    assert taken(sorted(reports, key=lambda report: report[0])) == keys


@given(st.text("12", max_size=12), st.lists(st.sampled_from(["both", "info", "inband"]), min_size=12, max_size=12))
def test_what_one_channel_loses_the_other_brings(keys: str, brought: list[str]) -> None:
    """Presses three seconds apart, INFO half a second after the tone. A press that only one brought is still one."""
    reports = []
    for index, (key, by) in enumerate(zip(keys, brought, strict=False)):
        reports += [(index * 3.0, key, "inband")] if by != "info" else []
        reports += [(index * 3.0 + 0.5, key, "info")] if by != "inband" else []
    assert taken(reports) == keys
