"""Orders: the list with all its filters, and an order's page with what may be done about it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from flask import flash, g, has_request_context, redirect, render_template, request, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_babel import get_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core import clock
from core.actor import Actor, Right, Scope
from core.compliance import disputes
from core.compliance import listing as alert_listing
from core.errors import BadInput
from core.money import Rate, fiat
from core.orders import deposit, disputing, explaining, listing, overdue, page, queries, release
from core.orders.input import text as read_line
from core.orders.listing import OrderRow
from core.orders.scope import sees_customers
from core.orders.states import State
from core.parties.listing import of_party
from portal import columns as drawing
from portal import listing as listing_engine
from portal import menu, risk_words, typed
from portal.columns import Column, Preset, Sum
from portal.desk import Desk, deed
from portal.filters import Amount, BadList, Choice
from portal.roles import actor_or_none, current_actor
from portal.states import BADGES
from portal.views import decisions, judging, revealing
from portal.views import order_words as words
from portal.views.order_filters import Born, Currency, Ended, Named, OrderState, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa
    from flask.typing import ResponseReturnValue
    from werkzeug.datastructures import MultiDict

    from portal.desk import Button
    from portal.filters import Filter

STATES = tuple((str(state), BADGES[state].text) for state in State)
KINDS = (("deposit", _l("Deposit")), ("withdrawal", _l("Withdrawal")))
STAGES = (
    ("open", _l("Open now")),
    ("mine", _l("My move")),
    ("near", _l("Near expiry")),
    ("review", _l("Under review")),
)


def _of_payer(ref: str) -> Any:
    """Return the clause of a payer's account; a number would find nothing, for none is stored to be read."""
    if not ref.startswith("pay_"):
        said = _("'%(text)s' is not a reference of the form %(prefix)s_…", text=ref[:40], prefix="pay")
        raise BadList(said, argument="payer")
    return listing.of_payer(ref)


EVERYBODYS = (
    Stage("stage", _l("Stage"), STAGES, at=listing.at_stage),
    OrderState("state", _l("State"), STATES),
    Named("merchant", _l("Merchant"), lambda code: of_party(OrderRow, "merchant", code)),
    Named("acceptor", _l("Acceptor"), lambda code: of_party(OrderRow, "acceptor", code)),
    Named("customer", _l("Customer's number"), listing.of_customer),
    Named("payer", _l("Payer's account"), _of_payer),
    Named("pool", _l("Pool"), listing.of_pool),
    Currency("currency", _l("Currency")),
    Amount("fiat_units", _l("Amount"), "currency"),
    Amount("usdt_units", _l("USDT"), "USDT"),
    Choice("kind", _l("Kind"), KINDS),
    Born("created_at", _l("Created")),
    Ended("ended_at", _l("Ended"), first="ended_from", last="ended_to"),
)
# A filter on a column that one may not see would tell what is in it.
AGENTS = Named("agent", _l("Agent"), lambda code: of_party(OrderRow, "agent", code))
OFFICERS = (
    Choice("risk_state", _l("Risk"), tuple((s, BADGES[s].text) for s in ("clear", "flagged", "held", "refused"))),
    Stage("hold", _l("USDT held"), (("open", _l("held now")),), at=alert_listing.orders_held),
    Choice("dispute_state", _l("Dispute"), (("open", _l("In dispute")), ("decided", _l("Decided")))),
)

POOL = Column("pool", _l("Pool"))
COLUMNS = (
    Column(
        "ref", _l("Order"), "ref", narrow="ref", href="/orders/show/{}",
        under=Column("external_ref", _l("Merchant's number")),
    ),
    Column("state", _l("State"), "order_state", narrow="state"),
    Column("merchant", _l("Merchant"), under=POOL),
    Column("acceptor", _l("Acceptor")),
    Column(
        "customer_name", _l("Customer"), "person", personal=True,
        under=Column("customer", _l("Customer's number")),
    ),
    Column(
        "fiat_units", _l("Amount"), "money", asset="currency", narrow="amount",
        under=Column("usdt_units", _l("USDT"), "money", asset="USDT"),
    ),
    Column("created_at", _l("Created"), "ago"),
    Column("deadline_at", _l("Time left"), "left"),
)  # fmt: skip
BY_POOL = Column("acceptor", _l("Acceptor"), under=POOL)
NET = Column(
    "net_units", _l("Merchant receives"), "money", asset="USDT",
    under=Column("fee_units", _l("Fee"), "money", asset="USDT", named=True),
)  # fmt: skip
"""What is left of the USDT to the merchant, as the order's page says it: in everybody's file, on merchants' screens."""
OF_CUSTOMERS = frozenset({"customer_name", "customer", "payer"})
"""Columns and filters that tell whose order it is, and who pays it."""

drawing.kind("order_state", words.state_cell)


class OrdersDesk(judging.Judges, Desk):
    """Deposits and withdrawals of whoever looks: a party's own, an agent's subtree's, all of them for the desk."""

    route_base = "/orders"
    datamodel = SQLAInterface(OrderRow)
    right = Right.SEE_ORDERS
    title = _l("Orders")
    find: ClassVar = ("ref",)
    reads: ClassVar = ("risk_state", "dispute_state", "next_actor")
    sums: ClassVar = (
        Sum("fiat_units", "currency", _l("Amount")),
        Sum("usdt_units", "USDT", _l("USDT")),
        Sum("fee_units", "USDT", _l("Fee")),
        Sum("net_units", "USDT", _l("Merchant receives")),
    )
    empty: ClassVar = (
        _l("No orders yet"),
        _l("An order appears here as soon as a merchant opens one through the API."),
    )
    show_template = "orders/show.html"

    @property
    def columns(self) -> tuple[Column, ...]:  # type: ignore[override]  # by who looks
        """The columns of who looks, on screen and in files: an agent sees orders without the customer's data."""
        if _pays_fees():
            # Whose orders these are a merchant knows.
            mine = [BY_POOL if each.name == "acceptor" else each for each in COLUMNS if each.name != "merchant"]
            return (*mine[:-2], NET, *mine[-2:])
        return COLUMNS if _sees_customers() else tuple(each for each in COLUMNS if each.name not in OF_CUSTOMERS)

    @property
    def filed(self) -> tuple[Column, ...]:  # type: ignore[override]  # by who looks
        """The columns that only the file has."""
        return (Column("merchant", _l("Merchant")),) if _pays_fees() else (NET,)

    @property
    def filters(self) -> tuple[Filter, ...]:  # type: ignore[override]  # by who looks
        """The filters of who looks: officers' own on what only officers see."""
        actor = actor_or_none()
        if actor is None:
            return EVERYBODYS  # type: ignore[return-value]
        more = (AGENTS,) if actor.scope in {Scope.ALL, Scope.AGENT} else ()
        first = EVERYBODYS if _sees_customers() else tuple(e for e in EVERYBODYS if e.name not in OF_CUSTOMERS)
        return (*first, *more, *(OFFICERS if actor.may(Right.SEE_ALERTS) else ()))  # type: ignore[return-value]

    @property
    def presets(self) -> tuple[Preset, ...]:  # type: ignore[override]  # by who looks, and the day
        """The one-click filters of who looks."""
        if not has_request_context():
            return ()
        today = clock.now().astimezone(get_timezone()).date().isoformat()
        mine = (Preset(_l("My move"), {"stage": "mine"}),)
        return (
            Preset(_l("Open now"), {"stage": "open"}),
            *(mine if current_actor().role in {"acceptor", "merchant", "compliance"} else ()),
            Preset(_l("Near expiry"), {"stage": "near", "sort": "deadline_at"}),
            Preset(_l("Today"), {"from": today}),
        )

    @property
    def sorts(self) -> tuple[str, ...]:  # type: ignore[override]  # only the few that wait are ordered otherwise
        """Columns to order by: of all orders by age; of those that wait by anything."""
        return self.sorts_by(request.args) if has_request_context() else ("created_at",)

    def sorts_by(self, args: MultiDict[str, str]) -> tuple[str, ...]:
        """Return the same for an address with these filters."""
        few = args.get("stage")
        return ("created_at", "deadline_at", "usdt_units") if few else ("created_at",)

    @property
    def told_by_key(self) -> frozenset[str]:  # type: ignore[override]  # by who looks, and at whose
        """The age of an order is in its reference; one party's have an index by age of their own."""
        if not has_request_context() or current_actor().scope is not Scope.ALL:
            return frozenset()
        of_one = any(map(request.args.get, ("merchant", "acceptor", "agent")))
        return frozenset() if of_one else frozenset({"created_at"})

    def next_step(self, actor: Actor) -> tuple[str, str] | None:
        """Return the way to what is still to be set up, for who sets up."""
        return (_("See what is set up"), url_for("HomeView.index")) if actor.may(Right.MANAGE_PARTIES) else None

    def scope(self, actor: Actor) -> sa.ColumnElement[bool]:
        """Return which rows the actor may see."""
        return listing.own(actor)

    def found(self, words: str) -> sa.ColumnElement[bool]:
        """Return which rows the search box finds."""
        asked: dict[str, sa.ColumnElement[bool]] = g.setdefault("orders_found", {})
        if words not in asked:  # one look at an account number stands once in the trail
            asked[words] = listing.found(current_actor(), words)
        return asked[words]

    @expose("/list/", methods=["GET"])
    def list(self) -> ResponseReturnValue:
        """Show one page of the actor's orders; a search that names one order whole opens it."""
        if set(request.args) == {"q"}:
            readable = not listing_engine.look(self, request.args).wrong
            ref = listing.exact(current_actor(), request.args["q"].strip()) if readable else None
            if ref is not None:
                return redirect(url_for(f"{self.endpoint}.show", key=ref))
        return self._listed()

    def _shown(self, key: str, status: int = 200, told: tuple[str, str] | None = None) -> ResponseReturnValue:
        actor = current_actor()
        view = queries.order(actor, listing_engine.row_of(self, actor, key).ref)
        officer = actor.may(Right.SEE_ALERTS)
        legs = page.entries(actor, view) if actor.may(Right.SEE_LEDGER) else None
        html = render_template(
            self.show_template,
            view=self,
            title=key,
            key=key,
            order=view,
            crumbs=[(self.title, url_for(f"{self.endpoint}.list"))],
            side=words.side(actor, view),
            next_move=words.next_move(actor, view),
            searching=words.search_words(view),
            overdue=words.overdue_words(overdue.review(actor, view)) if officer else "",
            buttons={button.name: button for button in self.buttons(view, actor)},
            alerts=alert_listing.of_order(actor, view.id) if officer else [],
            dispute=alert_listing.dispute_request(actor, key) if officer else None,
            beside=page.beside(actor, view),
            shares=page.shares(actor, view),
            entries=legs,
            unbooked=words.unbooked(actor, view),
            blocks=sorted({entry.block for entry in legs or [] if entry.block is not None}),
            reasons=words.REASONS,
            told_of=risk_words.told,
            weight_of=risk_words.weight_of,
            effect=decisions.effect,
            proposed=decisions.proposed,
            came=disputing.came(view) if officer else None,
            lost_by=risk_words.lost,
            fee_lines=words.FEE_LINES,
            policies=words.POLICIES,
            account_parts=words.ACCOUNT_PARTS,
            steps=[words.step(row) for row in queries.timeline(actor, view)],
            rate=Rate(view.rate_price, fiat(view.currency)),
            tries=explaining.dispatches(actor, view) if actor.may(Right.SEE_DISPATCH) else None,
            paying=queries.paying(actor, view),
            reveals=revealing.choices(view),
            form=request.form if status != 200 else {},  # noqa: PLR2004 - a refused form is shown again
            told=told,
            judged=judging.standing_of(actor, view),
            actor=actor,
            whose=sees_customers(actor),
        )
        return html, status

    def why_not(self, name: str, row: Any, actor: Actor) -> str:  # noqa: ARG002 - the same for every actor
        """Return why an action is not possible for the order now."""
        return words.why_not(name, row)

    def buttons(self, row: Any, actor: Actor) -> Sequence[Button]:
        """Return the actions of the actor's role; what has come is for deposits' acceptors only."""
        wanted = {"cancel", "confirm", "contest"}
        if actor.scope is Scope.ALL and row.state == State.AWAITING_PAYMENT:  # a merchant's program says it itself
            wanted.add("claim")
        return [button for button in super().buttons(row, actor) if button.name in wanted]

    @deed("cancel", _l("Cancel order"), Right.CANCEL_ORDER, look="bad", sign="ban")
    def cancel(self, rows: Sequence[Any]) -> None:
        """Call the order off; what was frozen returns."""
        deposit.cancel(current_actor(), rows[0].ref, reason=request.form.get("reason", ""))
        flash(_("The order is cancelled."), "ok")

    @deed("claim", _l("Paid"), Right.CLAIM_PAID, sign="wallet")
    def claim(self, rows: Sequence[Any]) -> None:
        """Say in the merchant's place that the customer has paid; who said so, and why, stands in the trail."""
        form = request.form
        deposit.claim_paid(
            current_actor(),
            rows[0].ref,
            payer_name=form.get("payer_name", ""),
            payer_account=form.get("payer_account", ""),
            paid_at=typed.moment(form.get("paid_at", ""), "paid_at"),
            reason=form.get("reason", ""),
        )
        flash(_("The acceptor is asked to confirm the receipt."), "ok")

    @deed("confirm", _l("Confirm receipt"), Right.CONFIRM_RECEIPT, look="pri", sign="check", key="c")
    def confirm(self, rows: Sequence[Any]) -> None:
        """Say that the fiat has come: the escrow is paid out."""
        flash(*confirmed(current_actor(), rows[0].ref, rows[0].currency))

    @deed("contest", _l("Something else came"), Right.CONFIRM_RECEIPT, sign="triangle-alert")
    def contest(self, rows: Sequence[Any]) -> None:
        """Say that another amount has come, or none: officers decide, and the escrow stays frozen."""
        form, currency = request.form, fiat(rows[0].currency)
        received = typed.money(form.get("received", ""), currency, allow_zero=True)
        disputing.contest(current_actor(), rows[0].ref, received=received, why=form.get("why", ""))
        flash(_("The dispute desk has it. The escrow stays frozen until two officers have decided."), "warning")

    @deed("reveal", _l("Reveal"), Right.REVEAL, sign="eye")
    def reveal(self, rows: Sequence[Any]) -> ResponseReturnValue:
        """Show one piece of personal data, this once; the look is logged with its reason."""
        order = rows[0].ref
        return self._shown(order, told=revealing.revealed(queries.order(current_actor(), order), order))

    @deed("dispute", _l("Decide the dispute"), Right.DECIDE_ALERT)
    def dispute(self, rows: Sequence[Any]) -> ResponseReturnValue | None:
        """Say how a disputed order ends; another officer must agree, or decide the alert that the gate raised."""
        form, actor, ref = request.form, current_actor(), rows[0].ref
        came, outcome = form.get("received", "").strip(), form.get("outcome", "")
        seen = {
            "received": typed.money(came, fiat(rows[0].currency)) if came else None,
            "payer_name": form.get("payer_name", ""),
        }
        said = disputes.decide(actor, ref, outcome, form.get("narrative", ""), **seen)
        if said.alert:
            flash(_("An alert keeps the release back. Two officers decide it here, with what the gate saw."), "warning")
            return redirect(url_for("AlertsDesk.show", key=said.alert))
        flash(decisions.proposed(outcome, queries.order(actor, ref)), "ok")
        return None

    @deed("dispute_second", _l("Second decision"), Right.DECIDE_ALERT)
    def dispute_second(self, rows: Sequence[Any]) -> None:
        """Agree to or turn down another officer's decision about a dispute."""
        actor, ref = current_actor(), rows[0].ref
        agree = read_yes(request.form.get("approve", ""))
        before, asked = queries.order(actor, ref), alert_listing.dispute_request(actor, ref)
        done = disputes.second(actor, ref, agree, request.form.get("why", ""))
        if done.decided and asked is not None:
            what = decisions.effect(asked.payload["outcome"], before)
            flash(_("The dispute is decided: %(what)s", what=what), "ok")
        else:
            flash(_("The decision is turned down."), "ok")


def _sees_customers() -> bool:
    actor = actor_or_none()
    return actor is None or sees_customers(actor)


def _pays_fees() -> bool:
    actor = actor_or_none()
    return actor is not None and actor.scope is Scope.MERCHANT


def read_yes(text: str) -> bool:
    """Return what a yes or no button sent, else refuse with `bad_input`."""
    if text not in {"yes", "no"}:
        raise BadInput(_("Choose yes or no."), field="approve")
    return text == "yes"


def confirmed(actor: Actor, ref: str, currency: str) -> tuple[str, str]:
    """Confirm an order from the form of this request; return the words for the acceptor and their tone."""
    received = typed.money(request.form.get("received", ""), fiat(currency))
    # The name on the bank line, as the acceptor reads it: without it the names could not be compared.
    payer_name = read_line(request.form.get("payer_name", ""), "payer.name")
    state = release.confirm(actor, ref, received=received, payer_name=payer_name)
    if state is State.COMPLETED:
        return _("Received and paid out: %(ref)s.", ref=ref), "ok"
    return _("Received. The payout of %(ref)s is under review; nothing more is needed from you.", ref=ref), "warning"


@menu.badge("orders")
def _open_now(actor: Actor) -> menu.Count | None:
    number = listing.count_open(actor)
    return menu.Count(number) if number else None
