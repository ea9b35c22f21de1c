"""The charts as pure functions: series in, a plotly figure out; each mark carries the address of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import plotly.graph_objects as go

from dashboards.theme import COLORS, INK_2, SURFACE, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

ROW = 30
LEAST_HEIGHT = 120
HEIGHT = 280
MOST_LABELS = 8
LONGEST_NAME = 22


class Part(NamedTuple):
    """One series: a name, a colour, a value for every place on the axis, what it reads and where it leads.

    `pattern` is how bars of it are filled, "" for whole.
    """

    name: str
    color: str
    values: Sequence[int | Decimal | None]
    said: Sequence[str]
    hrefs: Sequence[str] = ()
    pattern: str = ""


class Bar(NamedTuple):
    """One bar of a ranking."""

    name: str
    value: int | Decimal
    said: str
    href: str = ""
    color: str = COLORS[0]


def _figure(height: int, **layout: object) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(template=TEMPLATE, height=height, **layout)
    return figure


def _hrefs(hrefs: Sequence[str], count: int) -> list[str]:
    return list(hrefs) if hrefs else [""] * count


def stacked(
    places: Sequence[str],
    labels: Sequence[str],
    parts: Sequence[Part],
    *,
    unit: str,
    mean: Part | None = None,
) -> go.Figure:
    """Return bars stacked by part over the places of the axis; some of the labels are written below it.

    `mean` is drawn as a line over them, which takes neither the pointer nor a click from the bars behind it.
    """
    figure = _figure(HEIGHT, barmode="stack", showlegend=len(parts) > 1 or mean is not None)
    for part in parts:
        figure.add_trace(
            go.Bar(
                name=part.name,
                x=list(places),
                y=list(part.values),
                text=list(part.said),
                textposition="none",
                customdata=_hrefs(part.hrefs, len(places)),
                marker=_filled(part),
                hovertemplate="%{x}<br>%{text}<extra>%{fullData.name}</extra>",
            ),
        )
    if mean is not None:
        figure.add_trace(_line(mean, places, "dot").update(hoverinfo="skip", hovertemplate=None, customdata=None))
    _axis(figure, places, labels)
    figure.update_yaxes(title={"text": unit})
    return figure


def _filled(part: Part) -> dict[str, object]:
    """Return how bars are filled; a pattern is drawn in the series' colour, on the page's own."""
    whole: dict[str, object] = {"color": part.color, "line": {"width": 0}}
    if not part.pattern:
        return whole
    pattern = {"shape": part.pattern, "fgcolor": part.color, "bgcolor": SURFACE, "size": 6, "solidity": 0.4}
    return whole | {"pattern": pattern}


def _line(part: Part, places: Sequence[str], dash: str) -> go.Scatter:
    return go.Scatter(
        name=part.name,
        x=list(places),
        y=list(part.values),
        text=list(part.said),
        customdata=_hrefs(part.hrefs, len(places)),
        mode="lines",
        line={"color": part.color, "width": 2, "dash": dash},
        hovertemplate="%{x}<br>%{text}<extra>%{fullData.name}</extra>",
    )


def _axis(figure: go.Figure, places: Sequence[str], labels: Sequence[str]) -> None:
    step = max(1, -(-len(places) // MOST_LABELS))
    figure.update_xaxes(type="category", tickangle=0, tickvals=list(places)[::step], ticktext=list(labels)[::step])


def ranked(bars: Sequence[Bar], *, unit: str) -> go.Figure:
    """Return bars lying on top of each other, the first on top."""
    figure = _figure(max(LEAST_HEIGHT, ROW * len(bars) + 56), showlegend=False)
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=[bar.name for bar in bars],
            x=[bar.value for bar in bars],
            text=[bar.said for bar in bars],
            textposition="auto",
            insidetextfont={"color": SURFACE},
            outsidetextfont={"color": INK_2},
            cliponaxis=False,
            customdata=[bar.href for bar in bars],
            marker={"color": [bar.color for bar in bars]},
            hovertemplate="%{y}<br>%{text}<extra></extra>",
        ),
    )
    _names(figure, [bar.name for bar in bars])
    figure.update_xaxes(showgrid=True, showline=False, title={"text": unit}, rangemode="tozero", nticks=5)
    return figure


def _names(figure: go.Figure, names: Sequence[str]) -> None:
    """Write every name beside its row, the first on top."""
    cut = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in names]
    figure.update_yaxes(
        autorange="reversed", type="category", title=None, tickvals=list(names), ticktext=cut, ticklabelstandoff=6
    )


def heat(
    columns: Sequence[str],
    rows: Sequence[str],
    values: Sequence[Sequence[int]],
    *,
    name: str,
) -> go.Figure:
    """Return a heat map: a row for each name, a column for each hour."""
    figure = _figure(ROW * len(rows) + 76)
    figure.add_trace(
        go.Heatmap(
            x=list(columns),
            y=list(rows),
            z=[list(row) for row in values],
            xgap=2,
            ygap=2,
            colorscale=[[0, "var(--sunken)"], [1, COLORS[0]]],
            colorbar={"thickness": 10, "outlinewidth": 0, "tickfont": {"size": 11}},
            hovertemplate="%{y} %{x}:00<br>%{z}<extra>" + name + "</extra>",
        ),
    )
    _names(figure, rows)
    figure.update_xaxes(
        type="category", showline=False, tickangle=0, tickvals=list(columns)[::2], ticktext=list(columns)[::2]
    )
    return figure


def funnel(bars: Sequence[Bar]) -> go.Figure:
    """Return the steps of a path, each as wide as the orders that reached it."""
    figure = _figure(max(LEAST_HEIGHT, 52 * len(bars) + 32), showlegend=False)
    figure.add_trace(
        go.Funnel(
            y=[bar.name for bar in bars],
            x=[bar.value for bar in bars],
            text=[bar.said for bar in bars],
            texttemplate="%{text}",
            textposition="auto",
            insidetextfont={"color": SURFACE},
            outsidetextfont={"color": INK_2},
            customdata=[bar.href for bar in bars],
            marker={"color": [bar.color for bar in bars], "line": {"width": 0}},
            connector={"fillcolor": "var(--sunken)", "line": {"width": 0}},
            hovertemplate="%{y}<br>%{text}<extra></extra>",
        ),
    )
    figure.update_yaxes(type="category", title=None)
    return figure


def run_rate(places: Sequence[str], labels: Sequence[str], actual: Part, expected: Part, *, unit: str) -> go.Figure:
    """Return a running total as a line, and dotted where it would get at the pace so far."""
    figure = _figure(HEIGHT)
    for part, dash in ((actual, "solid"), (expected, "dot")):
        figure.add_trace(_line(part, places, dash))
    _axis(figure, places, labels)
    figure.update_yaxes(title={"text": unit})
    return figure
