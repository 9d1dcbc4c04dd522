"""Both directions side by side, whatever is lost, in whatever pieces they come."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.media.rtp import FRAME_SAMPLES
from engine.recording.channels import BEHIND_FRAMES, Channels


def frames(first, count):
    """Each frame tells its number, from 1 on; a number below that is nothing."""
    numbers = np.maximum(np.arange(first, first + count), 0)
    return np.repeat(numbers.astype(np.int16)[:, None], FRAME_SAMPLES, axis=1)


def record(ticks, cuts=(), lost=frozenset(), tail=BEHIND_FRAMES):
    """A call whose far end echoes us at once: tick n sends n + 1, and what came then is told `BEHIND_FRAMES` later."""
    channels, out = Channels(), []
    sent, came = frames(1, ticks), frames(1 - BEHIND_FRAMES, ticks)
    for begin, end in zip([0, *cuts], [*cuts, ticks], strict=True):
        numbers = np.array([n for n in range(begin, end) if n not in lost], np.uint32)
        out.append(channels.take(numbers, sent[numbers], came[numbers]))
    out.append(channels.finish(ticks, frames(ticks - BEHIND_FRAMES + 1, tail)))
    samples = np.concatenate(out).reshape(-1, FRAME_SAMPLES, 2)
    assert (samples == samples[:, :1]).all()
    return channels, samples[:, 0]


@settings(deadline=None)
@given(st.integers(0, 60), st.sets(st.integers(0, 60)))
def test_what_was_sent_and_what_came_then_stand_side_by_side(ticks, cuts):
    channels, told = record(ticks, sorted(cut for cut in cuts if cut < ticks))
    assert (told == np.arange(1, ticks + 1)[:, None]).all()
    assert (len(told), channels.lost) == (ticks, 0)


@settings(deadline=None)
@given(st.integers(1, 60), st.sets(st.integers(0, 60)), st.sets(st.integers(0, 59)))
def test_what_is_lost_is_silence_and_counted(ticks, cuts, lost):
    lost = {number for number in lost if number < ticks}
    channels, told = record(ticks, sorted(cut for cut in cuts if cut < ticks), lost)
    came, sent = told.T
    assert channels.lost == len(lost)
    assert sent.tolist() == [0 if n in lost else n + 1 for n in range(ticks)]
    assert came.tolist() == [0 if n + BEHIND_FRAMES in lost else n + 1 for n in range(ticks)]


def test_a_short_tail_is_silence_in_the_end():
    _, told = record(30, tail=BEHIND_FRAMES - 5)
    assert told[:, 0].tolist() == [*range(1, 26), 0, 0, 0, 0, 0]


def test_a_tail_that_is_longer_does_not_prolong_the_call():
    _, told = record(30, tail=BEHIND_FRAMES + 9)
    assert told[:, 0].tolist() == list(range(1, 31))
