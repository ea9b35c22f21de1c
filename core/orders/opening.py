"""How an order is opened: what was seen in one look, whether it may be, and what each outcome means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import ids
from core.errors import BadInput, Barred, Conflict, Frozen, NotFound, QuoteExpired
from core.orders import dispatch, terms
from core.orders.locking import moment
from core.orders.states import NEXT_ACTOR, Event, step
from core.steps import as_json
from core.steps import step as call

if TYPE_CHECKING:
    from core.steps import Row

SAME_TERMS = "terms_are_the_same"
"""What the database calls its refusal of an opening whose terms are not those any more that it looked at."""
SAME_CUSTOMER = "customer_is_the_same"
"""What it calls its refusal where another order of that customer was stored since the look: a gate counts them."""
CREATED = step(None, Event.OPEN)
MATCHED = step(CREATED, Event.MATCH)
QUEUED = step(CREATED, Event.QUEUE)
REFUSED = step(CREATED, Event.REFUSE)
_MATCHED = {
    "created": CREATED.value,
    "matched": MATCHED.value,
    "matched_event": Event.MATCH.value,
    "matched_next": NEXT_ACTOR[MATCHED].value,
}


def look(merchant_id: int, quote_ref: str, customer: str, blind: bytes) -> Row:
    """Return all that is needed to open an order, as `order_open_look` found it, if it may be opened from that quote.

    Refuses with not_found, frozen, bad_input, quote_expired, conflict or barred.
    """
    facts = {
        "merchant": merchant_id,
        "quote": ids.check(quote_ref, "quo"),
        "customer": customer,
        "blind": blind,
        "at": moment(),
        "draw": dispatch.draw(),
    }
    known = terms.of(merchant_id)
    row = _looked(facts, known)
    whole = row if row["told"] else known.with_(row)
    if whole is None:
        whole = row = _looked(facts, terms.NOTHING)
    if row["told"]:
        terms.keep(merchant_id, row)
    _may_open(whole, quote_ref)
    return whole


def _looked(facts: dict[str, object], known: terms.Terms) -> Row:
    row = call("order_open_look", facts | known.facts())
    if row is None:
        quote_ref = facts["quote"]
        raise NotFound(f"there is no quote {quote_ref} among yours; ask for a new one", quote=quote_ref)
    return row


def _may_open(row: Row, quote_ref: str) -> None:
    if row["merchant_state"] != "active":
        raise Frozen(f"merchant {row['merchant_code']} is {row['merchant_state']}", state=row["merchant_state"])
    if row["kind"] != "deposit":
        raise BadInput("this quote is for a withdrawal", quote=quote_ref)
    if row["expired"]:
        raise QuoteExpired(f"{quote_ref} has expired; ask for a new quote", quote=quote_ref)
    if row["pool_state"] != "open":
        raise Conflict("this pool is paused; ask for a new quote later", pool_state=row["pool_state"])
    if row["customer_state"] == "barred":
        raise Barred("this customer may not do business here", customer="barred")


_AS_SEEN = {
    "at": "at", "agent": "agent_id", "pool": "pool_id", "quote": "quote_id", "customer": "customer_id",
    "payer": "payer_id", "currency": "currency", "fiat": "fiat_units", "rate": "rate_price", "usdt": "usdt_units",
    "fee": "fee_units", "schedule": "fee_schedule_id", "number": "number", "turn": "customer_turn",
}  # fmt: skip


def as_seen(row: Row) -> dict[str, object]:
    """Return the facts of an order that the look and its quote fix."""
    return {fact: row[column] for fact, column in _AS_SEEN.items()}


def course(row: Row, *, refused: bool) -> dict[str, object]:
    """Return what can become of the order: whom to try, and state, deadline and next actor of each outcome."""
    if refused:
        return _facts(dispatch.Plan([], [], [], None), None, None, REFUSED, Event.REFUSE, None, "gate G1")
    policy, version, disputed = row["policy"], row["policy_version"], row["disputed"] or ()
    need = {"need_units": row["usdt_units"], "fiat_units": row["fiat_units"]}
    plan = dispatch.plan(policy, version, row["candidates"] or [], **need, disputed=disputed)
    if not plan.accounts:
        found = dispatch.wider(row["pool_id"], row["at"], **need)
        plan = dispatch.plan(policy, version, found, **need, disputed=disputed) if found else plan
    return _facts(plan, ids.new("jrn"), row["pay_seconds"], QUEUED, Event.QUEUE, dispatch.WAIT_SECONDS, "")


def _facts(
    plan: dispatch.Plan, entry: str | None, pay_seconds: int | None,
    other: str, other_event: str, other_seconds: int | None, why: str,
) -> dict[str, object]:  # fmt: skip
    told = plan.told or dict.fromkeys(("policy", "policy_version", "seed", "candidates"))
    return {
        "entry": entry,
        "pool_accounts": plan.pool_accounts,
        "accounts": plan.accounts,
        "acceptors": plan.acceptors,
        "policy": told["policy"],
        "policy_version": told["policy_version"],
        "seed": told["seed"],
        "candidates": None if told["candidates"] is None else as_json(told["candidates"]),
        **_MATCHED,
        "matched_seconds": pay_seconds,
        "other": other,
        "other_event": other_event,
        "other_next": NEXT_ACTOR[QUEUED if other == QUEUED else REFUSED],
        "other_seconds": other_seconds,
        "other_reason": why,
    }
