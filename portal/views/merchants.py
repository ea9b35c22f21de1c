"""Merchants: the list, and a merchant's page with its figures, statement, pools and last orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from flask import url_for
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.actor import Actor, Right, Scope
from core.orders import recent
from core.parties import listing, queries
from core.parties.listing import MerchantRow
from portal import format as show
from portal.columns import Column, Preset, Sum
from portal.desk import Desk
from portal.filters import Choice
from portal.roles import actor_or_none
from portal.views import party_parts as parts
from portal.views.enrolling import Enrols
from portal.views.home import Card
from portal.views.order_filters import Named
from portal.views.standing import Stands, gone

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from portal.desk import Button
    from portal.filters import Filter

BALANCE = Column("balance_units", _l("Balance"), "money", asset="USDT", narrow="amount")
VOLUME = Column("volume_units", _l("Volume, 30 days to now"), "money", asset="USDT")


class MerchantsDesk(Enrols, Stands, Desk):
    """The platforms and shops: all, an agent's subtree's, or a merchant's own."""

    route_base = "/merchants"
    kind = "merchant"
    datamodel = SQLAInterface(MerchantRow)
    right = Right.SEE_MERCHANTS
    title = _l("Merchants")
    presets: ClassVar = (Preset(_l("Most volume"), {"sort": "-volume_units"}),)
    find: ClassVar = ("code", "name")
    order = "code"
    reads: ClassVar = ("created_30d", "ended_30d")
    empty: ClassVar = (_l("No merchants yet"), _l("A merchant appears here as soon as an administrator enrols it."))
    list_template = "parties/list.html"
    show_template = "parties/merchant.html"

    @property
    def columns(self) -> tuple[Column, ...]:  # type: ignore[override]  # by who looks
        """The columns of who looks: an agent sees volumes, not other people's money."""
        return (
            Column(
                "code",
                _l("Merchant"),
                "party",
                href="/merchants/show/{}",
                narrow="ref",
                under=Column("name", _l("Name")),
            ),
            Column("state", _l("State"), "badge", narrow="state"),
            Column("agent", _l("Agent")),
            *((BALANCE,) if parts.sees_balances() else ()),
            VOLUME,
            Column("completed_30d", _l("Completed of opened"), "of_opened"),
            Column("conversion_bps", _l("Conversion"), "share"),
            Column("last_order_at", _l("Last order"), "ago"),
        )

    @property
    def filters(self) -> tuple[Filter, ...]:  # type: ignore[override]
        """The filters of who looks."""
        found = (Choice("state", _l("State"), parts.STATES),)
        actor = actor_or_none()
        if actor is not None and actor.scope in {Scope.ALL, Scope.AGENT}:
            agent = Named("agent", _l("Agent"), lambda code: listing.of_party(MerchantRow, "agent", code))
            return (*found, agent)  # type: ignore[return-value]
        return found

    @property
    def sorts(self) -> tuple[str, ...]:  # type: ignore[override]  # an order would tell what is hidden
        """The columns to order by: only those that are shown."""
        return ("code", "volume_units", *(("balance_units",) if parts.sees_balances() else ()))

    @property
    def sums(self) -> tuple[Sum, ...]:  # type: ignore[override]
        """The sums of what is shown."""
        volume = Sum("volume_units", "USDT", _l("Volume, 30 days to now"))
        return (Sum("balance_units", "USDT", _l("Balance")), volume) if parts.sees_balances() else (volume,)

    def scope(self, actor: Actor) -> sa.ColumnElement[bool]:
        """Return which rows the actor may see."""
        return listing.own_merchants(actor)

    def states(self, row: Any) -> list[str]:
        """Return the badge beside the title."""
        return [row.state]

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        """Return what is known of the merchant."""
        return [
            (_("Code"), row.code),
            (_("Name"), row.name),
            (_("Country"), row.country or "–"),
            (_("Level"), row.kyc_level),
            (_("Agent"), row.agent or "–"),
            (_("Enrolled"), show.when(row.created_at)),
        ]

    def context(self, row: Any, actor: Actor) -> dict[str, Any]:
        """Return figures, statement, pools and last orders."""
        found = parts.statement(actor, row.ref) if listing.sees_balances(actor) else {"statement": None}
        return {
            "actor": actor,
            "cards": self.cards(row, actor, found["statement"]),
            "pools": queries.merchant_pools(actor, row.ref),
            "orders": recent.of_party(actor, "merchant", row.id),
            "unfinished": recent.open_of_merchant(actor, row.ref) if actor.may(Right.SET_STANDING) else 0,
            "orders_href": url_for("OrdersDesk.list", merchant=row.code),
            "accounts_href": url_for("BankAccountsDesk.list", q=row.code) if actor.may(Right.SEE_BANK_ACCOUNTS) else "",
            **found,
        }

    def buttons(self, row: Any, actor: Actor) -> Sequence[Button]:
        """Return the actions of the actor's role that are possible from the merchant's state."""
        return [each for each in super().buttons(row, actor) if each.name not in gone(row.state)]

    def cards(self, row: Any, actor: Actor, statement: queries.Statement | None) -> list[Card]:
        """Return the merchant's figures."""
        month = _("30 days to now")
        found = []
        if statement is not None:
            words, tone = parts.tied(statement.difference)
            found.append(parts.money_card(_("Balance"), row.balance_units, aside=words, tone=tone))
        orders = parts.completed_to_now(merchant=row.code) if actor.may(Right.SEE_ORDERS) else ""
        ended = _("of %(n)s that ended", n=show.number(row.ended_30d))
        done = _("of %(n)s opened", n=show.number(row.created_30d))
        return [
            *found,
            parts.money_card(_("Volume"), row.volume_units, aside=month, href=orders),
            Card(_("Completed"), show.number(row.completed_30d), aside=month, foot=done, href=orders),
            Card(_("Conversion"), show.share(row.conversion_bps), aside=month, foot=ended),
        ]
