"""A review past its deadline: which one was missed first, how often compliance was asked again, and when it is next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core.actor import Right
from core.db import reading
from core.orders.states import NextActor

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.orders.queries import OrderView

# An order that came before compliance a second time begins anew.
_ASKED = """
select min((r.details ->> 'was_due')::timestamptz), count(*) from audit r
 where r.order_id = %(order)s and r.action = 'order.remind'
   and r.at >= coalesce((select max(s.at) from audit s
                          where s.order_id = %(order)s and s.action in ('order.stop', 'order.dispute')), '-infinity')
"""


class Overdue(NamedTuple):
    """The first deadline that passed, how many times compliance was asked again, and when it is next.

    `due` is None where nothing is overdue, or was missed before the trail kept it; `next` is None while the order is
    not compliance's to move.
    """

    due: datetime | None
    asked: int
    next: datetime | None


def review(actor: Actor, view: OrderView) -> Overdue:
    """Return how a review of an order that the actor may see stands to its deadlines. Raises Forbidden."""
    actor.must(Right.SEE_ALERTS)
    with reading() as tx:
        due, asked = tx.raw.execute(_ASKED, {"order": view.id}).fetchall()[0]
    theirs = view.next_actor == NextActor.COMPLIANCE
    return Overdue(due, asked, view.deadline_at if theirs else None)
