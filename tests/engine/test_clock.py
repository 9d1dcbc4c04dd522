"""The clocks."""

import pytest

from engine.clock import SimulatedClock, SystemClock, sleep_until


def test_a_simulated_clock_jumps_and_calls_in_order() -> None:
    clock, told = SimulatedClock(100.0), []
    clock.call_at(102.0, lambda: told.append(("b", clock.now())))
    clock.call_at(101.0, lambda: told.append(("a", clock.now())))
    never = clock.call_at(101.5, lambda: told.append(("never", 0.0)))
    never.cancel()
    clock.call_at(200.0, lambda: told.append(("later", 0.0)))
    clock.advance(10)
    assert told == [("a", 101.0), ("b", 102.0)]
    assert clock.now() == 110.0
    assert clock.pending == 1


def test_what_a_timer_sets_runs_in_the_same_jump() -> None:
    clock, told = SimulatedClock(0.0), []
    clock.call_at(1.0, lambda: clock.call_at(clock.now() + 1.0, lambda: told.append(clock.now())))
    clock.advance(5)
    assert told == [2.0]


@pytest.mark.anyio
async def test_the_system_clock_keeps_time() -> None:
    clock = SystemClock()
    began = clock.now()
    await sleep_until(clock, began + 0.02)
    assert clock.now() >= began + 0.02
