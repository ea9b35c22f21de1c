"""Acceptors: the list, and an acceptor's page with reserve, limits, statement and what may be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from core.actor import Actor, Right, Scope
from core.money import USDT
from core.orders import recent
from core.parties import acceptors, listing, queries, reserves
from core.parties.listing import AcceptorRow
from portal import format as show
from portal import typed
from portal.columns import Column, Preset, Sum
from portal.desk import Desk, deed
from portal.filters import Choice
from portal.roles import actor_or_none, current_actor
from portal.states import badge_of
from portal.views import party_parts as parts
from portal.views.approvals import top_up_words
from portal.views.enrolling import Enrols
from portal.views.home import Card
from portal.views.order_filters import Named
from portal.views.standing import Stands, gone

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa
    from flask.typing import ResponseReturnValue

    from portal.desk import Button
    from portal.filters import Filter

STATUSES = tuple(
    (s, badge_of(s).text) for s in ("online", "silent", "offline", "paused", "suspended", "barred", "imported")
)


class AcceptorsDesk(Enrols, Stands, Desk):
    """The liquidity providers: all, an agent's subtree's, or an acceptor's own."""

    route_base = "/acceptors"
    kind = "acceptor"
    datamodel = SQLAInterface(AcceptorRow)
    right = Right.SEE_ACCEPTORS
    title = _l("Acceptors")
    presets: ClassVar = (
        Preset(_l("Online"), {"status": "online"}),
        Preset(_l("Silent"), {"status": "silent"}),
        Preset(_l("Paused"), {"status": "paused"}),
    )
    find: ClassVar = ("code", "name")
    order = "code"
    reads: ClassVar = ("paused", "open_limit")
    empty: ClassVar = (_l("No acceptors yet"), _l("An acceptor appears here as soon as an administrator enrols it."))
    list_template = "parties/list.html"
    show_template = "parties/acceptor.html"

    @property
    def columns(self) -> tuple[Column, ...]:  # type: ignore[override]  # by who looks
        """The columns of who looks: agents see no balances, and only the desk sees shares of the whole."""
        balances = (
            Column("reserve_units", _l("Reserve"), "money", asset="USDT", narrow="amount"),
            Column(
                "escrow_units", _l("Escrow"), "money", asset="USDT",
                under=Column("held_units", _l("Held"), "money", asset="USDT"),
            ),
        )  # fmt: skip
        return (
            Column(
                "code",
                _l("Acceptor"),
                "party",
                href="/acceptors/show/{}",
                narrow="ref",
                under=Column("name", _l("Name")),
            ),
            Column("status", _l("State"), "acceptor_status", narrow="state"),
            *(balances if parts.sees_balances() else ()),
            Column("open_orders", _l("Load"), "load"),
            Column("volume_units", _l("Volume, 30 days to now"), "money", asset="USDT"),
            Column("success_bps", _l("Success"), "share"),
            *((Column("share_bps", _l("Share"), "share"),) if _sees_all() else ()),
            Column("last_order_at", _l("Last order"), "ago"),
        )

    @property
    def filters(self) -> tuple[Filter, ...]:  # type: ignore[override]
        """The filters of who looks."""
        found = (Choice("status", _l("State"), STATUSES),)
        if _sees_all():
            agent = Named("agent", _l("Agent"), lambda code: listing.of_party(AcceptorRow, "agent", code))
            return (*found, agent)  # type: ignore[return-value]
        return found

    @property
    def sorts(self) -> tuple[str, ...]:  # type: ignore[override]  # an order would tell what is hidden
        """The columns to order by: only those that are shown."""
        own = ("reserve_units", "escrow_units") if parts.sees_balances() else ()
        return ("code", "volume_units", "open_orders", *own)

    @property
    def sums(self) -> tuple[Sum, ...]:  # type: ignore[override]
        """The sums of what is shown."""
        if not parts.sees_balances():
            return ()
        names = (("reserve_units", _l("Reserve")), ("escrow_units", _l("Escrow")), ("held_units", _l("Held")))
        return tuple(Sum(name, "USDT", label) for name, label in names)

    def scope(self, actor: Actor) -> sa.ColumnElement[bool]:
        """Return which rows the actor may see."""
        return listing.own_acceptors(actor)

    def states(self, row: Any) -> list[str]:
        """Return the badge beside the title."""
        return [row.status]

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        """Return what is known of the acceptor."""
        return [
            (_("Code"), row.code),
            (_("Verified name"), row.name),
            (_("Country"), row.country or "–"),
            (_("Level"), row.kyc_level),
            *([(_("Agent"), row.agent)] if row.agent and _sees_all() else []),
            *([(_("Paused because"), row.paused)] if row.paused else []),
            (_("Seen"), show.ago(row.seen_at)),
            *([(_("Silent"), _("not matched until it is heard again"))] if row.status == "silent" else []),
            (_("Enrolled"), show.when(row.created_at)),
        ]

    def context(self, row: Any, actor: Actor) -> dict[str, Any]:
        """Return figures, statement, pools with what is left of their limits, and last orders."""
        own = listing.sees_balances(actor)
        found = parts.statement(actor, row.ref) if own else {"statement": None}
        return {
            "actor": actor,
            "cards": self.cards(row, found["statement"]),
            "pools": queries.served_pools(actor, row.ref) if own else [],
            "orders": recent.of_party(actor, "acceptor", row.id),
            "orders_href": url_for("OrdersDesk.list", acceptor=row.code),
            "desk_href": self._desk_href(actor, row.ref),
            "form": request.form if request.method == "POST" else {},
            "top_ups": reserves.waiting(actor, row.ref) if own else [],
            **found,
        }

    def cards(self, row: Any, statement: queries.Statement | None) -> list[Card]:
        """Return the acceptor's figures."""
        month, found = _("30 days to now"), []
        if statement is not None:
            words, tone = parts.tied(statement.difference)
            held = _("held %(n)s", n=show.amount(row.held_units, "USDT"))
            found = [
                parts.money_card(_("Reserve"), row.reserve_units, aside=words, tone=tone),
                parts.money_card(_("In escrow"), row.escrow_units, foot=held),
            ]
        load = ngettext("of %(n)s slot", "of %(n)s slots", row.open_limit, n=show.number(row.open_limit))
        ended, lost = show.number(row.completed_30d), show.number(row.refunded_30d)
        done = _("%(n)s completed, %(lost)s refunded", n=ended, lost=lost)
        share = [Card(_("Share of dispatches"), show.share(row.share_bps), aside=month)] if _sees_all() else []
        return [
            *found,
            Card(_("Open orders"), show.number(row.open_orders), foot=load),
            Card(_("Success"), show.share(row.success_bps), aside=month, foot=done),
            *share,
        ]

    def _desk_href(self, actor: Actor, ref: str) -> str:
        if actor.scope is Scope.ACCEPTOR:
            return url_for("LiveDeskView.index")
        return url_for("LiveDeskView.of", ref=ref) if actor.may(Right.MANAGE_PARTIES) else ""

    def buttons(self, row: Any, actor: Actor) -> Sequence[Button]:
        """Return the actions of the actor's role that are possible from the acceptor's state."""
        out = gone(row.state) | {"pause" if row.paused else "resume"}
        return [each for each in super().buttons(row, actor) if each.name not in out]

    def why_not(self, name: str, row: Any, actor: Actor) -> str:  # noqa: ARG002 - the same for every actor
        """Return why an action is not possible for the acceptor now."""
        return _("It is barred: its money is not taken.") if name == "top_up" and row.state == "barred" else ""

    @deed("pause", _l("Pause"), Right.MANAGE_PARTIES, look="bad", sign="ban")
    def pause(self, rows: Sequence[Any]) -> None:
        """Take the acceptor out of matching; its open orders go on."""
        acceptors.pause(current_actor(), rows[0].ref, request.form.get("why", ""))
        flash(_("%(code)s takes no new orders. Open ones go on.", code=rows[0].code), "ok")

    @deed("resume", _l("Resume"), Right.MANAGE_PARTIES, sign="check")
    def resume(self, rows: Sequence[Any]) -> None:
        """End the pause."""
        acceptors.resume(current_actor(), rows[0].ref, request.form.get("why", ""))
        flash(_("%(code)s may take orders again.", code=rows[0].code), "ok")

    @deed("top_up", _l("Top up reserve"), Right.TOP_UP_RESERVE, look="pri", sign="plus")
    def top_up(self, rows: Sequence[Any]) -> ResponseReturnValue:
        """Say what has arrived in custody: first it is read back in full, then another person is asked to approve."""
        actor, row = current_actor(), rows[0]
        amount = typed.money(request.form.get("amount", ""), USDT)
        arrival, why = request.form.get("arrival", ""), request.form.get("why", "")
        told = reserves.check(actor, row.ref, amount, arrival)
        if request.form.get("sure") != "yes":
            html = render_template(
                "parties/top_up.html",
                view=self,
                title=_("Top up reserve"),
                key=row.ref,
                row=row,
                told=told,
                words=top_up_words(told),
                form=request.form,
                crumbs=[
                    (self.title, url_for(f"{self.endpoint}.list")),
                    (row.code, url_for(f"{self.endpoint}.show", key=row.ref)),
                ],
            )
            return html, 200
        asked = reserves.ask(actor, row.ref, amount, arrival, why)
        flash(_("Asked for: %(what)s. Nothing is booked until another person approves.", what=top_up_words(told)), "ok")
        return redirect(url_for("ApprovalsDesk.show", key=asked))


def _sees_all() -> bool:
    actor = actor_or_none()
    return actor is not None and actor.scope is Scope.ALL
