"""What a visitor does with a look, as the browser tells it; nothing of it is believed before it is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OF_ONE = frozenset(
    {
        "cancel",
        "retry",
        "go_on",
        "look_again",
        "again",
        "use_settings",
        "use_as_person",
        "put_garments_back",
    }
)
"""Actions on one look."""

OF_MANY = frozenset({"download_chosen", "contact_sheet"})
"""Actions on the looks that are ticked."""

OF_ALL = frozenset({"order_rest"})
"""Actions that name no look."""

MAX_CHOSEN = 200

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Action:
    """One thing a visitor asked for.

    Attributes:
        name: One of `OF_ONE`, `OF_MANY` and `OF_ALL`.
        ids: The looks it is about: one, several, or none.
    """

    name: str
    ids: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The look of an action on one."""
        (only,) = self.ids
        return only


def read_action(data: object) -> Action | None:
    """What the browser asks for, or None if it is nothing that the page can ask.

    That an id is well formed does not make it the visitor's own: look it up among what is theirs.

    Args:
        data: a `gr.EventData`, or a mapping, with `action` and `id`; the id is a list of them for `OF_MANY`.
    """
    name, given = _field(data, "action"), _field(data, "id")
    if not isinstance(name, str):
        return None
    if name in OF_ALL:
        return Action(name=name)
    if name in OF_ONE and _is_id(given):
        return Action(name=name, ids=(given,))
    if name in OF_MANY and isinstance(given, list) and 0 < len(given) <= MAX_CHOSEN and all(map(_is_id, given)):
        return Action(name=name, ids=tuple(dict.fromkeys(given)))
    return None


def _is_id(given: object) -> bool:
    return isinstance(given, str) and _ID.fullmatch(given) is not None


def _field(data: object, name: str) -> Any:
    if isinstance(data, Mapping):
        return data.get(name)
    try:
        return getattr(data, name, None)
    except TypeError:  # gr.EventData looks the name up in whatever the browser sent
        return None
