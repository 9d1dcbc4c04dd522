"""The memory between the two: in order, or not at all."""

import os

import numpy as np
import pytest

from engine.recording.ring import BLOCK_FRAMES, FRAME, TAIL, Ring, create

CODES = np.random.default_rng(4).integers(0, 256, (500, 160)).astype(np.uint8)


@pytest.fixture
def descriptor():
    descriptor = create(1)
    yield descriptor
    os.close(descriptor)


def write(ring, first, count):
    numbers = np.arange(first, first + count, dtype=np.uint32)
    codes = CODES[numbers % len(CODES)]
    return ring.write(numbers % 7, numbers % 5, numbers, np.full(count, TAIL, np.uint8), codes, codes[:, ::-1])


def check(pieces, first, end):
    got = np.concatenate([np.zeros(0, FRAME), *(piece.copy() for piece in pieces)])
    numbers = np.arange(first, end)
    codes = CODES[numbers % len(CODES)]
    assert (got["number"] == numbers).all()
    assert (got["row"] == numbers % 7).all()
    assert (got["generation"] == numbers % 5).all()
    assert (got["flags"] == TAIL).all()
    assert (got["tx"] == codes).all()
    assert (got["rx"] == codes[:, ::-1]).all()


def test_frames_come_as_they_went_round_and_round(descriptor):
    one, other = Ring(descriptor), Ring(descriptor)
    at = 0
    for count in [1, 499, 0, 300] * 30:
        assert write(one, at, count)
        check(other.read(one.head), at, at + count)
        at += count
    assert one.seen == one.head == at > 3 * one.capacity


def test_a_full_one_takes_nothing_and_goes_on_when_a_block_is_read(descriptor):
    one, other = Ring(descriptor), Ring(descriptor)
    at = 0
    while write(one, at, 500):
        at += 500
    assert one.capacity - 500 < at == one.head <= one.capacity
    check(other.read(BLOCK_FRAMES - 1), 0, BLOCK_FRAMES - 1)
    assert not write(one, at, 500)
    check(other.read(BLOCK_FRAMES), BLOCK_FRAMES - 1, BLOCK_FRAMES)
    assert write(one, at, 500)
    check(other.read(one.head), BLOCK_FRAMES, at + 500)


def test_memory_that_was_read_is_given_back(descriptor):
    one, other = Ring(descriptor), Ring(descriptor)
    write(one, 0, BLOCK_FRAMES - 1)
    waiting = os.fstat(descriptor).st_blocks
    write(one, BLOCK_FRAMES - 1, 1)
    check(other.read(one.head), 0, BLOCK_FRAMES)
    assert os.fstat(descriptor).st_blocks < waiting / 10
