"""mount(): the dashboards as one Dash app inside the portal's own frame, behind their gate."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dash import Dash, Input, Output, dcc, html
from dash.exceptions import PreventUpdate
from flask import render_template, request
from flask_wtf.csrf import generate_csrf

from core.errors import NotFound
from dashboards import asked_of_dash, gate
from dashboards.bar import bar_of
from dashboards.board import register
from dashboards.gate import PREFIX, guarded
from dashboards.pages import BOARDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from werkzeug.wrappers import Response

    from core.actor import Actor

ASSETS = Path(__file__).parent / "assets"
CSRF_COOKIE = "_csrf_token"
_SCRIPT = re.compile(r"<script(?=[\s>])")


class Boards(Dash):
    """Dash without a page of its own: its parts are put into the frame the portal hands over."""

    def __init__(self, server: Flask, page_frame: Callable[..., str], nonce: Callable[[], str]) -> None:
        self._page_frame = page_frame
        self._nonce = nonce
        super().__init__(
            "dashboards",
            server=server,
            url_base_pathname=PREFIX,
            assets_folder=str(ASSETS),
            serve_locally=True,
            eager_loading=False,
            suppress_callback_exceptions=True,
            update_title="",
            csrf_token_name=CSRF_COOKIE,
            add_log_handler=False,
            enable_mcp=False,
        )
        self.layout = shell

    def interpolate_index(self, **parts: str) -> str:  # type: ignore[override]
        """Return the page: the portal's frame around the controls and the place where Dash draws."""
        board = BOARDS[request.path.removeprefix(PREFIX)]
        actor = gate.asking()
        bar = render_template("dashboards/bar.html", bar=bar_of(board, actor, request.query_string.decode()))
        scripts = parts["config"] + parts["scripts"] + parts["renderer"]
        return self._page_frame(
            title=str(board.title),
            body=bar + parts["app_entry"],
            head=parts["css"],
            scripts=_SCRIPT.sub(f'<script nonce="{self._nonce()}"', scripts),
        )


def shell() -> Any:
    """Return what every page starts from; the page itself follows from the address, once the actor is known."""
    return html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Store(id="theme", data="light"),
            dcc.Store(id="pulse", data=0),
            html.Div(id="board"),
        ],
    )


def mount(
    flask_app: Flask,
    actor_of: Callable[[], Actor | None],
    page_frame: Callable[..., str],
    nonce: Callable[[], str],
) -> Dash:
    """Hang the dashboards on the portal under /dashboards/ and return the Dash app.

    `actor_of` says who asks (None: nobody), `page_frame` draws a whole page around HTML, `nonce` is the
    request's nonce of the content security policy.
    """
    with flask_app.app_context():
        gate.install(actor_of)
    boards = Boards(flask_app, page_frame, nonce)

    @boards.callback(Output("board", "children"), Input("url", "pathname"))
    @guarded()
    def board_page(actor: Actor, pathname: str | None) -> object:
        if not pathname:
            raise PreventUpdate
        board = BOARDS.get(pathname.removeprefix(PREFIX))
        if board is None:
            raise NotFound("there is no such dashboard", page=pathname[:80])
        actor.must(board.right)
        return board.layout(actor)

    for board in BOARDS.values():
        register(boards, board)

    @flask_app.before_request
    def only_our_questions() -> None:
        """Refuse what Dash would stumble over; it comes after the gate, so that strangers learn nothing here."""
        if request.path == PREFIX + asked_of_dash.CALLBACK:
            asked_of_dash.check(boards)

    @flask_app.after_request
    def hand_over_token(answer: Response) -> Response:
        """Give the page the token its callbacks send back; without it the portal refuses them."""
        if request.path.removeprefix(PREFIX) in BOARDS and request.path.startswith(PREFIX):
            answer.set_cookie(
                CSRF_COOKIE,
                generate_csrf(),
                path=PREFIX,
                secure=flask_app.config["SESSION_COOKIE_SECURE"],
                samesite="Strict",
            )
        return answer

    return boards
