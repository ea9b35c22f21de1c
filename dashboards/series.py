"""A frame by time as a tile: bars stacked by series, each leading to its rows, with the table of the same figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from flask_babel import gettext as _

from dashboards import figures, frames, places, show
from dashboards.parts import Cell, Drawn, Head, Table
from dashboards.theme import INK_3

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    import pandas as pd

    from dashboards.asked import Asked
    from dashboards.places import Place

LEAST_DAYS = 14
"""Fewer days show their movement without a mean."""
NOTHING = Drawn(Table((), ()))


class Series(NamedTuple):
    """One column of the frame: its name there and for people, its colour and pattern, and where a place of it leads."""

    key: Hashable
    label: str
    color: str
    pattern: str
    href: Callable[[Place], str]


def drawn(
    frame: pd.DataFrame,
    question: Asked,
    bucket: str,
    series: Sequence[Series],
    *,
    first: str,
    unit: str,
    code: str = "",
) -> Drawn:
    """Return the chart and table of the columns that hold anything; `code`: they are units of that asset."""
    series = [each for each in series if each.key in frame and frame[each.key].any()]
    if not series:
        return NOTHING
    axis = places.of(question, bucket)
    said = (lambda units: show.amount(units, code)) if code else show.number
    drawn_as = (lambda units: show.scaled(units, code)) if code else (lambda count: count)
    plain = (lambda units: show.exact(units, code)) if code else str
    columns = {each.key: frame[each.key].tolist() for each in series}
    hrefs = {each.key: [each.href(place) for place in axis] for each in series}
    parts = [
        figures.Part(
            each.label,
            each.color,
            [drawn_as(units) for units in columns[each.key]],
            [said(units) for units in columns[each.key]],
            hrefs[each.key],
            each.pattern,
        )
        for each in series
    ]
    together = frame[[each.key for each in series]].sum(axis=1)
    long_enough = bucket == "day" and len(axis) >= LEAST_DAYS
    mean = _mean_of(together, drawn_as, said) if long_enough else None
    labels = [place.long for place in axis]
    figure = figures.stacked(labels, [place.short for place in axis], parts, unit=unit, mean=mean)
    heads = (
        Head(first),
        *(Head(each.label, numeric=True) for each in series),
        Head(_("Together"), numeric=True),
    )
    lines = [
        (
            Cell(place.long, place.plain),
            *(
                Cell(said(units), plain(units), href if units else "")
                for units, href in ((columns[each.key][n], hrefs[each.key][n]) for each in series)
            ),
            Cell(said(total), plain(total)),
        )
        for n, (place, total) in enumerate(zip(axis, together.tolist(), strict=True))
    ]
    sums = [sum(columns[each.key]) for each in series]
    total = (Cell(_("Together")), *(Cell(said(each), plain(each)) for each in [*sums, sum(sums)]))
    return Drawn(Table(heads, lines, total), figure)


def _mean_of(together: pd.Series, drawn_as: Callable[[int], Any], said: Callable[[int], str]) -> figures.Part:
    """Return the line of the week's mean; the first days, which have no whole week behind them, are left open."""
    means = frames.moving_mean(together)
    return figures.Part(
        _("7-day mean"),
        INK_3,
        [None if units is None else drawn_as(units) for units in means],
        ["" if units is None else said(units) for units in means],
    )
