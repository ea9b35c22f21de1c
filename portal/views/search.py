"""The search box: orders, parties, accounts and alerts by one whole name or number, of the actor's own rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import redirect, render_template, request, url_for
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.actor import Actor, Right
from core.compliance import finding as alerts
from core.orders import finding as orders
from core.parties import finding as parties
from portal import risk_words
from portal.filters import one
from portal.roles import current_actor
from portal.security.gate import SIGNED_IN

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from flask_babel import LazyString

BY: dict[str, LazyString] = {
    "ref": _l("by its number"),
    "external_ref": _l("by the merchant's number"),
    "pay_code": _l("by its payment reference"),
    "payer_account": _l("by the payer's account"),
    "customer": _l("by the customer's number"),
    "name": _l("by the customer's name"),
    "amount": _l("by its amount"),
    "payer_end": _l("by the end of the payer's account"),
}
PARTY_PAGES = {"merchant": "MerchantsDesk", "acceptor": "AcceptorsDesk"}


class Hit(NamedTuple):
    """One thing found: where it leads, what it is called, what is said about it, its state."""

    href: str
    name: str
    text: str
    state: str


class Group(NamedTuple):
    """Hits of one kind."""

    title: str
    icon: str
    hits: list[Hit]


class SearchView(BaseView):
    """Whole names and numbers only; what is not the actor's is not found."""

    route_base = "/search"
    default_view = "index"
    right = SIGNED_IN

    @expose("/", methods=["GET"])
    def index(self) -> ResponseReturnValue:
        """Show what was found; the only hit opens at once."""
        words = one(request.args, "q")
        groups = found(current_actor(), words) if words and words.isprintable() else []
        hits = [hit for group in groups for hit in group.hits]
        if len(hits) == 1:
            return redirect(hits[0].href)
        return render_template("search/found.html", title=_("Search"), words=words, groups=groups, hits=hits)


def found(actor: Actor, words: str) -> list[Group]:
    """Return all hits, grouped; groups without any are left out."""
    groups = [
        Group(_("Orders"), "arrow-left-right", _orders(actor, words)),
        Group(_("Alerts"), "shield-alert", _alerts(actor, words)),
        Group(_("Parties"), "users", _parties(actor, words)),
        Group(_("Bank accounts"), "landmark", _accounts(actor, words)),
    ]
    return [group for group in groups if group.hits]


def _orders(actor: Actor, words: str) -> list[Hit]:
    if not actor.may(Right.SEE_ORDERS):
        return []
    return [
        Hit(
            url_for("OrdersDesk.show", key=each.ref),
            each.ref,
            f"{each.external_ref} · {each.merchant} · {BY[each.by]}",
            each.state,
        )
        for each in orders.find(actor, words)
    ]


def _alerts(actor: Actor, words: str) -> list[Hit]:
    return [
        Hit(url_for("AlertsDesk.show", key=each.ref), each.ref, risk_words.rule(each.rule), each.state)
        for each in alerts.find(actor, words)
    ]


def _parties(actor: Actor, words: str) -> list[Hit]:
    return [Hit(_page(each), each.code, each.name, each.state) for each in parties.parties(actor, words)]


def _page(party: parties.FoundParty) -> str:
    if party.kind == "agent":
        return url_for("AgentsView.show", ref=party.ref)
    return url_for(f"{PARTY_PAGES[party.kind]}.show", key=party.ref)


def _accounts(actor: Actor, words: str) -> list[Hit]:
    return [
        Hit(url_for("BankAccountsDesk.show", key=each.ref), f"{each.bank} {each.masked}", each.party, each.state)
        for each in parties.bank_accounts(actor, words)
    ]
