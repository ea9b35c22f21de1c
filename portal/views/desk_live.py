"""The acceptor's live desk: its reserve, its switch, its orders with their countdowns, and the confirmation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import flash, g, jsonify, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import gettext as _

from core import clock
from core.actor import Actor, Right, Scope
from core.errors import NotFound, Refusal
from core.orders import live, queries
from core.parties import acceptors, presence
from portal import format as show
from portal import in_place, menu, refusals, standing_words
from portal.roles import current_actor
from portal.security.gate import needs
from portal.views.home import Card, Panel, card, panel
from portal.views.orders import confirmed
from portal.views.party_parts import midnight, money_card

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

EVERY_SECONDS = 3
"""How often the page asks for news, so that an order is seen within five seconds."""


class LiveDeskView(BaseView):
    """One screen for an acceptor's operator; administrators may look at any, and do nothing there."""

    route_base = "/desk"
    default_view = "index"
    right = Right.CONFIRM_RECEIPT

    @expose("/", methods=["GET"])
    def index(self) -> ResponseReturnValue:
        """Show the acceptor's own desk; whoever asks for it is there."""
        self._heard()
        return self._page()

    @expose("/live.json", methods=["GET"])
    def live(self) -> ResponseReturnValue:
        """Return the live orders as drawn now, for the page that asks every few seconds: a sign of life."""
        return self._news("", back=self._heard())

    @expose("/of/<ref>", methods=["GET"])
    @needs(Right.MANAGE_PARTIES)
    def of(self, ref: str) -> ResponseReturnValue:
        """Show an acceptor's desk to an administrator."""
        return self._page(ref)

    @expose("/of/<ref>/live.json", methods=["GET"])
    @needs(Right.MANAGE_PARTIES)
    def live_of(self, ref: str) -> ResponseReturnValue:
        """Return an acceptor's live orders as drawn now."""
        return self._news(ref)

    @expose("/online", methods=["POST"])
    @needs(Right.SET_ONLINE)
    def online(self) -> ResponseReturnValue:
        """Start or stop taking new orders; live ones go on."""
        actor = current_actor()
        wanted = request.form.get("online") == "yes"
        try:
            acceptors.set_online(actor, live.board(actor, midnight()).ref, wanted)
        except NotFound:
            raise
        except Refusal as refusal:
            flash(refusals.told(refusal), "danger")
            return self._page(status=refusal.status)
        flash(_("You take new orders.") if wanted else _("You take no new orders; live ones go on."), "ok")
        return redirect(url_for("LiveDeskView.index"))

    @expose("/confirm/<ref>", methods=["POST"])
    def confirm(self, ref: str) -> ResponseReturnValue:
        """Say that the fiat of an order has come; a refusal is told in the dialog, nothing has changed then."""
        actor = current_actor()
        order = queries.order(actor, ref)
        try:
            flash(*confirmed(actor, ref, order.currency))
        except NotFound:
            raise
        except Refusal as refusal:
            g.refused = refusal
            return in_place.refused(refusal) if in_place.wanted() else self._page(status=refusal.status, order=order)
        there = redirect(url_for("LiveDeskView.index"))
        return in_place.done(there) if in_place.wanted() else there

    def _heard(self) -> bool:
        """Note a sign of life of this acceptor; return whether that has put it back into matching."""
        since = presence.heard(current_actor(), watch=True)
        if since is None:
            return False
        told = _(
            "Nothing was heard from you since %(time)s, so you got no new orders. From now on you get them again.",
            time=show.when(since).striptags(),
        )
        flash(told, "warning")
        return True

    def _page(self, ref: str = "", status: int = 200, order: Any = None) -> ResponseReturnValue:
        board = live.board(current_actor(), midnight(), ref)
        _badge(board, ref)
        html = render_template(
            "acceptor/desk.html",
            title=_("Desk of %(code)s", code=board.code) if ref else _("My desk"),
            news=url_for("LiveDeskView.live_of", ref=ref) if ref else url_for("LiveDeskView.live"),
            own=not ref,
            every=EVERY_SECONDS,
            order=order,
            confirm_href=url_for("LiveDeskView.confirm", ref=order.ref) if order else "#",
            **_drawn(board),
        )
        return html, status

    def _news(self, ref: str, *, back: bool = False) -> ResponseReturnValue:
        board = live.board(current_actor(), midnight(), ref)
        answer = jsonify(
            html=render_template("acceptor/live.html", own=not ref, **_drawn(board)),
            figures=render_template("acceptor/figures.html", **_drawn(board)),
            standing=render_template("acceptor/standing.html", **_drawn(board)),
            state=show.badge(_state(board)),
            claims=[order.ref for order in board.orders if order.state == "paid_claimed" and not order.review],
            offers={order.ref: show.money_text(order.fiat) for order in board.orders},
            came={order.ref: (order.claimed_at or order.matched_at).isoformat() for order in board.orders},
            at=clock.now().isoformat(),
            back=back,
            menu=_badge(board, ref),
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _badge(board: live.Board, ref: str) -> dict[str, Any]:
    """Return the menu's number as it is with this board; an administrator who looks at another's desk has none."""
    return {} if ref else menu.news("desk", current_actor(), _to_confirm_count(board))


def _state(board: live.Board) -> str:
    """Return the word for whether the acceptor gets new orders, and why not: its standing goes before its presence."""
    if board.state != "active":
        return board.state
    if board.paused:
        return "paused"
    if not board.online:
        return "offline"
    return "silent" if board.silent else "online"


def _to_confirm_count(board: live.Board | None) -> menu.Count | None:
    return menu.Count(board.live.claims, hot=True) if board and board.live.claims else None


def _drawn(board: live.Board) -> dict[str, Any]:
    claimed = [order for order in board.orders if order.state == "paid_claimed" and not order.review]
    review = [order for order in board.orders if order.review]
    waiting = [order for order in board.orders if order not in claimed and order not in review]
    standing = standing_words.told(Scope.ACCEPTOR, board.state, board.paused)
    orders = {"claimed": claimed, "waiting": waiting, "review": review}
    return {"board": board, "state": _state(board), "standing": standing, **orders}


def _board(actor: Actor) -> live.Board | None:
    """Return the actor's desk, None for a person whose acceptor is not enrolled yet."""
    try:
        return live.board(actor, midnight())
    except NotFound:
        return None


@menu.badge("desk")
def _waiting(actor: Actor) -> menu.Count | None:
    return _to_confirm_count(_board(actor))


@card(Right.CONFIRM_RECEIPT, "acceptor")
def _to_confirm(actor: Actor) -> Card | None:
    board = _board(actor)
    if board is None:
        return None
    urgent = board.live.urgent
    foot = _("%(n)s due within 5 minutes", n=show.number(urgent)) if urgent else _("none is urgent")
    return Card(
        _("To confirm"), show.number(board.live.claims), foot=foot, tone="down" if urgent else "", href="/desk/"
    )


@card(Right.CONFIRM_RECEIPT, "acceptor")
def _reserve(actor: Actor) -> Card | None:
    board = _board(actor)
    if board is None:
        return None
    foot = _("in escrow %(n)s", n=show.amount(board.escrow.units, "USDT"))
    return money_card(_("Reserve"), board.reserve.units, foot=foot, href="/desk/")


@panel(Right.CONFIRM_RECEIPT, "acceptor")
def _live_orders(actor: Actor) -> Panel | None:
    board = _board(actor)
    return Panel("acceptor/home.html", {"own": False, **_drawn(board)}) if board and board.orders else None
