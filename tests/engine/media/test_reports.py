"""What we report, and which reports are believed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.media.reports import Counts, Reports
from engine.media.rtcp import Block, Compound, Report, Sender, middle, ntp, parse

NOW = 1_800_000_000.0
WORD = st.integers(0, (1 << 32) - 1)
COUNTS = Counts(
    ssrc=11, sent=250, octets=40_000, timestamp=5, rx_ssrc=22, rx_sequence=99, expected=100, received=90, jitter=12
)


def told(reports: Reports, counts: Counts = COUNTS, at: float = NOW) -> Report:
    compound = parse(reports.compose(counts, at))
    assert compound is not None
    return compound.reports[0]


def heard(reports: Reports, block: Block, counts: Counts = COUNTS, at: float = NOW) -> Reports:
    reports.take(Compound((Report(22, None, (block,)),)), counts, at)
    return reports


def test_a_report_of_ours():
    report = told(Reports("a"))
    assert report.ssrc == 11
    assert report.sender == Sender(ntp(NOW), 5, 250, 40_000)
    assert report.blocks == (Block(22, 25, 10, 99, 12, 0, 0),)


def test_a_fraction_is_of_the_interval():
    """Appendix A.3: 10 of 100 were lost before, of the next 50 none; doubles make none below nothing."""
    reports = Reports("a")
    told(reports)
    assert told(reports, COUNTS._replace(expected=150, received=140, rx_sequence=149)).blocks[0][1:4] == (0, 10, 149)
    assert told(reports, COUNTS._replace(expected=200, received=165, rx_sequence=199)).blocks[0][1:3] == (128, 35)


def test_who_sends_nothing_reports_as_a_receiver():
    reports = Reports("a")
    assert told(reports).sender is not None
    assert told(reports).sender is None
    assert told(Reports("a"), COUNTS._replace(received=0)).blocks == ()


def test_sequence_numbers_are_extended():
    counts = COUNTS._replace(expected=65536 + 40, received=65536 + 40, rx_sequence=10)
    assert told(Reports("a"), counts).blocks[0].highest == (2 << 16) + 10


def test_another_source_is_counted_by_itself():
    reports = Reports("a")
    told(reports)
    told(reports, COUNTS._replace(rx_ssrc=23, rx_sequence=7, expected=101, received=91))
    block = told(reports, COUNTS._replace(rx_ssrc=23, rx_sequence=17, expected=111, received=99)).blocks[0]
    assert (block.ssrc, block.lost, block.fraction) == (23, 2, 51)


def test_lsr_and_dlsr():
    reports = Reports("a")
    reports.take(Compound((Report(22, Sender(ntp(NOW - 9), 0, 0, 0)),)), COUNTS, NOW)
    reports.take(Compound((Report(23, Sender(ntp(NOW + 9), 0, 0, 0)),)), COUNTS, NOW + 1)  # of somebody else
    block = told(reports, at=NOW + 1.5).blocks[0]
    assert (block.lsr, block.dlsr) == (middle(ntp(NOW - 9)), 3 << 15)


def test_a_round_trip():
    """Section 6.4.1, figure 2: arrival less LSR less DLSR."""
    reports = Reports("a")
    told(reports)
    lsr = middle(ntp(NOW))
    heard(reports, Block(11, 0, 3, 400, 80, lsr, 65536), at=NOW + 1.25)
    heard(reports, Block(11, 0, 3, 500, 80, lsr, 65536), at=NOW + 1.75)
    assert reports.round_trip_s == 0.5
    assert (reports.lost, reports.loss, reports.jitter) == (3, 3 / 250, 80)


def test_round_trips_that_cannot_be():
    reports = Reports("a")
    told(reports)
    lsr = middle(ntp(NOW))
    for claimed, dlsr, after_s in [
        (0, 0, 1.0),
        (lsr + 1, 0, 1.0),  # of no report of ours
        (lsr, 65536 * 2, 1.0),  # it kept it longer than there was time
        (lsr, 0, 6.0),
        (lsr, 0xFFFFFFFF, 1.0),
        (lsr, 0, -1.0),
    ]:
        heard(reports, Block(11, 0, 0, 400, 0, claimed, dlsr), at=NOW + after_s)
    assert reports.round_trip_s is None
    heard(reports, Block(11, 0, 0, 400, 0, lsr, 65536 + 20), at=NOW + 1.0)  # two clocks, read in turn
    assert reports.round_trip_s == 0.0


def test_what_is_not_about_us_is_nothing():
    reports = heard(Reports("a"), Block(12, 255, 100, 400, 4000, 0, 0))
    assert (reports.lost, reports.jitter) == (None, None)


def test_lost_and_jitter_that_cannot_be():
    reports = heard(Reports("a"), Block(11, 0, 251, 400, 0, 0, 0))
    heard(reports, Block(11, 0, 0, 400, 80_001, 0, 0))
    assert (reports.lost, reports.jitter) == (None, None)
    assert heard(reports, Block(11, 0, -5, 400, 0, 0, 0)).lost == 0


def test_a_far_end_that_hears_nothing():
    reports = Reports("a")
    for number in range(1, 4):
        reports.take(Compound((Report(22),)), COUNTS._replace(sent=250 * number), NOW + 5 * number)
    assert reports.deaf
    heard(reports, Block(11, 0, 0, 400, 0, 0, 0), COUNTS._replace(sent=1000))
    assert not reports.deaf


def test_a_far_end_that_stops_hearing_us():
    reports = Reports("a")
    for sent in (250, 500, 750):
        heard(reports, Block(11, 0, 0, 400, 0, 0, 0), COUNTS._replace(sent=sent))
    assert reports.deaf


def test_reports_in_a_hurry_are_no_deafness():
    reports = Reports("a")
    for _ in range(50):
        reports.take(Compound((Report(22),)), COUNTS._replace(sent=20), NOW)
    assert not reports.deaf


@given(
    st.lists(st.builds(Block, st.sampled_from([11, 22]), st.integers(0, 255), st.integers(-(1 << 23), (1 << 23) - 1),
                       WORD, WORD, WORD, WORD)),
    st.integers(0, 10_000), WORD, st.floats(0, 1e10),
)  # fmt: skip
def test_lies_stay_within_bounds(blocks, sent, received, at):
    counts = COUNTS._replace(sent=sent, received=received)
    reports = Reports("a")
    told(reports, counts)
    reports.take(Compound((Report(22, Sender((1 << 64) - 1, 0, 0, 0), tuple(blocks)),)), counts, at)
    assert reports.lost is None or 0 <= reports.lost <= sent
    assert reports.loss is None or 0 <= reports.loss <= 1
    assert reports.jitter is None or reports.jitter <= 80_000
    assert reports.round_trip_s is None or 0 <= reports.round_trip_s <= 5
    told(reports, counts, at)
