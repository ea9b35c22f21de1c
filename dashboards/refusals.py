"""A refusal of the core inside a tile, in the language of who looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext

from core.errors import Sentence

if TYPE_CHECKING:
    from core.errors import Refusal


def words(refusal: Refusal) -> str:
    """Return what a refusal says; one whose sentence has no pattern, or was put in words already, says it as it is."""
    return _said(refusal.detail)


def _said(part: object) -> str:
    if isinstance(part, Sentence):
        parts = {name: _said(each) for name, each in part.parts.items()}
        return gettext(part.pattern, **parts) if parts else gettext(part.pattern)
    if isinstance(part, list):
        return ", ".join(_said(each) for each in part)
    return str(part)
