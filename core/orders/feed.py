"""What a party's programs ask: its orders' events, none skipped or twice; an order by its own number."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.actor import Right
from core.db import reading
from core.orders.scope import condition

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor

WINDOW = 20_000
"""Rows of the outbox looked through for one page, so that a page costs the same whatever the history."""

# Only rows whose transaction, and every one before it, has ended: behind the cursor nothing can appear later.
_FEED = """
with seen as materialized (
    select b.xid, b.id, b.order_id, b.event, b.to_state, b.happened_at from outbox b
     where b.xid >= %s::xid8 and (b.xid, b.id) > (%s::xid8, %s)
       and b.xid < pg_snapshot_xmin(pg_current_snapshot())
     order by b.xid, b.id limit %s)
select s.xid::text, s.id, s.event, s.to_state, s.happened_at, o.ref, o.external_ref,
       (select count(*) from seen), l.xid::text, l.id
  from (select xid, id from seen order by xid desc, id desc limit 1) l
  left join (seen s join orders o on o.id = s.order_id and s.event <> all (%s) and {scope}) on true
 order by s.xid, s.id limit %s
"""

_INSIDE = ["remind"]
"""Events that are nobody's business outside."""

_TOLD = {"stop": "under_review"}
"""Events told under another name: that an order is looked at, never why."""


class Place(NamedTuple):
    """A place in the feed: after the row `row` of the transaction `xid`."""

    xid: int = 0
    row: int = 0


class Event(NamedTuple):
    """One thing that happened to one of the party's orders."""

    place: Place
    name: str
    order_ref: str
    external_ref: str
    state: str | None
    at: datetime


class Page(NamedTuple):
    """Events in the order they were stored, where to go on, and whether there is more already."""

    events: list[Event]
    next: Place
    more: bool


def events(actor: Actor, after: Place, *, limit: int = 100) -> Page:
    """Return the events of the actor's orders behind a place. Raises Forbidden.

    A page may be short or empty and still say that there is more: it has looked through `WINDOW` rows of all.
    """
    actor.must(Right.SEE_ORDERS)
    scope, args = condition(actor)
    with reading() as tx:
        rows = tx.rows(
            _FEED.format(scope=scope),
            (str(after.xid), str(after.xid), after.row, WINDOW, _INSIDE, *args, limit + 1),
        )
    if not rows:
        return Page([], after, more=False)
    looked, last = rows[0][7], Place(int(rows[0][8]), rows[0][9])
    found = [
        Event(Place(int(xid), row), _TOLD.get(event, event), ref, external, state, at)
        for xid, row, event, state, at, ref, external, *_ in rows
        if row is not None
    ]
    if len(found) > limit:
        return Page(found[:limit], found[limit - 1].place, more=True)
    return Page(found, last, more=looked >= WINDOW)


def own_order(actor: Actor, external_ref: str, quote_ref: str) -> str | None:
    """Return the ref of the actor's order with its own number, made from that quote; None without one.

    Raises Forbidden.
    """
    actor.must(Right.SEE_ORDERS)
    scope, args = condition(actor)
    with reading() as tx:
        found: str | None = tx.call(
            "select o.ref from orders o join quote q on q.id = o.quote_id"  # noqa: S608 - our own condition
            f" where o.external_ref = %s and q.ref = %s and {scope}",
            (external_ref, quote_ref, *args),
        )
    return found


def took(actor: Actor, ref: str, *events: str) -> bool:
    """Return whether the trail has one of these events on an order of the actor's, as a step of the actor's own party.

    An order's merchant and its acceptor are one party each, so who else bears the actor's role is of its party; what
    officers did in an acceptor's place is no step of its. Raises Forbidden.
    """
    actor.must(Right.SEE_ORDERS)
    scope, args = condition(actor)
    with reading() as tx:
        found: bool = tx.call(
            "select exists (select 1 from audit a join orders o on o.id = a.order_id"  # noqa: S608 - our own condition
            f" where o.ref = %s and a.event = any(%s) and a.role = %s and {scope})",
            (ref, [str(each) for each in events], actor.role, *args),
        )
    return found
