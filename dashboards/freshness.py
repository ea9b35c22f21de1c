"""'As of': how old the figures are, and a banner when the job that keeps them lags behind."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dash import Dash, Input, Output, html
from flask_babel import gettext as _
from flask_babel import ngettext

from core import clock
from core.analytics import rollup
from core.db import reading
from core.errors import BadInput
from dashboards import asked, show
from dashboards.gate import guarded

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor, Right

STALE_SECONDS = 120


def register(app: Dash, page: str, right: Right) -> None:
    """Keep the page's 'as of' line true."""

    @app.callback(Output(f"{page}-asof", "children"), Input("url", "search"), Input("pulse", "data"))
    @guarded(right)
    def as_of(_actor: Actor, search: str | None, _pulse: object) -> object:
        with reading() as tx:
            mark = rollup.mark(tx)
        try:
            zone = asked.zone_of(asked.arguments(search))
        except BadInput:
            zone = ZoneInfo("UTC")  # the tiles say what is wrong with the address
        return line(mark, clock.now(), zone)


def line(mark: rollup.Mark, now: datetime, zone: ZoneInfo) -> list[object]:
    """Return the line, and a warning before it when the figures are older than two minutes."""
    age = max(0, int((now - mark.moved_at).total_seconds()))
    # The zone chosen here may be another than the reader's, in which every other page tells its times.
    moment = f"{show.moment(mark.moved_at, zone, 'yyyy-MM-dd HH:mm:ss')} {zone.key}"
    said = html.Span(
        [_("as of %(moment)s", moment=moment), " · ", _("figures %(seconds)s s old", seconds=show.number(age))],
        className="asof",
        title=f"{mark.moved_at:%Y-%m-%d %H:%M:%S} UTC",
    )
    if age <= STALE_SECONDS:
        return [said]
    text = ngettext(
        "These figures are %(minutes)s minute old: the job that keeps them has not run. Newer orders are missing.",
        "These figures are %(minutes)s minutes old: the job that keeps them has not run. Newer orders are missing.",
        age // 60,
        minutes=show.number(age // 60),
    )
    return [html.Div(text, className="note warning", role="status"), said]
