"""How an order is opened: what was seen in one look, whether it may be, and what each outcome means."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from core import ids
from core.errors import BadInput, Barred, Conflict, Frozen, NotFound, QuoteExpired
from core.orders import dispatch
from core.orders.locking import moment
from core.orders.states import NEXT_ACTOR, Event, step
from core.steps import step as call

if TYPE_CHECKING:
    from core.steps import Row

CREATED = step(None, Event.OPEN)
MATCHED = step(CREATED, Event.MATCH)
QUEUED = step(CREATED, Event.QUEUE)
REFUSED = step(CREATED, Event.REFUSE)


class Seen(NamedTuple):
    """What `order_open_look` found, with what the decision needs as numbers."""

    row: Row
    at: datetime
    usdt_units: int
    margin_units: int
    fiat_units: int
    candidates: list[list[int]]
    path: list[list[int]]
    path_codes: list[str]
    vector: list[int]


def numbers(array: str | None) -> list[Any]:
    """Return a PostgreSQL array of whole numbers, nested or not, as lists."""
    if array is None:
        return []
    found: list[Any] = json.loads(array.replace("{", "[").replace("}", "]"))
    return found


def look(merchant_id: int, quote_ref: str, customer: str, blind: bytes) -> Seen:
    """Return all that is needed to open an order, if it may be opened from that quote.

    Refuses with not_found, frozen, bad_input, quote_expired, conflict or barred.
    """
    row = call(
        "order_open_look",
        {
            "merchant": merchant_id,
            "quote": ids.check(quote_ref, "quo"),
            "customer": customer,
            "blind": blind,
            "at": moment(),
            "slot": dispatch.slot(),
        },
    )
    if row is None or row["quote_id"] is None:
        raise NotFound(f"there is no quote {quote_ref} among yours; ask for a new one", quote=quote_ref)
    _may_open(row, quote_ref)
    return Seen(
        row,
        datetime.fromisoformat(row["at"] or ""),
        int(row["usdt_units"] or 0),
        int(row["margin_units"] or 0),
        int(row["fiat_units"] or 0),
        numbers(row["candidates"]),
        numbers(row["path"]),
        (row["path_codes"] or "{}")[1:-1].replace('"', "").split(","),
        numbers(row["vector"]),
    )


def _may_open(row: Row, quote_ref: str) -> None:
    if row["merchant_state"] != "active":
        raise Frozen(f"merchant {row['merchant_code']} is {row['merchant_state']}", state=row["merchant_state"])
    if row["kind"] != "deposit":
        raise BadInput("this quote is for a withdrawal", quote=quote_ref)
    if row["expired"] == "t":
        raise QuoteExpired(f"{quote_ref} has expired; ask for a new quote", quote=quote_ref)
    if row["pool_state"] != "open":
        raise Conflict("this pool is paused; ask for a new quote later", pool_state=row["pool_state"])
    if row["customer_state"] == "barred":
        raise Barred("this customer may not do business here", customer="barred")


_AS_SEEN = {
    "at": "at", "agent": "agent_id", "pool": "pool_id", "quote": "quote_id", "customer": "customer_id",
    "payer": "payer_id", "currency": "currency", "fiat": "fiat_units", "rate": "rate_price", "usdt": "usdt_units",
    "fee": "fee_units", "schedule": "fee_schedule_id",
}  # fmt: skip


def as_seen(row: Row) -> dict[str, str | None]:
    """Return the facts of an order that the look and its quote fix."""
    return {fact: row[column] for fact, column in _AS_SEEN.items()}


def course(seen: Seen, *, refused: bool) -> dict[str, object]:
    """Return what can become of the order: whom to try, and state, deadline and next actor of each outcome."""
    if refused:
        return _facts(dispatch.Plan([], [], [], None), None, None, REFUSED, Event.REFUSE, None, "gate G1")
    policy, version = seen.row["policy"] or "", seen.row["policy_version"] or "1"
    need = {"need_units": seen.usdt_units, "fiat_units": seen.fiat_units}
    disputed = numbers(seen.row["disputed"])
    plan = dispatch.plan(policy, version, seen.candidates, **need, disputed=disputed)
    if not plan.accounts:
        found = dispatch.wider(int(seen.row["pool_id"] or 0), seen.at, **need)
        plan = dispatch.plan(policy, version, found, **need, disputed=disputed) if found else plan
    pay_until = seen.at + timedelta(seconds=int(seen.row["pay_seconds"] or 0))
    wait_until = seen.at + timedelta(seconds=dispatch.WAIT_SECONDS)
    return _facts(plan, ids.new("jrn"), pay_until, QUEUED, Event.QUEUE, wait_until, "")


def _facts(
    plan: dispatch.Plan, entry: str | None, pay_until: datetime | None,
    other: str, other_event: str, other_deadline: datetime | None, why: str,
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
        "candidates": None if told["candidates"] is None else json.dumps(told["candidates"]),
        "created": CREATED,
        "matched": MATCHED,
        "matched_event": Event.MATCH,
        "matched_next": NEXT_ACTOR[MATCHED],
        "matched_deadline": pay_until,
        "other": other,
        "other_event": other_event,
        "other_next": NEXT_ACTOR[QUEUED if other == QUEUED else REFUSED],
        "other_deadline": other_deadline,
        "other_reason": why,
    }
