"""How long a script can keep a callee at most. Pure.

Where blocks lead back to earlier ones, or a manager talks, the walk has no bound of its own: the script's limit is the
answer.
"""

from __future__ import annotations

from collections.abc import Callable

from ivr.model import Block, Pause, PromptItem, Script


def longest_ms(script: Script, clip_ms: Callable[[PromptItem], int]) -> int:
    """From the first prompt to the hang-up. `clip_ms` tells how long a clip plays."""
    limit = script.limits.duration_ms
    known: dict[str, int] = {}
    above: set[str] = set()

    def walk(name: str) -> int:
        if name in above:
            return limit
        if name not in known:
            above.add(name)
            block = script.block(name)
            below = max((walk(target) for _, target in block.on), default=0)
            known[name] = limit if block.transfer else min(limit, _own_ms(block, clip_ms) + below)
            above.discard(name)
        return known[name]

    return walk(script.start)


def _own_ms(block: Block, clip_ms: Callable[[PromptItem], int]) -> int:
    prompt = sum(item.ms if isinstance(item, Pause) else clip_ms(item) for item in block.prompt)
    if block.gather is None:
        return prompt
    waits = max(block.gather.timeout_ms, 0) + block.gather.between_ms * (block.gather.max - 1)
    return (prompt + waits) * block.gather.tries
