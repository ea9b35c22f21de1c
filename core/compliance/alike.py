"""Many alerts alike are dismissed together: one rule at one acceptor, nothing stopped; a sample goes to a colleague."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core import clock, ids
from core.actor import Right
from core.compliance import choices, files
from core.compliance.alerts import ask_second
from core.db import reading, transaction
from core.errors import BadInput, NotFound, WrongState, sentence
from core.money import USDT, Money, fiat

if TYPE_CHECKING:
    from datetime import datetime

    from core.actor import Actor
    from core.db import Transaction

LEAST: Final = 2
MOST: Final = 50
"""So many alerts one decision dismisses."""
SAMPLE: Final = 10
"""One of so many is judged again, by another officer who sees it as any other case."""
CROWD: Final = 5
"""From so many on, alerts alike are offered together above the queue."""


class AlikeRow(NamedTuple):
    """One of the alerts, as the officer looks it over."""

    ref: str
    order_ref: str
    merchant: str
    reason: dict[str, Any]
    fiat: Money
    usdt: Money
    raised_at: datetime


class Alike(NamedTuple):
    """Alerts of one rule at one acceptor that stopped nothing: how many wait, and the oldest of them."""

    gate: str
    rule: str
    acceptor: str
    number: int
    rows: list[AlikeRow]


class Crowd(NamedTuple):
    """So many alike that they hide the rest of the queue; `ref` is the oldest."""

    rule: str
    acceptor: str
    number: int
    ref: str


class Dismissed(NamedTuple):
    """What became of them: the alerts that are closed, and those that another officer is asked about."""

    closed: tuple[str, ...]
    sampled: tuple[str, ...]


# What can be dismissed so: open and taken by nobody else, the only one of its order and gate, its order ended, its
# verdict `allow`. Whatever else is wrong with an order is judged for itself.
_FREE = """
  from alert a join orders o on o.id = a.order_id join party p on p.id = o.acceptor_id
 where a.state = 'open' and a.verdict = 'allow'
   and (a.locked_until is null or a.locked_until <= %(at)s or a.locked_by = %(who)s)
   and not exists (select 1 from order_waiting w where w.order_id = a.order_id)
   and not exists (select 1 from alert b where b.order_id = a.order_id and b.gate = a.gate and b.id <> a.id
                      and b.state <> 'closed')
"""
_SAME = " and a.gate = %(gate)s and a.rule = %(rule)s and o.acceptor_id = %(acceptor)s"
_OF = (
    "select a.gate, a.rule, o.acceptor_id, p.code from alert a join orders o on o.id = a.order_id"
    " left join party p on p.id = o.acceptor_id where a.ref = %s"
)
_ROWS = (
    "select a.ref, o.ref, m.code, a.reason, o.currency, o.fiat_units, o.usdt_units, a.raised_at"
    + _FREE.replace(" where ", " join party m on m.id = o.merchant_id where ", 1)
    + _SAME
    + " order by a.raised_at, a.id limit %(most)s"
)
_CROWDS = (
    "select a.rule, p.code, count(*), (array_agg(a.ref order by a.raised_at, a.id))[1]"
    + _FREE
    + " group by a.gate, a.rule, o.acceptor_id, p.code having count(*) >= %(crowd)s order by 3 desc, 1, 2 limit 5"
)


def of(actor: Actor, ref: str) -> Alike:
    """Return the alerts like that one. Refuses with forbidden, not_found or bad_input."""
    actor.must(Right.DECIDE_ALERT)
    with reading() as tx:
        gate, rule, acceptor, code = _named(tx, ref)
        asked = {"at": clock.now(), "who": actor.name, "gate": gate, "rule": rule, "acceptor": acceptor, "most": MOST}
        count = tx.raw.execute(f"select count(*) {_FREE} {_SAME}", asked).fetchall()[0][0]
        found = tx.raw.execute(_ROWS, asked).fetchall()
    rows = [AlikeRow._make((*row[:4], Money(row[5], fiat(row[4])), Money(row[6], USDT), row[7])) for row in found]
    return Alike(gate, rule, code or "", count, rows)


def crowds(actor: Actor) -> list[Crowd]:
    """Return the alerts that come in crowds, the largest first. Refuses with forbidden."""
    actor.must(Right.DECIDE_ALERT)
    with reading() as tx:
        asked = {"at": clock.now(), "who": actor.name, "crowd": CROWD}
        return [Crowd(*row) for row in tx.raw.execute(_CROWDS, asked).fetchall()]


def dismiss(actor: Actor, refs: list[str], disposition: str, narrative: str) -> Dismissed:
    """Dismiss 2 to 50 alerts alike with one disposition and one reason; all of them or none.

    One in ten, chosen by chance, waits for another officer, who agrees or opens it again. Every alert has its own
    row in the trail. Refuses with forbidden, not_found, bad_input, conflict while another officer has one, and
    wrong_state when they are not alike or one of them cannot be dismissed so.
    """
    actor.must(Right.DECIDE_ALERT)
    said = choices.read(choices.DISMISS, disposition, narrative)
    chosen = list(dict.fromkeys(refs))
    if not LEAST <= len(chosen) <= MOST:
        raise BadInput(
            sentence("choose %(least)s to %(most)s alerts", least=LEAST, most=MOST), field="rowid", count=len(chosen)
        )
    with transaction() as tx:
        taken = _locked(tx, actor, chosen)
        sampled = set(secrets.SystemRandom().sample(chosen, -(-len(chosen) // SAMPLE)))
        for file in taken:
            one = [file.alert_ref]
            if file.alert_ref in sampled:
                ask_second(tx, actor, file, one, choices.DISMISS, disposition, said)
            else:
                files.close(
                    tx, actor, file, one,
                    outcome=choices.DISMISS, disposition=disposition, narrative=said, together=len(chosen),
                )  # fmt: skip
    closed = tuple(each for each in chosen if each not in sampled)
    return Dismissed(closed, tuple(each for each in chosen if each in sampled))


def _named(tx: Transaction, ref: str) -> tuple[str, str, int | None, str | None]:
    rows = tx.rows(_OF, (ids.check(ref, "alr"),))
    if not rows:
        raise NotFound(sentence("there is no alert %(ref)s", ref=ref), ref=ref)
    gate, rule, acceptor, code = rows[0]
    return gate, rule, acceptor, code


def _locked(tx: Transaction, actor: Actor, refs: list[str]) -> list[files.File]:
    """Lock the alerts with their orders, in the order in which orders are locked, and refuse unless they are alike."""
    kinds = {_named(tx, ref) for ref in refs}
    if len(kinds) > 1:
        raise WrongState(sentence("these alerts are not alike: one rule, one gate and one acceptor at a time"))
    gate, rule, acceptor, _ = kinds.pop()
    numbers = dict(tx.rows("select ref, order_id from alert where ref = any (%s)", (refs,)))
    found = []
    for ref in sorted(refs, key=lambda each: numbers[each]):
        file = files.locked(tx, ref)
        files.must_be(file, "open")
        files.must_be_free(file, actor)
        found.append(file)
    asked = {"at": clock.now(), "who": actor.name, "gate": gate, "rule": rule, "acceptor": acceptor, "refs": refs}
    sql = f"select a.ref {_FREE} {_SAME} and a.ref = any (%(refs)s)"
    free = {row[0] for row in tx.raw.execute(sql, asked).fetchall()}
    alone = [ref for ref in refs if ref not in free]
    if alone:
        said = sentence(
            "%(ref)s wants a decision of its own: it stopped its order, or another alert stands beside it", ref=alone[0]
        )
        raise WrongState(said, ref=alone[0])
    return found
