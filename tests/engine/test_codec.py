"""Events through JSON and back."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.codec import Codec
from engine.events import Ended, Failed, Origin, Side
from engine.media import wire
from engine.orders import INPUT_KINDS

CODEC = Codec(INPUT_KINDS)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no defect
@given(st.sampled_from(INPUT_KINDS).flatmap(st.builds))
def test_every_input_survives(event: object) -> None:
    encoded = json.dumps(CODEC.encode(event))
    again = CODEC.decode(json.loads(encoded))
    assert json.dumps(CODEC.encode(again)) == encoded  # as text: NaN is not equal to itself
    assert type(again) is type(event)


def test_the_form() -> None:
    failed = Failed(302, "Moved", Origin.REMOTE, contacts=("sip:a@b",))
    assert CODEC.encode(failed)["contacts"] == ["sip:a@b"]
    assert isinstance(CODEC.decode(CODEC.encode(Ended(Side.NETWORK))).by, Side)


@pytest.mark.parametrize("plain", [{}, {"type": "Nothing"}, {"type": "Ringing", "colour": 1}, {"type": "Failed"}])
def test_what_is_none_of_ours(plain: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not an event of ours"):
        CODEC.decode(plain)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(wire.KINDS.values())).flatmap(st.builds), st.integers(-1, 4000), st.floats(0, 2e9))
def test_the_media_boundary(body: wire.Command, slot: int, at: float) -> None:
    envelope = wire.Envelope(slot, 3, at, body)
    packed = wire.pack(envelope)
    assert wire.pack(wire.unpack(packed)) == packed  # as bytes: NaN is not equal to itself
    assert type(wire.unpack(packed).body) is type(body)


@given(st.binary(max_size=60))
def test_no_message_of_the_boundary(datagram: bytes) -> None:
    with pytest.raises(ValueError, match="media boundary"):
        wire.unpack(b"\x00" + datagram)
