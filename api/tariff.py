"""What calls cost: a price for each started minute of the answered time. Pure."""

from __future__ import annotations

import math
from decimal import Decimal

STEP_S = 60
PRICE_PER_STEP = Decimal("1.5")
FREE = Decimal(0)


def cost(answered_s: float) -> Decimal:
    """The price of a call that was answered for so long; one that was not answered costs nothing."""
    return PRICE_PER_STEP * math.ceil(answered_s / STEP_S) if answered_s > 0 else FREE
