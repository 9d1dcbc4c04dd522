"""Who may enter."""

from __future__ import annotations

from api.store.accounts import Role

EVERYBODY = frozenset(Role)
MODERATORS = frozenset((Role.MODERATOR, Role.OPERATOR))
OPERATORS = frozenset((Role.OPERATOR,))
