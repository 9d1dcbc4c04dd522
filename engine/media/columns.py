"""What is known of all slots, as columns: one numpy array a quantity, one row a slot. The tick works on these."""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.media.rtp import HEADER, HEADER_BYTES, MAX_BYTES, PACKET_BYTES, VERSION_2

FOREVER: Final = 1 << 62  # frames of silence between prompts
NOBODY: Final = -1
ONCE, ALWAYS = 1, 2  # a packet is owed since a tick without one; more than one a tick came lately


class Columns:
    """Owned by the media thread; a slot's own, rarer things are in `engine.media.slot`."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.phase = np.zeros(slots, np.uint8)  # in which turn of a frame the row is served
        # sending
        self.sending = np.zeros(slots, bool)  # there is somewhere to send to, and no hold
        self.plain = np.zeros(slots, bool)  # one packet of 160 samples a tick, no keys being pressed
        self.law = np.zeros(slots, np.uint8)
        self.payload_type = np.zeros(slots, np.uint8)
        self.marker = np.zeros(slots, np.uint8)  # 0x80 before the first packet
        self.sequence = np.zeros(slots, np.uint16)
        self.timestamp = np.zeros(slots, np.uint32)
        self.ssrc = np.zeros(slots, np.uint32)
        self.gain = np.ones(slots, np.float32)
        self.sent = np.zeros(slots, np.int64)
        self.octets_beside = np.zeros(slots, np.int64)  # of what was sent, more or less than 160 a packet
        # playing
        self.cursor = np.zeros(slots, np.int64)  # byte of the arena where the next frame begins
        self.stride = np.zeros(slots, np.int64)  # how far it moves: a frame in a clip, nothing in silence
        self.frames_left = np.full(slots, FOREVER, np.int64)
        self.heard = np.zeros(slots, np.int64)  # samples of the current prompt that went out
        # receiving
        self.normal = np.zeros(slots, np.uint16)  # the two first bytes of the packet that needs no thought; 0: none
        self.rx_law = np.zeros(slots, np.uint8)
        self.rx_ssrc = np.zeros(slots, np.uint32)
        self.rx_sequence = np.zeros(slots, np.uint16)  # the highest
        self.rx_seen = np.zeros(slots, np.uint64)  # bit n: the packet n before the highest has come
        self.expected = np.zeros(slots, np.int64)
        self.received = np.zeros(slots, np.int64)
        self.invalid = np.zeros(slots, np.int64)
        self.doubled = np.zeros(slots, np.int64)
        self.transit = np.zeros(slots, np.float64)  # of the last packet sampled: arrival less timestamp, in units
        self.jitter = np.zeros(slots, np.float64)  # in units of the timestamp
        self.jitter_samples = np.zeros(slots, np.int64)
        self.receiving = np.zeros(slots, bool)  # RTP may be expected
        self.quiet = np.zeros(slots, np.int64)  # ticks without a packet
        self.eager = np.zeros(slots, np.uint8)  # whether to look for more than a packet in this tick: one of below
        # hearing
        self.listening = np.zeros(slots, bool)
        self.key_tones = np.zeros(slots, bool)  # keys are listened for in the audio
        self.taped = np.zeros(slots, bool)  # both directions are recorded
        self.stalled = np.zeros(slots, np.int64)  # frames that the clock went on without us, and no recording has
        self.generation = np.zeros(slots, np.uint32)
        # bridging
        self.peer = np.full(slots, NOBODY, np.intp)  # whose far end this row sends, in place of what it plays
        # fixed buffers: the sockets read and write these
        self.outbox = np.zeros((slots, PACKET_BYTES), np.uint8)
        self.header = self.outbox[:, :HEADER_BYTES].view(HEADER)[:, 0]
        self.header["first"] = VERSION_2
        self.inbox = np.zeros((slots, MAX_BYTES), np.uint8)
        self.inbox_header = self.inbox[:, :HEADER_BYTES].view(HEADER)[:, 0]
        self.inbox_start = self.inbox[:, :2].view(">u2")[:, 0]

    def clear(self, row: int, generation_seed: np.random.Generator) -> None:
        """A new call takes the row: its own random SSRC, sequence and timestamp (RFC 3550, section 5.1)."""
        for column in (
            self.sending, self.plain, self.law, self.payload_type, self.marker, self.sent, self.octets_beside,
            self.cursor, self.stride, self.heard, self.normal, self.rx_law, self.rx_ssrc, self.rx_sequence,
            self.rx_seen, self.expected, self.received, self.invalid, self.doubled, self.transit, self.jitter,
            self.jitter_samples, self.receiving, self.quiet, self.eager, self.listening, self.key_tones,
        ):  # fmt: skip
            column[row] = 0
        self.gain[row] = 1
        self.peer[row] = NOBODY
        self.frames_left[row] = FOREVER
        self.sequence[row] = generation_seed.integers(1 << 16)
        self.timestamp[row] = generation_seed.integers(1 << 32)
        self.ssrc[row] = generation_seed.integers(1 << 32)
        self.header["ssrc"][row] = self.ssrc[row]
