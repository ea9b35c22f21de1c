"""A figure beside that of the days before: by how much it differs, and whether that is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import ngettext

from dashboards import show
from dashboards.parts import Number

if TYPE_CHECKING:
    from core.analytics.boards.asking import Ratio

MOST = 900
"""A change of more per cent than this says no more than how little there was before."""


def change(now: int, before: int, days: int, *, more_is_good: bool | None = True) -> tuple[str, str]:
    """Return how a figure differs from as many days before, in words, and its tone: up (good), down (bad) or neither.

    `more_is_good` None: neither way is good or bad.
    """
    differs, length = show.change(now, before), show.number(days)
    if differs is None:
        return ngettext("nothing in the %(n)s day before", "nothing in the %(n)s days before", days, n=length), ""
    tone = "" if differs == 0 or more_is_good is None else "up" if (differs > 0) == more_is_good else "down"
    if abs(differs) > MOST:
        much = ngettext(
            "more than ten times the %(n)s day before", "more than ten times the %(n)s days before", days, n=length
        )
        return much, tone
    by = show.signed(differs, "%")
    return ngettext(
        "%(change)s to the %(n)s day before", "%(change)s to the %(n)s days before", days, n=length, change=by
    ), tone


def ratio(now: Ratio, before: Ratio, of: str, *, more_is_good: bool | None = True) -> Number:
    """Return a share with its numerator and denominator, and its distance to the days before in points."""
    here, then = show.share(now.part, now.whole), show.share(before.part, before.whole)
    said = _("%(part)s of %(whole)s %(of)s", part=show.number(now.part), whole=show.number(now.whole), of=of)
    if here is None or then is None:
        return Number(show.percent(here), "", said)
    tone = "" if here == then or more_is_good is None else "up" if (here > then) == more_is_good else "down"
    points = _("pts")
    return Number(show.percent(here), "", f"{show.signed(here - then, points)} · {said}", tone)
