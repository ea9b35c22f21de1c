"""Pools: the list, a pool's page with who uses and serves it and what may be done about it, and opening one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from core.actor import Actor, Right
from core.errors import Forbidden, Refusal
from core.money import USDT, fiat
from core.parties import naming, pool_pages, pools
from core.parties.listing import PoolRow
from portal import columns as drawing
from portal import format as show
from portal import risk_words
from portal.columns import Column
from portal.desk import Desk, deed
from portal.filters import Choice, Text
from portal.roles import current_actor
from portal.security.gate import needs
from portal.states import badge_of
from portal.views.enrolling import at_field, may_enrol, read_form, read_money, read_number
from portal.views.order_filters import Currency
from portal.views.pool_changes import ChangesPools

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from portal.desk import Button

FROM_THE_START = 1970
"""The year of versions that were there before all orders."""
STATES = tuple((state, badge_of(state).text) for state in ("open", "paused", "imported"))
POLICIES = {
    "uniform_random": _l("By chance, each alike"),
    "least_loaded": _l("Whoever has the least open"),
}
TIMES = ("pay_seconds", "confirm_seconds", "quote_seconds", "silent_seconds")
FIELDS = ("code", "currency", "method", "fee_code", "policy", "min_fiat", "max_fiat", "min_reserve", *TIMES)
USUAL = {
    "policy": pools.POLICIES[0], "min_reserve": "1", "pay_seconds": "900", "confirm_seconds": "900",
    "quote_seconds": "600", "silent_seconds": "600",
}  # fmt: skip


def _code(row: Any, column: Column, value: Any) -> Markup:
    return Markup('<a class="strong" href="{}">{}</a>').format(column.href.format(row.ref), value)


def _served(row: Any, _column: Column, value: Any) -> Markup:
    """Return how many accounts can be matched now beside how many serve the pool."""
    return Markup('<span class="nums">{} <span class="muted">/ {}</span></span>').format(
        show.number(value), show.number(row.accounts)
    )


def _policy(row: Any, _column: Column, value: Any) -> Markup:
    return Markup('{} <span class="muted">v{}</span>').format(POLICIES.get(value, value), row.policy_version)


def _state(state: str) -> str:
    """Return whose badge the pool's state has: an open pool is well, an open alert is work."""
    return "pool_open" if state == "open" else state


drawing.kind("pool", _code)
drawing.kind("served", _served)
drawing.kind("policy", _policy)
drawing.kind("pool_state", lambda _row, _column, value: show.badge(_state(value)))


class PoolsDesk(ChangesPools, Desk):
    """The pools orders are matched in; the desk's own people see them, an administrator opens and fills them."""

    route_base = "/pools"
    datamodel = SQLAInterface(PoolRow)
    right = Right.SEE_POOLS
    title = _l("Pools")
    columns: ClassVar = (
        Column(
            "code", _l("Pool"), "pool", href="/pools/show/{}", narrow="ref", under=Column("fee_code", _l("Fees")),
        ),
        Column("state", _l("State"), "pool_state", narrow="state"),
        Column("currency", _l("Currency"), under=Column("method", _l("Method"))),
        Column(
            "min_fiat_units", _l("One order from"), "money", asset="currency",
            under=Column("max_fiat_units", _l("to"), "money", asset="currency"),
        ),
        Column("policy", _l("Matching"), "policy"),
        Column("matchable", _l("Accounts ready"), "served"),
        Column("merchants", _l("Merchants"), "number"),
        Column("created_at", _l("Opened"), "ago"),
    )  # fmt: skip
    filters: ClassVar = (
        Choice("state", _l("State"), STATES),
        Currency("currency", _l("Currency")),
        Text("method", _l("Method")),
    )
    find: ClassVar = ("code", "ref")
    order = "code"
    sorts: ClassVar = ("code", "created_at")
    reads: ClassVar = ("policy_version", "accounts")
    empty: ClassVar = (
        _l("No pools yet"),
        _l("A pool says in which currency and how customers pay, at which fees, and who serves them. Open one first."),
    )
    silence: ClassVar = pools.SILENCE
    list_template = "pools/list.html"
    show_template = "pools/show.html"

    def may_open(self) -> bool:
        """Return whether who looks may open a pool."""
        return may_enrol()

    def next_step(self, actor: Actor) -> tuple[str, str] | None:
        """Return the way to the form for who may open a pool."""
        return (_("Open a pool"), url_for(f"{self.endpoint}.new")) if actor.may(Right.MANAGE_PARTIES) else None

    def policy_words(self, policy: str) -> str:
        """Return a policy in words."""
        return str(POLICIES.get(policy, policy))

    def facts(self, row: Any) -> list[tuple[str, Any]]:
        """Return what is known of the pool."""
        in_force = {each.code: each for each in pool_pages.fees(current_actor())}
        fees = in_force.get(row.fee_code)
        return [
            (_("Currency"), row.currency),
            (_("Method"), row.method),
            (_("Fees"), _fee_words(fees) if fees else row.fee_code),
            (_("Matching"), _policy(row, self.columns[0], row.policy)),
            (_("One order from"), show.money(row.min_fiat_units, row.currency)),
            (_("One order to"), show.money(row.max_fiat_units, row.currency)),
            (_("Least reserve"), show.money(row.min_reserve_units, "USDT")),
            (_("To pay"), risk_words.lasting(row.pay_seconds)),
            (_("To confirm"), risk_words.lasting(row.confirm_seconds)),
            (_("A quote holds"), risk_words.lasting(row.quote_seconds)),
            (_("An acceptor may be silent"), risk_words.lasting(row.silent_seconds)),
            (_("Opened"), show.when(row.created_at)),
        ]

    def context(self, row: Any, actor: Actor) -> dict[str, Any]:
        """Return who uses and serves the pool, and what its dialogs offer."""
        runs = actor.may(Right.MANAGE_PARTIES)
        return {
            "actor": actor,
            "admitted": pool_pages.merchants(actor, row.ref),
            "accounts": pool_pages.accounts(actor, row.ref),
            "fitting": pool_pages.fitting(actor, row.ref) if runs else [],
            "merchants": naming.known(actor, "merchant") if runs else [],
            "policies": [(each, POLICIES[each]) for each in pools.POLICIES if each != row.policy],
            "form": request.form if request.method == "POST" else {},
        }

    def buttons(self, row: Any, actor: Actor) -> Sequence[Button]:
        """Return the actions of the actor's role: pause or reopen, whichever is possible."""
        gone = {"open": {"reopen"}, "paused": {"pause"}}.get(row.state, {"pause", "reopen"})
        return [each for each in super().buttons(row, actor) if each.name not in gone]

    def states(self, row: Any) -> list[str]:
        """Return the badge beside the title."""
        return [_state(row.state)]

    def why_not(self, name: str, row: Any, actor: Actor) -> str:
        """Return why an action is not possible for the pool now."""
        if row.state == "imported":
            return _("It holds imported orders only.")
        if name == "join" and not pool_pages.fitting(actor, row.ref):
            return _("No acceptor has a free bank account for this currency and method.")
        if name == "admit" and not naming.known(actor, "merchant"):
            return _("There is no merchant yet.")
        if name == "expel" and not row.merchants:
            return _("No merchant may use it.")
        if name in {"leave", "limit_account"} and not row.accounts:
            return _("No account serves it.")
        return ""

    @deed("admit", _l("Admit merchant"), Right.MANAGE_PARTIES, look="pri", sign="store")
    def admit(self, rows: Sequence[Any]) -> None:
        """Let a merchant use the pool."""
        actor, named = current_actor(), request.form.get("merchant", "")
        pools.admit(actor, rows[0].ref, naming.party(actor, named, "merchant", field="merchant"))
        flash(_("%(merchant)s may use %(pool)s.", merchant=named, pool=rows[0].code), "ok")

    @deed("join", _l("Let an account join"), Right.MANAGE_PARTIES, look="pri", sign="landmark")
    def join(self, rows: Sequence[Any]) -> None:
        """Let an acceptor's bank account serve the pool, within limits."""
        form = read_form(("bank_account", "day_limit", "open_limit"))
        pools.join(
            current_actor(), rows[0].ref, form["bank_account"],
            open_limit=read_number(form["open_limit"], "open_limit"),
            day_limit=read_money(form["day_limit"], fiat(rows[0].currency), "day_limit"),
        )  # fmt: skip
        flash(_("The account serves %(pool)s.", pool=rows[0].code), "ok")

    @deed("policy", _l("Choose matching"), Right.MANAGE_PARTIES, sign="list-checks")
    def policy(self, rows: Sequence[Any]) -> None:
        """Match by another policy from now on."""
        form = read_form(("policy", "reason"))
        version = pools.choose_policy(current_actor(), rows[0].ref, form["policy"], form["reason"])
        flash(_("%(pool)s is matched by version %(n)s now.", pool=rows[0].code, n=version), "ok")

    @deed("pause", _l("Pause"), Right.MANAGE_PARTIES, look="bad", sign="ban")
    def pause(self, rows: Sequence[Any]) -> None:
        """Stop quoting and matching; open orders go on."""
        pools.pause(current_actor(), rows[0].ref, request.form.get("reason", ""))
        flash(_("%(pool)s is paused. Open orders go on.", pool=rows[0].code), "ok")

    @deed("reopen", _l("Reopen"), Right.MANAGE_PARTIES, sign="check")
    def reopen(self, rows: Sequence[Any]) -> None:
        """Quote and match again."""
        pools.reopen(current_actor(), rows[0].ref, request.form.get("reason", ""))
        flash(_("%(pool)s is open again.", pool=rows[0].code), "ok")

    @expose("/new", methods=["GET"])
    @needs(Right.MANAGE_PARTIES)
    def new(self) -> ResponseReturnValue:
        """Show the form of a new pool."""
        return self._form(USUAL, {})

    @expose("/new", methods=["POST"])
    @needs(Right.MANAGE_PARTIES)
    def save(self) -> ResponseReturnValue:
        """Open a pool; what is wrong is said at its field and none is opened."""
        form = read_form(FIELDS)
        try:
            ref = _opened(current_actor(), form)
        except Forbidden:
            raise
        except Refusal as refusal:
            return self._form(form, at_field(refusal, FIELDS, {"limits": "max_fiat"}), refusal.status)
        flash(_("%(pool)s is open. Admit merchants and let accounts join.", pool=form["code"]), "ok")
        return redirect(url_for(f"{self.endpoint}.show", key=ref))

    def _form(self, form: Mapping[str, str], wrong: Mapping[str, str], status: int = 200) -> ResponseReturnValue:
        html = render_template(
            "pools/new.html",
            title=_("Open a pool"),
            crumbs=[(self.title, url_for(f"{self.endpoint}.list"))],
            form=form,
            wrong=wrong,
            fees=[(each.code, f"{each.code} v{each.version}") for each in pool_pages.fees(current_actor())],
            policies=[(each, POLICIES[each]) for each in pools.POLICIES],
        )
        return html, status


def _opened(actor: Actor, form: Mapping[str, str]) -> str:
    try:
        asset = fiat(form["currency"].upper())
    except Refusal as refusal:
        refusal.facts["field"] = "currency"
        raise
    return pools.create(
        actor, form["code"], asset.code, form["method"], form["fee_code"], form["policy"],
        min_fiat=read_money(form["min_fiat"], asset, "min_fiat"),
        max_fiat=read_money(form["max_fiat"], asset, "max_fiat"),
        min_reserve=read_money(form["min_reserve"], USDT, "min_reserve", allow_zero=True),
        **{name: read_number(form[name] or USUAL[name], name) for name in TIMES},
    )  # fmt: skip


def _fee_words(fees: pool_pages.FeeVersion) -> Markup:
    words = Markup('{} v{} <span class="sub">{} {}</span>')
    if fees.effective_from.year == FROM_THE_START:
        return words.format(fees.code, fees.version, _("in force from the start"), "")
    return words.format(fees.code, fees.version, _("in force since"), show.when(fees.effective_from))
