"""What the filters offer this actor, as options for people; each kind asks core what the actor may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _

from core.analytics.boards import choices
from core.risk.wording import NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.actor import Actor


def offered(actor: Actor, names: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return for each filter its options: the code, and the name beside it where they differ."""
    return {name: [_option(name, each) for each in choices.offered(actor, name)] for name in names}


def _option(kind: str, choice: choices.Choice) -> tuple[str, str]:
    if kind == "rule":  # as the queue and the charts call it
        return choice.code, _(NAMES[choice.code]) if choice.code in NAMES else choice.code
    return choice.code, choice.code if choice.name == choice.code else f"{choice.code} · {choice.name}"
