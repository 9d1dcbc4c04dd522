"""Which browser that is, from the header `User-Agent`. Pure; what it does not know it does not guess."""

from __future__ import annotations

from api.messages import Message

# The first that is found counts: most of them name those that they came from, too.
_BROWSERS = (
    ("YaBrowser/", "Yandex Browser"), ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"), ("curl/", "curl"), ("python", "Python"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def told(agent: str) -> Message:
    """`Firefox on Windows`."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if browser and system:
        return Message("{browser} on {system}", browser=browser, system=system)
    return Message("{browser}", browser=browser or system) if browser or system else Message("Unknown browser")
