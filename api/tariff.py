"""What things cost. Pure.

A call costs its price for each started step of its answered time. While it goes on, what it may cost at most is held;
where the balance does not suffice for that, the call is bounded by what it suffices for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.config import TariffConfig

FREE = Decimal(0)
MARGIN_S = 1.0  # a call is hung up so long before the step begins that it cannot pay


@dataclass(frozen=True, slots=True)
class Tariff:
    """The prices of a service."""

    step_s: int
    call: Decimal
    prefixes: Mapping[str, Decimal]
    clip: Decimal
    clip_characters: int

    @classmethod
    def of(cls, config: TariffConfig) -> Tariff:
        """The tariff that is configured."""
        return cls(config.step_s, config.call, dict(config.prefixes), config.clip, config.clip_characters)

    def price(self, phone: str) -> Decimal:
        """Of one started step of a call to that number."""
        if not self.prefixes:
            return self.call
        for length in range(len(phone), 0, -1):
            if phone[:length] in self.prefixes:
                return self.prefixes[phone[:length]]
        return self.call

    def clip_price(self, text: str) -> Decimal:
        """Of a clip made from that text."""
        return self.clip * math.ceil(len(text) / self.clip_characters)

    def steps(self, seconds: float) -> int:
        """How many steps are started in so long a time."""
        return math.ceil(seconds / self.step_s) if seconds > 0 else 0

    def at_most(self, price: Decimal, longest_s: float) -> Decimal:
        """What a call can cost that lasts no longer than that; one step at least."""
        return price * max(1, self.steps(longest_s))

    def affordable_s(self, price: Decimal, held: Decimal) -> float:
        """How long a call may last for which so much is held; infinite where it costs nothing."""
        if price <= 0:
            return math.inf
        return max(1.0, int(held / price) * self.step_s - MARGIN_S)
