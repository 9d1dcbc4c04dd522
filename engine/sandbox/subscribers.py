"""Who can be called on the sandbox: the last three digits of a number -> what the subscriber does. One table.

It is the source of `engine/sandbox/README.md` and of the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

# --- steps: each is done, then the next; only `Wait` takes time ------------------------------------------


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Ring:
    """180."""


@dataclass(frozen=True, slots=True)
class Early:
    """183 with media, and that clip in it."""

    clip: str


@dataclass(frozen=True, slots=True)
class Answer:
    """200."""


@dataclass(frozen=True, slots=True)
class Say:
    """Begin to say a clip (behind what is being said)."""

    clip: str


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, RFC 4733, 100 ms each."""

    digits: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A final code."""

    code: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """BYE."""


Step = Wait | Ring | Early | Answer | Say | Press | Reject | HangUp


@dataclass(frozen=True, slots=True)
class Subscriber:
    """What one does, in words and in steps. Steps are followed until the call is over."""

    does: str
    steps: tuple[Step, ...]


# --- the table ------------------------------------------------------------------------------------------

PATIENCE_S = 30.0  # so long a person stays on a line on which nothing is left for them to do
RINGS_FOR_EVER_S = 600.0  # nobody lets it ring longer; then 480, so that nothing stays for ever

PICKS_UP: tuple[Step, ...] = (Ring(), Wait(0.7), Answer())
STAYS: tuple[Step, ...] = (Wait(PATIENCE_S), HangUp())
PRESSES_1: tuple[Step, ...] = (Wait(0.3), Say("hello"), Wait(2.7), Press("1"), *STAYS)

SUBSCRIBERS: dict[str, Subscriber] = {
    "001": Subscriber("rings 0.7 s, answers, says hello, presses 1 after 3 s, stays 30 s", (*PICKS_UP, *PRESSES_1)),
    "002": Subscriber(
        "a machine: answers, says its greeting of 3.7 s, beeps, listens for 20 s, hangs up",
        (*PICKS_UP, Wait(0.5), Say("machine"), Wait(4.4), Say("beep"), Wait(20.5), HangUp()),
    ),
    "003": Subscriber("busy: 486", (Wait(0.2), Reject(486))),
    "004": Subscriber("rings for ever (ten minutes, then 480)", (Ring(), Wait(RINGS_FOR_EVER_S), Reject(480))),
    "005": Subscriber("rings, declines after 3 s: 603", (Ring(), Wait(3.0), Reject(603))),
    "006": Subscriber("answers and is silent, hangs up after 30 s", (*PICKS_UP, *STAYS)),
    "007": Subscriber("answers, hangs up after 1.5 s, in mid-prompt", (*PICKS_UP, Wait(1.5), HangUp())),
    "008": Subscriber(
        "answers, speaks into the prompt after 1.2 s, stays 30 s",
        (*PICKS_UP, Wait(1.2), Say("interruption"), *STAYS),
    ),
    "009": Subscriber(
        "answers, says hello, presses 9 after 3 s and 1 another 3 s later, stays 30 s",
        (*PICKS_UP, Wait(0.3), Say("hello"), Wait(2.7), Press("9"), Wait(3.0), Press("1"), *STAYS),
    ),
    "010": Subscriber("no such number: 404", (Reject(404),)),
    "011": Subscriber("congestion: 503", (Reject(503),)),
    "012": Subscriber(
        "early media (183) with a tune of 2 s, then answers as 001",
        (Wait(0.3), Early("ringback"), Wait(2.0), Answer(), *PRESSES_1),
    ),
    "015": Subscriber(
        "a manager: rings 1.5 s, answers, says their name, asks a question after 4 s, hangs up after 8 s",
        (Ring(), Wait(1.5), Answer(), Wait(0.3), Say("manager"), Wait(3.7), Say("question"), Wait(4.0), HangUp()),
    ),
    "016": Subscriber("a manager who is busy: 486", (Wait(0.2), Reject(486))),
}

ANYBODY = "001"  # what every other number does, so that any number can be tried


def subscriber(number: str) -> Subscriber:
    """Who answers that number."""
    return SUBSCRIBERS.get(number[-3:], SUBSCRIBERS[ANYBODY])


def clips() -> list[str]:
    """The names of all clips that the steps need."""
    steps = [step for one in SUBSCRIBERS.values() for step in one.steps]
    return sorted({step.clip for step in steps if isinstance(step, Early | Say)})
