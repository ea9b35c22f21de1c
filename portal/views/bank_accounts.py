"""Bank accounts: the masked list, an account's page with its deeds and the orders on it, and adding one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from flask import flash, g, has_request_context, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from core.actor import Actor, Right, Scope
from core.compliance import reveals
from core.errors import Forbidden, Refusal
from core.orders import recent
from core.parties import bank_accounts, listing, queries
from core.parties.listing import BankAccountRow
from portal import columns as drawing
from portal import format as show
from portal import refusals
from portal.columns import Column
from portal.desk import Desk, deed
from portal.filters import Choice, Text
from portal.roles import actor_or_none, current_actor
from portal.security.gate import needs
from portal.states import badge_of
from portal.views.order_filters import Currency

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa
    from flask.typing import ResponseReturnValue

    from portal.desk import Button

STATES = tuple((state, badge_of(state).text) for state in ("active", "frozen", "closed"))
KINDS = (("acceptor", _l("Acceptor")), ("merchant", _l("Merchant")))
FIELDS = ("party", "bank", "holder", "number", "offer")


def _holder(_row: Any, _column: Column, value: Any) -> str:
    """Return the holder's name: whole for the party itself and for who may reveal, else masked."""
    return str(value) if _sees_names() else show.mask_name(value)


def _account_link(row: Any, column: Column, value: Any) -> Markup:
    return Markup('<a class="strong mono" href="{}">{}</a>').format(column.href.format(row.ref), value)


def _account_state(row: Any, _column: Column, value: Any) -> Markup:
    badge = show.badge(value)
    return Markup("{} {}").format(badge, show.badge("withdrawal_account")) if row.withdrawal else badge


drawing.kind("holder", _holder)
drawing.kind("account_link", _account_link)
drawing.kind("account_state", _account_state)


class BankAccountsDesk(Desk):
    """Parties' own bank accounts: all of them for the desk, a party's own for the party."""

    route_base = "/bank-accounts"
    datamodel = SQLAInterface(BankAccountRow)
    right = Right.SEE_BANK_ACCOUNTS
    title = _l("Bank accounts")
    columns: ClassVar = (
        Column(
            "masked", _l("Account"), "account_link", href="/bank-accounts/show/{}", narrow="ref",
            under=Column("bank", _l("Bank")),
        ),
        Column("state", _l("State"), "account_state", narrow="state"),
        Column("party", _l("Party"), under=Column("holder", _l("Holder"), "holder", personal=True)),
        Column("currency", _l("Currency"), under=Column("method", _l("Method"))),
        Column("pool", _l("Pool")),
        Column("created_at", _l("Added"), "ago"),
    )  # fmt: skip
    filters: ClassVar = (
        Choice("state", _l("State"), STATES),
        Choice("party_kind", _l("Kind of party"), KINDS),
        Text("party", _l("Party")),
        Currency("currency", _l("Currency")),
        Text("pool", _l("Pool")),
    )
    find: ClassVar = ("ref", "party", "bank")
    order = "-created_at"
    sorts: ClassVar = ("created_at",)
    reads: ClassVar = ("withdrawal",)
    empty: ClassVar = (
        _l("No bank accounts yet"),
        _l("Orders are paid to acceptors' accounts, and parties are paid out to their own: add one."),
    )
    list_template = "bank_accounts/list.html"
    show_template = "bank_accounts/show.html"

    def scope(self, actor: Actor) -> sa.ColumnElement[bool]:
        """Return which rows the actor may see."""
        return listing.own_bank_accounts(actor)

    def may_add(self) -> bool:
        """Return whether who looks may add an account."""
        return has_request_context() and current_actor().may(Right.DESIGNATE_BANK_ACCOUNT)

    def next_step(self, actor: Actor) -> tuple[str, str] | None:
        """Return the way to the form, or before any pool says what accounts are for, to the pools."""
        if not actor.may(Right.DESIGNATE_BANK_ACCOUNT):
            return None
        if actor.may(Right.MANAGE_PARTIES) and not queries.offers(actor):
            return _("Open a pool"), url_for("PoolsDesk.new")
        return _("Add account"), url_for(f"{self.endpoint}.new")

    def states(self, row: Any) -> list[str]:
        """Return the badges beside the title."""
        return [row.state, *(["withdrawal_account"] if row.withdrawal else [])]

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        """Return what is known of the account."""
        href = self._party_href(row)
        party = Markup('<a href="{}">{}</a>').format(href, row.party) if href else row.party
        return [
            (_("Party"), party),
            (_("Bank"), row.bank),
            (_("Account"), row.masked),
            (_("Holder"), _holder(row, self.columns[0], row.holder)),
            (_("Currency"), row.currency),
            (_("Method"), row.method),
            (_("Pool"), row.pool or "–"),
            *self._frozen(row),
            (_("Added"), show.when(row.created_at)),
        ]

    def _frozen(self, row: Any) -> list[tuple[str, Any]]:
        """Return why it is frozen, to the desk's people: a reason may tell of a review. Its owner reads whom to ask."""
        if row.state != "frozen":
            return []
        if current_actor().scope is Scope.ALL:
            return [(_("Frozen because"), row.frozen_why)]
        told = _("by the desk: no new orders and no payouts go to it. Ask an administrator of the desk.")
        return [(_("Frozen"), told)]

    def context(self, row: Any, actor: Actor) -> dict[str, Any]:
        """Return the open orders on the account, and its number when it was just revealed."""
        return {
            "actor": actor,
            "orders": recent.on_bank_account(actor, row.ref),
            "unpaid": recent.unpaid_on_bank_account(actor, row.ref),
            "told": g.get("told", ""),
            "unpayable": row.withdrawal and row.state != "active",
            "others_href": url_for(f"{self.endpoint}.list", party=row.party, party_kind=row.party_kind, state="active"),
        }

    def _party_href(self, row: Any) -> str:
        pages = {"merchant": Right.SEE_MERCHANTS, "acceptor": Right.SEE_ACCEPTORS}
        return f"/{row.party_kind}s/show/{row.party_ref}" if current_actor().may(pages[row.party_kind]) else ""

    def why_not(self, name: str, row: Any, actor: Actor) -> str:  # noqa: ARG002 - the same for every actor
        """Return why an action is not possible for the account now."""
        if name == "designate":
            if row.withdrawal and row.state != "active":
                return _("It is the withdrawal account already, and frozen: designate another on that one's page.")
            if row.withdrawal:
                return _("It is the withdrawal account already.")
            return "" if row.state == "active" else _("Only an active account can be designated.")
        return ""

    def buttons(self, row: Any, actor: Actor) -> Sequence[Button]:
        """Return the actions of the actor's role: freeze or unfreeze, whichever is possible."""
        gone = {"active": {"unfreeze"}, "frozen": {"freeze"}}.get(row.state, {"freeze", "unfreeze"})
        return [each for each in super().buttons(row, actor) if each.name not in gone]

    @deed("designate", _l("Make withdrawal account"), Right.DESIGNATE_BANK_ACCOUNT, sign="wallet")
    def designate(self, rows: Sequence[Any]) -> None:
        """Make this the one account its party is paid out to."""
        bank_accounts.designate(current_actor(), rows[0].ref, request.form.get("why", ""))
        flash(_("%(code)s is now paid out to %(account)s.", code=rows[0].party, account=rows[0].masked), "ok")

    @deed("freeze", _l("Freeze"), Right.FREEZE_BANK_ACCOUNT, look="bad", sign="lock")
    def freeze(self, rows: Sequence[Any]) -> None:
        """Take the account out of use."""
        bank_accounts.freeze(current_actor(), rows[0].ref, request.form.get("why", ""))
        flash(_("%(account)s is frozen: no new order is sent to it.", account=rows[0].masked), "ok")

    @deed("unfreeze", _l("Unfreeze"), Right.FREEZE_BANK_ACCOUNT, sign="check")
    def unfreeze(self, rows: Sequence[Any]) -> None:
        """Put the account back into use."""
        bank_accounts.unfreeze(current_actor(), rows[0].ref, request.form.get("why", ""))
        flash(_("%(account)s is in use again.", account=rows[0].masked), "ok")

    @deed("reveal", _l("Reveal number"), Right.REVEAL, sign="eye")
    def reveal(self, rows: Sequence[Any]) -> ResponseReturnValue:
        """Show the whole number, this once; the look is logged with its reason."""
        why = request.form.get("why", "")
        plain = reveals.reveal(current_actor(), "bank_account", rows[0].ref, why, rows[0].ref)
        g.told = plain
        return self._shown(rows[0].ref)

    @expose("/new", methods=["GET"])
    @needs(Right.DESIGNATE_BANK_ACCOUNT)
    def new(self) -> ResponseReturnValue:
        """Show the form of a new account."""
        return self._form(request.args.to_dict(), {})

    @expose("/new", methods=["POST"])
    @needs(Right.DESIGNATE_BANK_ACCOUNT)
    def save(self) -> ResponseReturnValue:
        """Add an account; what is wrong is said at its field and nothing is added."""
        actor, form = current_actor(), {name: request.form.get(name, "").strip() for name in FIELDS}
        try:
            kind, _colon, code = form["party"].partition(":")
            owner = queries.ref_of(actor, kind, code) if actor.scope is Scope.ALL else queries.own_ref(actor)
            currency, _colon, method = form["offer"].partition(":")
            ref = bank_accounts.add(actor, owner, form["bank"], form["holder"], form["number"], currency, method)
        except Forbidden:
            raise
        except Refusal as refusal:
            field = str(refusal.facts.get("field", ""))
            field = {"method": "offer", "currency": "offer"}.get(field, field)
            if field not in FIELDS:
                field = "offer" if "currency" in refusal.facts else ""
            wrong = {field: refusals.told(refusal)}
            return self._form(form, wrong, refusal.status)
        flash(_("The account is added."), "ok")
        return redirect(url_for(f"{self.endpoint}.show", key=ref))

    def _form(self, form: dict[str, str], wrong: dict[str, str], status: int = 200) -> ResponseReturnValue:
        actor = current_actor()
        html = render_template(
            "bank_accounts/new.html",
            title=_("Add a bank account"),
            crumbs=[(self.title, url_for(f"{self.endpoint}.list"))],
            form=form,
            wrong=wrong,
            offers=[(f"{currency}:{method}", f"{currency} · {method}") for currency, method in queries.offers(actor)],
            for_anybody=actor.scope is Scope.ALL,
        )
        return html, status


def _sees_names() -> bool:
    actor = actor_or_none()
    return actor is not None and (actor.scope is not Scope.ALL or actor.may(Right.REVEAL))
