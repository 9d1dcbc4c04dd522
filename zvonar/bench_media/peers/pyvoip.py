"""pyVoIP's RTPClient as it comes, one a call, which is two threads a call.

`python -m zvonar.bench_media.peers.pyvoip SETTINGS`. The clip is written as `VoIPCall.write_audio` would, in pyVoIP's
8-bit samples; the keys come by its own call-back. A call that is heard for voice is read by a thread more, as
`VoIPCall.read_audio` would, into the same detector as the plane's. It is PCMU: what pyVoIP 1.6.8 names PCMA it encodes
as PCMU too.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import warnings
from typing import Any, Final

import numpy as np
from pyVoIP.RTP import PayloadType, RTPClient, TransmitType

from zvonar.bench_media.clip import eight_bit, part
from zvonar.bench_media.pacing import FRAME_SAMPLES
from zvonar.bench_media.peers.ear import Ear
from zvonar.bench_media.peers.seat import free_ports, raise_limit, say
from zvonar.bench_media.presses import DIGIT_TYPE

OPEN_S: Final = 20.0
ROUNDS: Final = 18  # of the clip, some 10 s each


def main(arguments: list[str]) -> int:
    """Carry the calls until a line comes; exit status 0. It ends without waiting for pyVoIP's threads."""
    raise_limit()
    warnings.simplefilter("ignore")  # it warns of each packet that the far end refuses by ICMP
    settings: dict[str, Any] = json.loads(arguments[0])
    digits: list[str] = []
    codecs = {0: PayloadType.PCMU, DIGIT_TYPE: PayloadType.EVENT}
    sounds = _sounds(np.load(settings["clip"]))
    ports: list[int] = []
    give_up = time.monotonic() + OPEN_S
    for index, (far_port, heard, port) in enumerate(
        zip(settings["far_ports"], settings["heard"], free_ports(), strict=False)
    ):
        client = RTPClient(codecs, "127.0.0.1", port, "127.0.0.1", far_port, TransmitType.SENDRECV, dtmf=digits.append)
        client.write(sounds[part(index)])
        if time.monotonic() > give_up:  # it has no time left to begin calls: the others are refused
            break
        try:
            client.start()
            if heard:
                threading.Thread(target=_hear, args=(client,), daemon=True).start()
        except RuntimeError:  # can't start new thread
            break
        ports.append(port)
    say({"ports": ports + [0] * (len(settings["far_ports"]) - len(ports))})
    sys.stdin.readline()
    say({"digits": len(digits), "received": None})
    os._exit(0)


def _hear(client: RTPClient) -> None:
    ear = Ear()
    while True:
        samples = np.frombuffer(client.read(FRAME_SAMPLES), np.uint8)
        ear.hear((samples.astype(np.int16) - 128) << 8)


def _sounds(clip: Any) -> dict[int, bytes]:
    """What calls of each part play, in 8-bit samples."""
    sample = np.zeros(256, np.uint8)
    sample[eight_bit()] = np.arange(256)
    linear = sample[clip].tobytes()
    return {part(index): linear[part(index) * clip.shape[1] :] + linear * ROUNDS for index in range(len(clip))}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
