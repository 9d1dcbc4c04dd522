"""The rooms of the page: each file here is one, with its `WAYS`."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from importlib import import_module

from api.page.visit import Way

ROOMS: Sequence[Sequence[Way]] = [
    import_module(f"{__name__}.{module.name}").WAYS for module in pkgutil.iter_modules(__path__)
]
