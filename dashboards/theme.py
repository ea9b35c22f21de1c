"""The charts' theme: one plotly template whose colours are the look's own CSS variables.

The browser puts the values of the theme in force in their place (`assets/boards.js`), so that light and dark
need no second list of colours and the charts always match the page around them.
"""

from __future__ import annotations

from typing import NamedTuple

import plotly.graph_objects as go

INK = "var(--ink)"
INK_2 = "var(--ink-2)"
INK_3 = "var(--ink-3)"
LINE = "var(--line)"
LINE_STRONG = "var(--line-strong)"
SURFACE = "var(--surface)"
RAISED = "var(--raised)"

COLORS = tuple(f"var(--c{n})" for n in range(1, 7))
"""The series' colours, in order."""

PATTERNS = ("", "/", "x", ".", "-")
"""How the colours are filled when there are more series than colours: each time round in another way."""


class Mark(NamedTuple):
    """How a series is told from the others: its colour, and the pattern it is filled with (none: whole)."""

    color: str
    pattern: str = ""


def mark(place: int) -> Mark:
    """Return the mark of the series at that place, 0 first: no two of thirty are alike."""
    return Mark(COLORS[place % len(COLORS)], PATTERNS[place // len(COLORS) % len(PATTERNS)])


TONES = {
    "ok": "var(--c1)",
    "info": "var(--c2)",
    "warn": "var(--c3)",
    "hold": "var(--c4)",
    "bad": "var(--c5)",
    "idle": "var(--c6)",
}
"""Colours that mean something, wherever a series is good, bad or waiting."""

_FONT = 'Inter, system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif'
_AXIS = {
    "gridcolor": LINE,
    "linecolor": LINE_STRONG,
    "zeroline": False,
    "ticks": "",
    "automargin": True,
    "tickfont": {"color": INK_3, "size": 12},
    "title": {"font": {"color": INK_3, "size": 12}, "standoff": 8},
    "fixedrange": True,
}

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": _FONT, "size": 12, "color": INK_2},
        "paper_bgcolor": SURFACE,
        "plot_bgcolor": SURFACE,
        "colorway": list(COLORS),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "bargap": 0.28,
        "barcornerradius": 3,
        "hoverlabel": {
            "bgcolor": RAISED,
            "bordercolor": LINE_STRONG,
            "font": {"family": _FONT, "size": 12, "color": INK},
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": -0.12,
            "traceorder": "normal",
            "xanchor": "left",
            "yanchor": "top",
            "font": {"color": INK_2, "size": 12},
        },
        "xaxis": _AXIS | {"showgrid": False, "showline": True},
        "yaxis": _AXIS | {"rangemode": "tozero", "nticks": 6},
        "colorscale": {"sequential": [[0, "var(--sunken)"], [1, COLORS[0]]]},
        "dragmode": False,
        "hovermode": "closest",
    },
)
