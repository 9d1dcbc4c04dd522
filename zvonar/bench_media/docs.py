"""`python -m zvonar.bench_media.docs LINES FOLDER`: the page and the picture of a measurement, for `make bench`.

LINES is what `zvonar bench media --json` has printed, of one run or of many, one after another.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zvonar.bench_media.plot import draw
from zvonar.bench_media.repeats import Point, Ratio, Spread, points, ratios, read

HOW = """\
# The media plane beside what people would use instead

![CPU and pacing against the number of calls](pictures/bench-media.svg)

Made by `make bench`; every line that was measured is in [bench.jsonl](bench.jsonl). {machine}

Three processes: the one measured has a core for itself; the far end of all calls, and the bench, share another. The far
end is the same for all designs. It sends a packet of speech each 20 ms and call at its own moments, presses a key on
each call every five seconds (RFC 4733), takes the kernel's time of each packet that comes (`SO_TIMESTAMPNS`: its own
scheduling does not count), and compares every byte with the clip that is played. The plane is measured right before
each of its peers, all of it {repeats} times: what counts is the ratio of two neighbours. {seconds:g} s each.

- **zvonar**: the media process, opened, aimed, fed and closed as the engine does it. A quarter of the calls are heard
  for voice (`detection.voice`, with webrtcvad).
- **floor**: the same number of connected sockets at the same deadlines, `send` and `recv_into`, nothing else: ready
  packets go out, what comes is not looked at.
- **asyncio**: for each call a `DatagramProtocol` that reads and a task that sends and sleeps until the next deadline;
  packets made, read and searched for keys by the plane's own functions for single packets, the same detector on the
  same share of the calls.
- **asterisk**: `Playback` of the clip to calls placed by SIP, `TALK_DETECT` on the same share.
- **pyvoip**: `RTPClient` of pyVoIP {pyvoip} as it comes, two threads a call; a third one reads the calls that are heard
  into the same detector.

The plane, the floor and asyncio ask for SCHED_FIFO (the lines tell whether they had it); pyVoIP and Asterisk run
as they come, at the highest ordinary priority (nice -20).

`CPU` is user and system time of the process measured, per call and 20 ms: a packet each way. The *pacing error* is how
far from its call's grid of 20 ms a packet came. *Late* is more than 20 ms behind it, or given up, or not there at the
end. A design kept up if 99 % of the packets that were due came, and 99 % of them within 40 ms of their time, as a usual
jitter buffer bears; where it did not, its CPU is the price of less.
Middle of the repeats, and in brackets the least and the most.
"""


def main(arguments: list[str]) -> int:
    """Write `bench.md` and `pictures/bench-media.svg` into FOLDER; exit status 0."""
    source, folder = map(Path, arguments)
    lines = read(source.read_text("utf-8"))
    (folder / "bench.md").write_text(page(lines, machine()), "utf-8")
    (folder / "pictures" / "bench-media.svg").write_text(draw(points(lines)), "utf-8")
    return 0


def page(lines: list[dict[str, Any]], on: str) -> str:
    """The page, in Markdown."""
    found = points(lines)
    head = HOW.format(
        machine=on,
        repeats=max(point.runs for point in found if point.design != "zvonar") if len(found) > 1 else 1,
        seconds=lines[0]["seconds"],
        pyvoip=version("pyVoIP"),
    )
    return "\n".join([head, *_table(found), "", *_ratios(ratios(lines))]) + "\n"


def machine() -> str:
    """This one, in a sentence."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    python = platform.python_version()
    return f"On {model}, {os.cpu_count()} cores, Linux {platform.release().partition('-')[0]}, Python {python}."


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _table(found: Sequence[Point]) -> Iterator[str]:
    yield "| design | calls | runs | CPU, µs | pacing p50, ms | pacing p99, ms | lost | wrong | late | kept up |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|"
    for point in found:
        cells = [
            point.design,
            str(point.calls),
            str(point.runs),
            _told(point.cpu_us, 1),
            _told(point.p50_ms, 2),
            _told(point.p99_ms, 2),
            *(_told(spread, 0) for spread in (point.lost, point.wrong, point.late)),
            "yes" if point.carried else "no",
        ]
        yield f"| {' | '.join(cells)} |"


def _ratios(found: Sequence[Ratio]) -> Iterator[str]:
    yield "CPU of a peer, as a multiple of the plane's in the run just before it:"
    yield ""
    yield "| peer | calls | times the plane's CPU |"
    yield "|---|--:|--:|"
    for ratio in found:
        yield f"| {ratio.peer} | {ratio.calls} | {_told(ratio.times, 2)} |"


def _told(spread: Spread, places: int) -> str:
    middle = f"{spread.middle:.{places}f}"
    if spread.least == spread.most:
        return middle
    return f"{middle} ({spread.least:.{places}f} - {spread.most:.{places}f})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
