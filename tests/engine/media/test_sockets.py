"""The socket backend on loopback: pairs of ports, the kernel's stamps and its count of what was dropped, RTCP."""

from __future__ import annotations

import socket
import time

import numpy as np
import pytest

from engine.media.columns import Columns
from engine.media.sockets import PortsError, Sockets, bind, ports_of

LOW = 23_000
ROW = np.array([0])


@pytest.fixture
def backend():
    columns = Columns(1)
    pairs = bind("127.0.0.1", LOW, LOW + 99, 1)
    backend = Sockets(pairs, columns)
    backend.port = ports_of(pairs)[0]
    yield backend
    backend.close()


@pytest.fixture
def far_end():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far_end:
        far_end.bind(("127.0.0.1", 0))
        far_end.settimeout(5)
        yield far_end


def waiting(receive):
    """What comes, as soon as it has come."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        came = receive()
        if came is not None:
            return came
    raise TimeoutError


def test_a_pair_whose_odd_port_is_taken_is_skipped():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", LOW + 103))
        with pytest.raises(PortsError, match="1 of 2 pairs"):
            bind("127.0.0.1", LOW + 100, LOW + 103, 2)
        (pair,) = bind("127.0.0.1", LOW + 100, LOW + 103, 1)
        assert [one.getsockname()[1] for one in pair] == [LOW + 100, LOW + 101]
        for one in pair:
            one.close()


def test_the_last_pair_of_a_range_is_within_it():
    with pytest.raises(PortsError, match="1 of 1 pairs"):
        bind("127.0.0.1", LOW + 111, LOW + 114, 2)


def test_when_a_packet_came_not_when_it_was_read(backend, far_end):
    to = ("127.0.0.1", backend.port)
    before = time.time()
    far_end.sendto(b"x" * 172, to)
    after = time.time()
    time.sleep(0.05)
    waiting(lambda: backend.receive(ROW)[0] > 0 or None)
    assert before - 0.001 <= backend.arrivals(ROW)[0] <= after + 0.02
    assert backend.wall() - backend.arrivals(ROW)[0] >= 0.03


def test_what_the_kernel_dropped_is_counted_from_the_beginning_of_the_call(backend, far_end):
    for _ in range(2):
        backend.clear(0)
        assert backend.overflowed(0) == 0
        for _ in range(5000):
            far_end.sendto(bytes(172), ("127.0.0.1", backend.port))
        assert 1000 < backend.overflowed(0) < 5000


def test_reports_both_ways(backend, far_end):
    far, ours = far_end.getsockname(), ("127.0.0.1", backend.port + 1)
    backend.send_report(0, b"to nobody")
    backend.aim_reports(0, far)
    backend.send_report(0, b"report")
    assert far_end.recvfrom(99) == (b"report", ours)
    far_end.sendto(b"answer", ours)
    datagram, source, arrived = waiting(lambda: backend.receive_report(0))
    assert (datagram, source) == (b"answer", far)
    assert abs(arrived - time.time()) < 5
    assert backend.receive_report(0) is None


def test_latched_reports_are_the_far_ends_only(backend, far_end):
    ours = ("127.0.0.1", backend.port + 1)
    backend.aim_reports(0, ("127.0.0.1", 9))
    backend.latch_reports(0, far_end.getsockname())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"lie", ours)
        far_end.sendto(b"truth", ours)
        assert waiting(lambda: backend.receive_report(0))[0] == b"truth"
        backend.send_report(0, b"report")
        assert far_end.recv(99) == b"report"
        backend.aim_reports(0, far_end.getsockname())
        stranger.sendto(b"lie", ours)
        assert waiting(lambda: backend.receive_report(0))[0] == b"lie"
        stranger.sendto(b"of the call before", ours)
        backend.aim_reports(0, None)
        assert backend.receive_report(0) is None


def test_nobody_takes_reports(backend):
    """ICMP says so; the next report is tried all the same."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        address = gone.getsockname()
    backend.aim_reports(0, address)
    backend.latch_reports(0, address)
    for _ in range(5):
        backend.send_report(0, b"report")
        assert backend.receive_report(0) is None


def test_an_address_that_cannot_be(backend):
    for host in ("255.255.255.255", "2001:db8::1"):
        backend.aim_reports(0, (host, 4001))
        backend.send_report(0, b"report")
        backend.latch_reports(0, (host, 4001))
        backend.send_report(0, b"report")
