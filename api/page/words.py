"""What templates and scripts say, in the reader's language: from the one catalogue, keyed by the English text."""

from __future__ import annotations

import json
import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from api.messages import ENGLISH, RUSSIAN, Message, in_language
from api.page import icons

STATIC = Path(__file__).parent / "static"
_SAID = re.compile(r"""(?<!\.)\bsay\(\s*("(?:[^"\\\n]|\\.)*")""")  # say("text", {values})


def templates_of_scripts() -> dict[str, list[str]]:
    """The English texts that each script says."""
    return {
        script.name: [json.loads(text) for text in _SAID.findall(script.read_text("utf-8"))]
        for script in sorted(STATIC.glob("*.js"))
    }


@cache
def dictionary(language: str) -> bytes:
    """A script that tells the others their texts (English text -> text) and the icons."""
    said = {text for texts in templates_of_scripts().values() for text in texts}
    texts = {text: in_language(text, language) for text in sorted(said)}
    told = {"TEXTS": texts, "ICONS": icons.PATHS}
    return b"Object.assign(window," + json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b");"


@cache
def stamp(path: str) -> str:
    """Changes when the file (of `static/`, or a dictionary) does: browsers keep what has it in its address."""
    language = path.removeprefix("texts.").removesuffix(".js")
    content = dictionary(language) if language in (RUSSIAN, ENGLISH) else (STATIC / path).read_bytes()
    return sha256(content).hexdigest()[:12]


def say(language: str, template: str, **values: Any) -> str:
    """A text of a template."""
    return Message(template, **values).render(language)
