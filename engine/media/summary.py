"""What a call's media was like, told once, when its slot is closed."""

from __future__ import annotations

from collections.abc import Mapping

from engine.media.columns import Columns
from engine.media.incoming import Refused
from engine.media.reports import Reports
from engine.media.statistics import BPL, BPL_CONCEALED, milliseconds, mos, mouth_to_ear_ms
from engine.media.wire import Closed


def summary(
    columns: Columns,
    row: int,
    late: int,
    refused: Mapping[Refused, int],
    reports: Reports | None,
    overflowed: int,
    one_way: bool,
) -> Closed:
    """Of one row. MOS is the worse of both directions, of those that are known."""
    received, expected = int(columns.received[row]), int(columns.expected[row])
    lost = max(0, expected - received)
    jitter_ms = milliseconds(float(columns.jitter[row])) if columns.jitter_samples[row] > 1 else None
    round_trip_ms = remote_jitter_ms = remote_lost = None
    scores = []
    if reports is not None:
        remote_lost = reports.lost
        round_trip_ms = reports.round_trip_s * 1000 if reports.round_trip_s is not None else None
        remote_jitter_ms = milliseconds(reports.jitter) if reports.jitter is not None else None
        if reports.loss is not None:
            delay_ms = mouth_to_ear_ms(round_trip_ms or 0.0, remote_jitter_ms or 0.0)
            scores.append(mos(reports.loss, delay_ms, BPL_CONCEALED))
    if expected:
        delay_ms = mouth_to_ear_ms(round_trip_ms or 0.0, jitter_ms or 0.0)
        scores.append(mos((lost + late) / expected, delay_ms, BPL))
    return Closed(
        sent=int(columns.sent[row]),
        received=received,
        lost=lost,
        invalid=int(columns.invalid[row]),
        late=late,
        doubled=int(columns.doubled[row]),
        jitter_ms=_rounded(jitter_ms),
        round_trip_ms=_rounded(round_trip_ms),
        remote_lost=remote_lost,
        remote_jitter_ms=_rounded(remote_jitter_ms),
        mos=_rounded(min(scores, default=None)),
        strangers=refused.get(Refused.STRANGER, 0),
        garbage=refused.get(Refused.GARBAGE, 0),
        wrong_type=refused.get(Refused.TYPE, 0),
        wrong_size=refused.get(Refused.SIZE, 0),
        overflowed=overflowed,
        one_way_audio=one_way,
    )


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)
