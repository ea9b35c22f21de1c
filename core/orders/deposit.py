"""A deposit's first half: opened from a quote, matched, claimed as paid, or cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from core import countries, ids, vault, words
from core.actor import Actor, Right, Scope
from core.commissions import path
from core.db import transaction
from core.errors import BadInput, Changed, NotFound, TooLate, sentence
from core.orders import opening, reference
from core.orders.ending import end
from core.orders.input import account_number, moment_of, payer_facts, text
from core.orders.locking import actor_facts, after, locked, moment, taken
from core.orders.states import NEXT_ACTOR, DisputeState, Event, RiskState, State, step
from core.risk import gates
from core.steps import as_json
from core.steps import step as call

if TYPE_CHECKING:
    from datetime import datetime

    from core.steps import Row


_LOOKS: Final = 8
"""How often an opening looks when terms or customer change under its hands."""


@dataclass(frozen=True, slots=True)
class DepositRequest:
    """What a merchant sends to open a deposit; the payer's account is declared before payment."""

    quote_ref: str
    merchant_order_id: str
    customer_id: str
    customer_name: str
    payer_account: str
    payer_name: str
    customer_country: str = ""


class Opened(NamedTuple):
    """The answer to an opened deposit: where it stands, until when, who was matched (None: nobody yet)."""

    ref: str
    state: State
    deadline_at: datetime | None
    pay_code: str
    acceptor_id: int | None


def open_order(actor: Actor, request: DepositRequest) -> Opened:
    """Open a deposit from a quote: gate G1, then the reserve of a matched acceptor is frozen.

    Returns the order in `awaiting_payment`, `matching` (nobody can serve it yet) or `refused` (gate G1).
    Refuses with not_found, quote_expired, already_done, frozen, barred or bad_input; nothing has changed then.
    """
    actor.must(Right.OPEN_ORDER)
    if actor.scope is not Scope.MERCHANT or actor.party_id is None:
        raise BadInput("only a merchant opens orders", role=actor.role)
    external = text(request.merchant_order_id, "merchant_order_id")
    customer = text(request.customer_id, "customer.id")
    name = text(request.customer_name, "customer.name")
    payer_name = text(request.payer_name, "payer.name")
    account = account_number(request.payer_account)
    country = countries.read(request.customer_country, "customer.country")
    told = _Told(external, customer, name, payer_name, account, vault.blind(account), country)
    for _ in range(_LOOKS - 1):
        try:
            return _open(actor, actor.party_id, request.quote_ref, told)
        except Changed as changed:
            # An officer was quicker (a merchant suspended, a pool paused), or this customer with another order: look
            # again, and answer by what is now.
            if changed.facts.get("constraint") not in {opening.SAME_TERMS, opening.SAME_CUSTOMER}:
                raise
    return _open(actor, actor.party_id, request.quote_ref, told)


class _Told(NamedTuple):
    """A request's own words, read."""

    external: str
    customer: str
    name: str
    payer_name: str
    account: str
    blind: bytes
    country: str


def _open(actor: Actor, merchant_id: int, quote_ref: str, told: _Told) -> Opened:
    external, customer, name, payer_name, account, blind, country = told
    row = opening.look(merchant_id, quote_ref, customer, blind)
    ref, pay_code = ids.new("ord"), reference.new()
    gate = gates.opening(row, payer_name=payer_name, customer_name=name, country=country)
    amounts = {"usdt_units": row["usdt_units"], "margin_units": row["margin_units"]}
    shares = path.frozen(row["path"] or [], row["path_codes"] or [], "deposit", **amounts)
    facts = {
        "ref": ref,
        "external": external,
        "merchant": merchant_id,
        "customer_ref": ids.new("cus") if row["customer_id"] is None else None,
        "customer_external": customer,
        "customer_name": name,
        "customer_country": country,
        **_payer(row["payer_id"], account, blind),
        "payer_name": payer_name,
        "split": as_json(shares),
        "pay_code": pay_code,
        "risk_state": gate.risk_state,
        **opening.as_seen(row),
        **gate.facts(),
        **opening.course(row, refused=gate.refused),
        **actor_facts(actor),
    }
    return _opened(ref, pay_code, call("order_open", facts))


def _opened(ref: str, pay_code: str, done: Row | None) -> Opened:
    assert done is not None  # noqa: S101 - the function always answers with one row
    return Opened(ref, State(done["state"]), done["deadline_at"], pay_code, done["acceptor_id"])


def _payer(known: int | None, account: str, blind: bytes) -> dict[str, object]:
    """Return what a payer account that is not known yet is stored as; a known one is not sealed again."""
    if known is None:
        return payer_facts(account, blind)
    return _KNOWN


_KNOWN: Final[dict[str, object]] = dict.fromkeys(("payer_ref", "payer_blind", "payer_sealed", "payer_masked"))


def claim_paid(
    actor: Actor, ref: str, *, payer_name: str, payer_account: str, paid_at: datetime | None = None, reason: str = ""
) -> State:
    """The customer says it has paid: the acceptor now has its time to confirm. Returns `paid_claimed`.

    The order's merchant tells it. Where that one cannot, because it was barred, the desk does and says why it knows
    (`reason`, up to 280 letters, on the trail): what is open goes on, whoever may still speak.
    Refuses with wrong_state, too_late (the pay window is over, expired or not yet), not_found or bad_input.
    """
    actor.must(Right.CLAIM_PAID)
    why = words.reason(reason, longest=280) if actor.scope is Scope.ALL else ""
    name = text(payer_name, "payer.name")
    account = account_number(payer_account)
    paid = moment_of(paid_at, "paid_at")
    before = State.AWAITING_PAYMENT
    target = step(before, Event.CLAIM_PAID)
    blind = vault.blind(account)
    facts = {
        "ref": ids.check(ref, "ord"),
        "merchant": _merchant(actor),
        "at": moment(),
        "from": before,
        "to": target,
        "next": NEXT_ACTOR[target],
        "payer_name": name,
        "paid_at": paid,
        **_KNOWN,
        "payer_blind": blind,
        "reason": why,
        **actor_facts(actor),
    }
    found = call("order_claim", facts)
    if found is not None and found["stranger"]:
        found = call("order_claim", facts | payer_facts(account, blind))
    if found is None:
        raise NotFound(f"there is no order {ref} among yours", ref=ref)
    if not found["done"]:
        _not_claimed(actor, ref, found)
    return target


def _not_claimed(actor: Actor, ref: str, found: Row) -> NoReturn:
    """Say why a claim was not taken, by what the database found of the order."""
    if found["state"] == State.EXPIRED:
        raise TooLate(sentence("the time to pay %(ref)s is over, it has expired; open a new order", ref=ref), ref=ref)
    stands = RiskState(found["risk_state"]), DisputeState(found["dispute_state"])
    taken(actor, State(found["state"]), Event.CLAIM_PAID, *stands)
    if found["late"]:
        raise TooLate(
            sentence("the time to pay %(ref)s ended at %(due)s; open a new order", ref=ref, due=found["deadline_at"]),
            ref=ref,
        )
    if found["early"]:
        opened = {"ref": ref, "opened": found["opened_at"]}
        raise BadInput(
            sentence(
                "%(field)s lies more than a week before %(ref)s was opened, at %(opened)s", field="paid_at", **opened
            ),
            field="paid_at",
        )
    if found["future"]:
        raise BadInput(sentence("%(field)s lies in the future", field="paid_at"), field="paid_at")
    raise Changed("somebody else is changing this right now; try again")


def _merchant(actor: Actor) -> int | None:
    """Return the merchant whose orders the actor may claim: None for all, 0 for nobody's."""
    if actor.scope is Scope.ALL:
        return None
    return (actor.party_id or 0) if actor.scope is Scope.MERCHANT else 0


def cancel(actor: Actor, ref: str, *, reason: str) -> State:
    """Call an order off before anybody says it is paid; what was frozen returns. Returns `cancelled`."""
    why = text(reason, "reason", longest=280)
    with transaction() as tx:
        order = locked(tx, actor, Right.CANCEL_ORDER, ref)
        target = after(order, Event.CANCEL, actor)
        end(tx, actor, order, Event.CANCEL, target, reason=why, fact="order_cancelled")
    return target
