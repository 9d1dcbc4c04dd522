"""Icons: inline SVG of 24 by 24, lines in the colour of the text."""

from __future__ import annotations

from markupsafe import Markup

_SVG = Markup('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>')
PATHS = {  # name -> `d`; scripts know them as `window.ICONS`
    "send": "M4 12l16-8-6 16-3-7-7-1z",
    "phone": "M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a1 1 0 0 1-1 1A15 15 0 0 1 4 5a1 1 0 0 1 1-1z",
    "wave": "M4 10v4M8 6v12M12 3v18M16 7v10M20 10v4",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3 3",
    "hook": "M14 4a4 4 0 1 1-2 7.5L9 16a4 4 0 1 1-3-1M14 8l4 7a4 4 0 1 1-2 4",
    "inbox": "M4 13l3-8h10l3 8v6H4v-6zm0 0h5l1 3h4l1-3h5",
    "coin": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM10 17V7h3.5a2.5 2.5 0 0 1 0 5H8M8 15h5",
    "stop": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM6 6l12 12",
    "alert": "M12 4l9 16H3l9-16zM12 10v4M12 17v.5",
    "check": "M5 12l5 5 9-11",
    "tower": "M12 10v11M8 21h8M8 14a6 6 0 1 1 8 0M12 10a1 1 0 1 0 0-2 1 1 0 0 0 0 2z",
    "people": (
        "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20a6 6 0 0 1 12 0M16 4a3.5 3.5 0 0 1 0 7M18 14a6 6 0 0 1 3 6"
    ),
    "book": "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3V4zM5 17a3 3 0 0 1 3-3h11",
    "gear": (
        "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2"
        "M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2"
    ),
    "copy": "M9 9h11v11H9zM5 15H4V4h11v1",
    "play": "M7 4l13 8-13 8z",
    "pause": "M7 5v14M17 5v14",
    "record": "M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12z",
    "mic": "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM6 11a6 6 0 0 0 12 0M12 17v4",
    "plus": "M12 5v14M5 12h14",
    "minus": "M5 12h14",
    "close": "M6 6l12 12M18 6L6 18",
    "up": "M12 19V5M6 11l6-6 6 6",
    "down": "M12 5v14M6 13l6 6 6-6",
    "trash": "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
    "pencil": "M4 20l1-5L16 4l4 4L9 19l-5 1z",
    "info": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v6M12 7v.5",
    "search": "M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5",
    "download": "M12 4v11M7 11l5 5 5-5M5 20h14",
    "upload": "M12 16V5M7 9l5-5 5 5M5 20h14",
    "refresh": "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
    "sun": "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
    "menu": "M4 7h16M4 12h16M4 17h16",
    "exit": "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
    "key": "M14 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM9.5 14.5L3 21M6 18l2 2",
    "text": "M4 6h16M4 12h16M4 18h10",
    "square": "M6 6h12v12H6z",
    "link": "M10 14a4 4 0 0 0 6 0l4-4a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-4 4a4 4 0 0 0 6 6l1-1",
}


def icon(name: str) -> Markup:
    """The icon; a screen reader does not see it, so the button beside it must have words."""
    return _SVG.format(PATHS[name])
