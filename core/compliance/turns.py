"""Whose turn an alert is: the next one is handed out to read, kept while its page is open, and given back at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from core import audit, clock, ids
from core.actor import Right
from core.compliance.alerts import WANTED
from core.db import reading, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.actor import Actor
    from core.db import Transaction

READING_SECONDS: Final = 2 * 60
"""So long what was handed out stays with its reader after the last sign of an open page; what is taken stays longer."""

# Each order's first waiting alert of a gate stands for all of them: two officers who ask at once meet on that
# one row, and the second takes another. What one has decided oneself waits for somebody else. What the officer has
# passed over comes last, the longest ago first.
_WANTED: Final = f"""
  from alert a join orders o on o.id = a.order_id
 where (a.state = 'open' or (a.state = 'pending_second' and a.proposed_by <> %(who)s))
   and (a.locked_until is null or a.locked_until <= %(at)s or (%(own)s and a.locked_by = %(who)s))
   and not exists (select 1 from alert b where b.order_id = a.order_id and b.gate = a.gate
                      and b.state = a.state and b.id < a.id)
 order by coalesce(%(own)s and a.locked_by = %(who)s and a.locked_until > %(at)s, false) desc,
          array_position(%(passed)s::text[], a.ref) nulls first, {WANTED} limit 1
"""  # noqa: S608 - our own words
_NEXT: Final = f"""
with best as (select a.order_id, a.gate, a.state {_WANTED} for update of a skip locked)
update alert x set locked_by = %(who)s, locked_until = %(until)s
  from best where x.order_id = best.order_id and x.gate = best.gate and x.state = best.state
returning x.id, x.ref, x.order_id
"""  # noqa: S608 - our own words
_PUT_BACK: Final = """
update alert set locked_by = null, locked_until = null
 where locked_by = %(who)s and locked_until > %(at)s and locked_until <= %(until)s {which}
returning id, ref, order_id
"""


def next_alert(actor: Actor, *, passed: Sequence[str] = ()) -> str | None:
    """Hand out the alert that is wanted most and nobody has; return its ref, None if none waits.

    Orders with held money come first, then orders that still wait, each by risk x amount x age; then what is over
    already, by its deadline.
    What the actor was handed before goes back to the queue. Those that wait for a second officer count for all but the
    first. `passed` are alerts the actor has passed over: they come last. One statement chooses and takes, so that two
    officers who ask at once get two alerts. Refuses with forbidden.
    """
    actor.must(Right.DECIDE_ALERT)
    asked = _asked(actor, passed)
    with transaction() as tx:
        _put_back(tx, actor, asked, "")
        rows = tx.raw.execute(_NEXT, asked).fetchall()
        if not rows:
            return None
        _, ref, order_id = min(rows)
        audit.write(tx, actor, "alert.take", ref, order_id=order_id)
    return str(ref)


def offered(actor: Actor, *, passed: Sequence[str] = ()) -> str | None:
    """Return which alert would come next, what the actor has taken first; it is nobody's by that. Raises Forbidden."""
    actor.must(Right.DECIDE_ALERT)
    with reading() as tx:
        rows = tx.raw.execute(f"select a.ref {_WANTED}", _asked(actor, passed, own=True)).fetchall()
    return str(rows[0][0]) if rows else None


def keep(actor: Actor, ref: str) -> bool:
    """Say that the page of an alert that was handed out is still open; return whether it is still the actor's.

    Refuses with forbidden or bad_input.
    """
    actor.must(Right.DECIDE_ALERT)
    now = clock.now()
    with transaction() as tx:
        kept = tx.run(
            "update alert x set locked_until = greatest(x.locked_until, %s) from alert a where a.ref = %s"
            " and x.order_id = a.order_id and x.gate = a.gate and x.locked_by = %s and x.locked_until > %s",
            (now + timedelta(seconds=READING_SECONDS), ids.check(ref, "alr"), actor.name, now),
        )
    return kept > 0


def leave(actor: Actor, ref: str) -> bool:
    """Say that the page was left: what was handed out goes back, what was taken stays; return whether it went back.

    Refuses with forbidden or bad_input.
    """
    actor.must(Right.DECIDE_ALERT)
    which = "and (order_id, gate) = (select a.order_id, a.gate from alert a where a.ref = %(ref)s)"
    with transaction() as tx:
        return _put_back(tx, actor, _asked(actor) | {"ref": ids.check(ref, "alr")}, which)


def _asked(actor: Actor, passed: Sequence[str] = (), *, own: bool = False) -> dict[str, Any]:
    now = clock.now()
    until = now + timedelta(seconds=READING_SECONDS)
    return {"at": now, "until": until, "who": actor.name, "own": own, "passed": list(passed)}


def _put_back(tx: Transaction, actor: Actor, asked: dict[str, Any], which: str) -> bool:
    """Give back what was handed out; what was taken for longer stays. Each order's stands in the trail once."""
    rows = tx.raw.execute(_PUT_BACK.format(which=which), asked).fetchall()
    firsts: dict[int, str] = {order_id: ref for _, ref, order_id in sorted(rows, reverse=True)}
    for order_id, ref in firsts.items():
        audit.write(tx, actor, "alert.put_back", ref, order_id=order_id)
    return bool(rows)
