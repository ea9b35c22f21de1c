"""A deposit's first half: opened from a quote, matched, claimed as paid, or cancelled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from core import ids, vault
from core.actor import Actor, Right, Scope
from core.commissions import path
from core.db import transaction
from core.errors import AlreadyDone, BadInput, Barred, Conflict, Frozen, NotFound, QuoteExpired, TooLate
from core.money import USDT, Money
from core.orders import dispatch, reference
from core.orders.locking import after, base, event_row, locked, moment, told
from core.orders.states import LIVE_ESCROW, NEXT_ACTOR, Event, RiskState, State, step
from core.risk import gates

if TYPE_CHECKING:
    from core.db import Transaction

_CREATED = step(None, Event.OPEN)
_MATCHED = step(_CREATED, Event.MATCH)
_QUEUED = step(_CREATED, Event.QUEUE)
_REFUSED = step(_CREATED, Event.REFUSE)
_LONGEST = {"merchant_order_id": 64, "customer.id": 64, "customer.name": 140, "payer.name": 140, "payer.account": 64}
_ACCOUNT = (4, 40)


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
    """The answer to an opened deposit: whose move it is, until when, and where the customer pays."""

    ref: str
    state: State
    deadline_at: datetime | None
    pay_code: str
    pay_to: dict[str, Any] | None


def text(value: object, field: str, *, longest: int = 0) -> str:
    """Return a line of text without its outer blanks, else refuse with `bad_input` that names the field."""
    longest = longest or _LONGEST[field]
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"{field} is missing", field=field)
    line = value.strip()
    if len(line) > longest:
        raise BadInput(f"{field} has {len(line)} characters; at most {longest}", field=field)
    if not line.isprintable() or any(0x200B <= ord(c) <= 0x200F or 0x202A <= ord(c) <= 0x202E for c in line):
        raise BadInput(f"{field} has characters that cannot be printed", field=field)
    return line


def account_number(value: object) -> str:
    """Return a payer's account number in the form it is compared, else refuse with `bad_input`."""
    plain = vault.normalise_account(text(value, "payer.account"))
    if not (_ACCOUNT[0] <= len(plain) <= _ACCOUNT[1] and plain.isascii()):
        raise BadInput(
            f"payer.account has {_ACCOUNT[0]} to {_ACCOUNT[1]} letters and digits", field="payer.account"
        )
    return plain


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
    country = _country(request.customer_country)
    blind = vault.blind(account)
    with transaction() as tx:
        seen: dict[str, Any] | None = tx.call(
            "select order_open_context(%s, %s, %s, %s, %s, %s)",
            (actor.party_id, ids.check(request.quote_ref, "quo"), customer, blind, moment(), dispatch.slot()),
        )
        quote = _may_open(seen, request.quote_ref)
        assert seen is not None  # noqa: S101 - _may_open has refused None
        ref = ids.new("ord")
        shares = path.frozen(tx, seen["path"], "deposit", usdt_units=quote["usdt_units"], fee_units=quote["fee_units"])
        gate = gates.opening(tx, seen, units=quote["usdt_units"], payer_name=payer_name, customer_name=name)
        facts: dict[str, Any] = {
            **quote_facts(quote),
            "at": seen["at"],
            "ref": ref,
            "external_ref": external,
            "merchant_id": actor.party_id,
            "agent_id": seen["agent_id"],
            "payer_name": payer_name,
            "pay_code": reference.new(),
            "split": shares,
            "gate": gate.facts(),
            "risk_state": gate.risk_state,
            "actor": told(actor),
            "tries": [],
        }
        facts |= _customer(seen, customer, name, country) | _payer(seen, account, blind)
        facts |= _course(tx, seen, quote, gate.refused, facts)
        done: dict[str, Any] = tx.call("select order_open(%s)", (json.dumps(facts),))
    deadline = done["deadline_at"]
    return Opened(
        ref,
        State(done["state"]),
        datetime.fromisoformat(deadline) if deadline else None,
        facts["pay_code"],
        done["pay_to"],
    )


def quote_facts(quote: dict[str, Any]) -> dict[str, Any]:
    """Return the part of an order that its quote fixes."""
    keys = ("pool_id", "currency", "fiat_units", "rate_price", "usdt_units", "fee_units", "fee_schedule_id")
    return {"quote_id": quote["id"], **{key: quote[key] for key in keys}}


def _country(given: str) -> str:
    if given and not (len(given) == 2 and given.isascii() and given.isalpha()):
        raise BadInput("customer.country is two letters (ISO 3166), for example BR", field="customer.country")
    return given.upper()


def _may_open(seen: dict[str, Any] | None, quote_ref: str) -> dict[str, Any]:
    """Return the quote if the merchant may open an order from it, else refuse."""
    if seen is None or seen["quote"] is None:
        raise NotFound(f"there is no quote {quote_ref} among yours; ask for a new one", quote=quote_ref)
    quote: dict[str, Any] = seen["quote"]
    if seen["merchant_state"] != "active":
        raise Frozen(f"merchant {seen['merchant_code']} is {seen['merchant_state']}", state=seen["merchant_state"])
    if quote["kind"] != "deposit":
        raise BadInput("this quote is for a withdrawal", quote=quote_ref)
    if quote["taken"]:
        raise AlreadyDone(f"an order was already made from {quote_ref}", quote=quote_ref)
    if quote["expired"]:
        raise QuoteExpired(f"{quote_ref} has expired; ask for a new quote", quote=quote_ref)
    if quote["pool_state"] != "open":
        raise Conflict("this pool is paused; ask for a new quote later", pool_state=quote["pool_state"])
    if seen["customer"] is not None and seen["customer"]["state"] == "barred":
        raise Barred("this customer may not do business here", customer="barred")
    return quote


def _customer(seen: dict[str, Any], external: str, name: str, country: str) -> dict[str, Any]:
    if seen["customer"] is not None:
        return {"customer_id": seen["customer"]["id"]}
    return {
        "customer_id": None,
        "customer": {"ref": ids.new("cus"), "external_id": external, "name": name, "country": country},
    }


def _payer(seen: dict[str, Any], account: str, blind: bytes) -> dict[str, Any]:
    if seen["payer"] is not None:
        return {"payer_id": seen["payer"]["id"]}
    return {"payer_id": None, "payer": payer_row(account, blind)}


def payer_row(account: str, blind: bytes) -> dict[str, str]:
    """Return a payer account as it is stored: sealed, findable by its blind index, masked for the screen."""
    return {
        "ref": ids.new("pay"),
        "blind": blind.hex(),
        "sealed": vault.seal(account).hex(),
        "masked": vault.mask_account(account),
    }


def _course(
    tx: Transaction, seen: dict[str, Any], quote: dict[str, Any], refused: bool, facts: dict[str, Any]  # noqa: FBT001
) -> dict[str, Any]:
    """Return what each possible outcome means: its state, deadline, next actor and events."""
    opened = event_row(Event.OPEN, None, _CREATED)
    if refused:
        return {
            "state_unmatched": _REFUSED,
            "next_actor": {_REFUSED: NEXT_ACTOR[_REFUSED]},
            "deadline": {},
            "ended": "true",
            "events": {_REFUSED: [opened, event_row(Event.REFUSE, _CREATED, _REFUSED, reason="gate G1")]},
        }
    need, fiat = quote["usdt_units"], quote["fiat_units"]
    chosen = dispatch.plan(
        quote["policy"], quote["policy_version"], seen["candidates"], need_units=need, fiat_units=fiat
    )
    if not chosen.tries:
        found = dispatch.wider(tx, quote["pool_id"], seen["at"], need_units=need, fiat_units=fiat)
        if found:
            chosen = dispatch.plan(quote["policy"], quote["policy_version"], found, need_units=need, fiat_units=fiat)
    at = datetime.fromisoformat(seen["at"])
    return {
        "state_matched": _MATCHED,
        "state_unmatched": _QUEUED,
        "entry": ids.new("jrn"),
        "tries": chosen.tries,
        "dispatch": chosen.dispatch,
        "next_actor": {_MATCHED: NEXT_ACTOR[_MATCHED], _QUEUED: NEXT_ACTOR[_QUEUED]},
        "deadline": {
            _MATCHED: (at + timedelta(seconds=quote["pay_seconds"])).isoformat(),
            _QUEUED: (at + timedelta(seconds=dispatch.WAIT_SECONDS)).isoformat(),
        },
        "events": {
            _MATCHED: [opened, event_row(Event.MATCH, _CREATED, _MATCHED)],
            _QUEUED: [opened, event_row(Event.QUEUE, _CREATED, _QUEUED)],
        },
    }


def claim_paid(actor: Actor, ref: str, *, payer_name: str, payer_account: str, paid_at: datetime | None = None) -> State:
    """The customer says it has paid: the acceptor now has its time to confirm. Returns `paid_claimed`.

    Refuses with wrong_state, too_late (the pay window is over), not_found or bad_input.
    """
    name = text(payer_name, "payer.name")
    account = account_number(payer_account)
    blind = vault.blind(account)
    with transaction() as tx:
        order = locked(tx, actor, Right.CLAIM_PAID, ref)
        target = after(order, Event.CLAIM_PAID)
        at = datetime.fromisoformat(order["at"])
        if order["late"]:
            raise TooLate(f"the time to pay {ref} ended at {order['deadline_at']}; open a new order", ref=ref)
        if paid_at is not None and paid_at > at + timedelta(minutes=5):
            raise BadInput("paid_at lies in the future", field="paid_at")
        facts = base(order, actor) | {
            "change": {
                "state": target,
                "next_actor": NEXT_ACTOR[target],
                "deadline_at": (at + timedelta(seconds=order["confirm_seconds"])).isoformat(),
                "payer_name": name,
                "claimed_at": order["at"],
                "paid_at": (paid_at or at).isoformat(),
            },
            "payer": payer_row(account, blind),
            "events": [event_row(Event.CLAIM_PAID, order["state"], target)],
        }
        tx.call("select order_claim(%s)", (json.dumps(facts),))
    return target


def cancel(actor: Actor, ref: str, *, reason: str) -> State:
    """Call an order off before anybody says it is paid; what was frozen returns. Returns `cancelled`."""
    why = text(reason, "reason", longest=280)
    with transaction() as tx:
        order = locked(tx, actor, Right.CANCEL_ORDER, ref)
        target = after(order, Event.CANCEL)
        end(tx, actor, order, Event.CANCEL, target, reason=why, fact="order_cancelled")
    return target


def end(
    tx: Transaction, actor: Actor, order: dict[str, Any], event: Event, target: State, *, reason: str, fact: str,
    risk_state: RiskState | None = None,
) -> None:  # fmt: skip
    """End a locked order without a release; a frozen reserve returns to its acceptor."""
    facts = base(order, actor) | {
        "change": {
            "state": target,
            "next_actor": NEXT_ACTOR[target],
            "ended_at": order["at"],
            "deadline_at": None,
            "risk_state": risk_state or order["risk_state"],
        },
        "fact": fact,
        "events": [event_row(event, order["state"], target, reason=reason)],
    }
    if State(order["state"]) in LIVE_ESCROW:
        facts["entry"] = ids.new("jrn")
    tx.call("select order_end(%s)", (json.dumps(facts),))


def worth(order: dict[str, Any]) -> Money:
    """Return the USDT an order freezes."""
    return Money(order["usdt_units"], USDT)
