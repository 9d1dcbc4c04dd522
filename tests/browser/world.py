"""Something to see in every room: clips, calls, and texts with markup in them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from service import Person, Served

CLIPS = files("configs") / "scripts" / "appointment"
PRESSES_1, BUSY, OUTGOING = "79990000001", "79990000003", "79932432781"
HOSTILE = "<img src=//elsewhere.example/x onerror=alert(1)>\"'</script><b>"


@dataclass(frozen=True, slots=True)
class World:
    """An operator who has been busy: `calls` are over, the first with a menu in which 1 was pressed."""

    person: Person
    clips: tuple[int, ...]
    calls: tuple[int, ...]


def make(served: Served, name: str = "office", role: str = "operator", odd: str = HOSTILE) -> World:
    """Some seconds: the calls are real ones, on the sandbox."""
    person = served.account(name, role=role)
    clips = tuple(
        person.record((CLIPS / f"{clip}.wav").read_bytes(), label)
        for clip, label in (("greeting", "Напоминание о визите"), ("confirmed", "Спасибо"), ("declined", odd))
    )
    greeting, confirmed, declined = clips
    asked = [
        {
            "phone": PRESSES_1, "tag": "greeting", "record": {"id": greeting},
            "ivrs": [
                {"digit": "1", "record": {"id": confirmed}, "tag": "confirmed"},
                {"digit": "2", "record": {"id": declined}, "tag": odd},
            ],
        },
        {"phone": BUSY, "record": {"id": confirmed}, "tag": odd},
    ]  # fmt: skip
    calls = tuple(int(person.post("create", outgoingPhone=OUTGOING, **wanted)[0]["id"]) for wanted in asked)
    for call in calls:
        person.until_over(call)
    return World(person, clips, calls)
