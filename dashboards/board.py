"""A page as a list of tiles: its layout, and one callback for each tile, so that tiles fail alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.actor import Actor, Right
from core.errors import Refusal
from dashboards import asked, files, freshness, means, parts, refusals
from dashboards.gate import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask_babel import LazyString

    from dashboards.asked import Asked

log = structlog.get_logger("boards")

GRAPH = {"displayModeBar": False, "responsive": True, "scrollZoom": False, "doubleClick": False}
NOTHING = _l("Nothing in these days with these filters.")


def everyone(_actor: Actor) -> bool:
    """Return that a tile is for whoever sees its page."""
    return True


@dataclass(frozen=True, slots=True)
class NumberTile:
    """One figure of a page; `shown` says whether it stands on this reader's."""

    name: str
    label: LazyString
    draw: Callable[[Actor, Asked], parts.Number]
    shown: Callable[[Actor], bool] = everyone


@dataclass(frozen=True, slots=True)
class ChartTile:
    """One chart with its table, or a table alone. `span` is its width in twelfths of the page."""

    name: str
    title: LazyString
    draw: Callable[[Actor, Asked], parts.Drawn]
    span: int = 6
    chart: bool = True
    empty: LazyString = NOTHING
    hint: LazyString | str = ""
    shown: Callable[[Actor], bool] = everyone


@dataclass(frozen=True, slots=True)
class Board:
    """One page: who may see it, which controls it offers, what it shows."""

    name: str
    title: LazyString
    right: Right
    numbers: tuple[NumberTile, ...]
    charts: tuple[ChartTile, ...]
    filters: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    whose: bool = False
    """Whether an agent is asked for its own figures, those of the agents below it, or both."""

    def layout(self, actor: Actor) -> Any:
        """Return the page without its figures; each tile fetches its own."""
        cards = [
            html.Div(
                html.Div([html.Div(html.Span(str(tile.label)), className="cap"), html.Div(className="bone")]),
                id=f"{self.name}-{tile.name}",
                className="boards-number",
            )
            for tile in self.numbers
            if tile.shown(actor)
        ]
        charts = [
            _chart_card(self.name, tile, may_export=actor.may(Right.EXPORT))
            for tile in self.charts
            if tile.shown(actor)
        ]
        return html.Div(
            [
                html.Div(id=f"{self.name}-asof", className="boards-asof", **{"aria-live": "polite"}),
                html.Div(cards, className="cards"),
                html.Div(charts, className="boards-grid"),
                parts.meanings(
                    [
                        (
                            str(tile.label if isinstance(tile, NumberTile) else tile.title),
                            means.of(self.name, tile.name),
                        )
                        for tile in (*self.numbers, *self.charts)
                        if tile.shown(actor)
                    ]
                ),
            ],
            className="boards",
        )


def _chart_card(page: str, tile: ChartTile, *, may_export: bool) -> Any:
    own = f"{page}-{tile.name}"
    title = str(tile.title)
    acts = []
    if tile.chart:
        acts.append(html.Button("PNG", type="button", className="btn small", **_png(own, title)))
    if may_export:
        label = {"aria-label": f"CSV: {title}"}
        acts.append(html.Button("CSV", id=f"{own}-csv", type="button", className="btn small", n_clicks=0, **label))
        acts.append(dcc.Download(id=f"{own}-file"))
    table = html.Div(
        id=f"{own}-table",
        className="boards-table-box",
        tabIndex="0",
        role="region",
        **{"aria-label": f"{_('Table')}: {title}"},
    )
    graph = dcc.Graph(id=f"{own}-chart", config=GRAPH, style={"display": "none"}, responsive=True)
    chart = _("Chart")
    drawn = [
        dcc.Store(id=f"{own}-figure"),
        html.Div(graph, className="boards-chart", role="group", **{"aria-label": f"{chart}: {title}"}),
        html.Details([html.Summary(_("Table")), table], className="boards-details"),
    ]
    return html.Section(
        [
            html.Div(
                [
                    html.H2(
                        [
                            html.Span(title, title=means.of(page, tile.name)),
                            *([html.Span(f" · {tile.hint}", className="sub")] if tile.hint else []),
                        ]
                    ),
                    html.Div(acts, className="boards-acts"),
                ],
                className="boards-head",
            ),
            html.P(id=f"{own}-note", className="sub boards-note"),
            html.Div(id=f"{own}-said", className="boards-state"),
            *(drawn if tile.chart else [table]),
        ],
        className=f"card boards-tile span-{tile.span}",
        **{"aria-label": title},
    )


def _png(own: str, title: str) -> dict[str, str]:
    return {"data-png": f"{own}-chart", "data-name": own, "aria-label": f"PNG: {title}"}


def register(app: Dash, board: Board) -> None:
    """Give every tile of the page its callbacks; each asks for the page's right again."""
    freshness.register(app, board.name, board.right)
    for number in board.numbers:
        _register_number(app, board, number)
    for chart in board.charts:
        _register_chart(app, board, chart)
        _register_file(app, board, chart)


def _register_number(app: Dash, board: Board, tile: NumberTile) -> None:
    @app.callback(Output(f"{board.name}-{tile.name}", "children"), Input("url", "search"), Input("pulse", "data"))
    @guarded(board.right)
    def number(actor: Actor, search: str | None, _pulse: object) -> object:
        found, fault = attempt(tile.draw, actor, search, tile.name)
        if fault is not None:
            return html.Div([html.Div(html.Span(str(tile.label)), className="cap"), fault], className="card figure")
        return parts.number_card(str(tile.label), found, means.of(board.name, tile.name))


def _register_chart(app: Dash, board: Board, tile: ChartTile) -> None:
    own = f"{board.name}-{tile.name}"
    outputs = [Output(f"{own}-said", "children"), Output(f"{own}-note", "children"), Output(f"{own}-table", "children")]
    if tile.chart:
        outputs.append(Output(f"{own}-figure", "data"))
        app.clientside_callback(
            ClientsideFunction("boards", "paint"),
            Output(f"{own}-chart", "figure"),
            Output(f"{own}-chart", "style"),
            Input(f"{own}-figure", "data"),
            Input("theme", "data"),
        )
        app.clientside_callback(
            ClientsideFunction("boards", "open"),
            Output(f"{own}-chart", "clickData"),
            Input(f"{own}-chart", "clickData"),
        )

    @app.callback(*outputs, Input("url", "search"), Input("pulse", "data"))
    @guarded(board.right)
    def chart(actor: Actor, search: str | None, _pulse: object) -> object:
        found, fault = attempt(tile.draw, actor, search, tile.name)
        if found is None or fault is not None:
            answer = [fault, "", "", None]
        elif not found.table.rows:
            answer = [parts.said(_("Nothing here"), str(tile.empty)), found.note, "", None]
        else:
            answer = ["", found.note, parts.table_of(str(tile.title), found.table), found.figure]
        return answer[: len(outputs)]


def _register_file(app: Dash, board: Board, tile: ChartTile) -> None:
    own = f"{board.name}-{tile.name}"

    @app.callback(
        Output(f"{own}-file", "data"),
        Input(f"{own}-csv", "n_clicks"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    @guarded(board.right, Right.EXPORT)
    def file(actor: Actor, clicks: int | None, search: str | None) -> object:
        if not clicks:
            raise PreventUpdate
        question = asked.read(search)
        return files.csv_of(actor, own, str(tile.title), question, tile.draw(actor, question))


def attempt(
    draw: Callable[[Actor, Asked], Any],
    actor: Actor,
    search: str | None,
    tile: str,
) -> tuple[Any, Any]:
    """Return what the tile draws and None, or None and what to say instead: one tile's fault stays its own."""
    try:
        return draw(actor, asked.read(search)), None
    except Refusal as refusal:
        return None, parts.said(_("This cannot be shown"), refusals.words(refusal), "fault")
    except Exception:
        log.exception("tile", tile=tile)
        return None, parts.said(
            _("This figure could not be drawn"), _("The others are not affected. It has been written down."), "fault"
        )
