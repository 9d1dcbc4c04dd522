"""Two agents of ours over a wire that loses, repeats and reorders: whatever it does, every leg ends once."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.events import Answered, Failed, Incoming

FATES = st.sampled_from(([0.01], [0.01], [0.01], [], [], [0.01, 0.02], [0.3], [0.6], [0.01, 0.9], [2.0]))
MOMENTS = st.one_of(st.none(), st.floats(0, 3), st.sampled_from([0.0, 0.01, 0.02, 0.03, 0.05, 0.5, 1.0]))


@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    fates=st.lists(FATES, max_size=40),
    hangup=MOMENTS,
    callee_hangup=MOMENTS,
    rings=st.booleans(),
    answers=st.one_of(st.none(), st.floats(0, 2)),
    rejects=st.one_of(st.none(), st.sampled_from([404, 486, 503, 603])),
)
def test_every_leg_ends_once_and_nothing_is_left(make_wire, fates, hangup, callee_hangup, rings, answers, rejects):
    wire, caller, callee = make_wire()
    fate = itertools.chain(fates, itertools.repeat([0.01]))
    wire.fate = lambda data: next(fate)
    clock = wire.clock

    def incoming(leg, event):
        if isinstance(event, Incoming):
            if rings:
                callee.ring(leg)
            if answers is not None:
                clock.call_at(clock.now() + answers, lambda: callee.answer(leg))
            elif rejects is not None:
                callee.reject(leg, rejects)
            if callee_hangup is not None:
                clock.call_at(clock.now() + callee_hangup, lambda: callee.hangup(leg))

    callee.on_event = incoming
    caller.place()
    if hangup is not None:
        clock.call_at(clock.now() + hangup, caller.hangup)
    clock.call_at(clock.now() + 60, caller.hangup)  # the call's own limit
    clock.call_at(clock.now() + 70, lambda: [callee.hangup(leg) for leg in callee.agent.open_legs()])
    clock.advance(250)

    assert len(caller.ends()) == 1
    assert caller.events()[-1] == caller.ends()[0]
    for leg in {name for name, _, _ in callee.said}:
        assert len(callee.ends(leg)) == 1
        assert callee.events(leg)[-1] == callee.ends(leg)[0]
    for end in (caller, callee):
        assert end.agent.census() == {"dialogs": 0, "timers": 0}
        assert end.agent.remembered == 0
        assert not end.agent.open_legs()
        assert not end.timers
    assert clock.pending == 0
    if hangup is not None:
        hung_up = 1_000_000.0 + hangup
        assert not [at for _, at, event in caller.said if isinstance(event, Answered) and at > hung_up]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lost=st.sets(st.integers(0, 12), max_size=8))
def test_a_call_gets_through_whatever_single_messages_are_lost(make_wire, lost):
    wire, caller, callee = make_wire()
    number = itertools.count()
    wire.fate = lambda data: [] if next(number) in lost else [0.01]
    callee.on_event = lambda leg, event: callee.answer(leg) if isinstance(event, Incoming) else None
    caller.place()
    wire.clock.advance(31)
    assert not any(isinstance(event, Failed) for event in caller.events())
    caller.hangup()
    wire.clock.advance(40)
    assert len(caller.ends()) == 1
    assert len(callee.ends("in-1")) == 1
    assert caller.agent.census() == callee.agent.census() == {"dialogs": 0, "timers": 0}
