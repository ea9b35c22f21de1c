"""What officers see of alerts: the queue, one alert's whole page, and the figures of the desk."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from core import approvals, clock, ids, vault
from core.actor import Right, Scope
from core.compliance import choices, turns
from core.compliance.alerts import KEPT, KIND, WANTED
from core.db import reading
from core.errors import BadInput, NotFound, sentence
from core.money import USDT, Money, fiat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.actor import Actor
    from core.approvals import Approval
    from core.db import Transaction

MOST = 500
ORDERS = {"priority": WANTED, "due": "a.due_at, a.id", "newest": "a.raised_at desc, a.id desc"}
"""How the queue may be sorted."""


class QueueRow(NamedTuple):
    """One alert in the queue. `reason` has the facts, and the `text_key` and `args` its words are made of.

    `others` counts the alerts that are decided together with this one; `late` says that it is past its due time.
    `kept` says that the order's release waits for it. `proposed_by` decided first; where it takes two officers,
    `closed_by` is the one who agreed.
    """

    ref: str
    order_ref: str
    merchant: str
    gate: str
    rule: str
    verdict: str
    score: int
    state: str
    disposition: str
    outcome: str
    reason: dict[str, Any]
    order_state: str
    risk_state: str
    fiat: Money
    usdt: Money
    payer_masked: str
    raised_at: datetime
    due_at: datetime
    late: bool
    locked_by: str | None
    locked_until: datetime | None
    held: bool
    kept: bool
    others: int
    closed_at: datetime | None
    closed_by: str | None
    proposed_by: str | None
    proposed_at: datetime | None


_QUEUE = f"""
select a.ref, o.ref, m.code, a.gate, a.rule, a.verdict, a.score, a.state, a.disposition, a.outcome,
       a.reason, o.state, o.risk_state, o.currency, o.fiat_units, o.usdt_units, coalesce(y.masked, ''),
       a.raised_at, a.due_at,
       a.state <> 'closed' and a.due_at < %(at)s, case when a.locked_until > %(at)s then a.locked_by end,
       case when a.locked_until > %(at)s then a.locked_until end,
       exists (select 1 from hold h where h.order_id = a.order_id and h.closed_at is null),
       a.state <> 'closed' and {KEPT},
       (select count(*) - 1 from alert b where b.order_id = a.order_id and b.state = a.state
           and (b.gate = a.gate or ({KEPT} and b.verdict <> 'allow'))),
       a.closed_at, a.closed_by, a.proposed_by, a.proposed_at
  from alert a join orders o on o.id = a.order_id join party m on m.id = o.merchant_id
  left join payer_account y on y.id = o.payer_account_id
"""  # noqa: S608 - our own words


def _row(row: tuple[Any, ...]) -> QueueRow:
    return QueueRow._make(
        (*row[:10], _veiled(row[10]), *row[11:13], Money(row[14], fiat(row[13])), Money(row[15], USDT), *row[16:])
    )


def upcoming(actor: Actor, passed: Sequence[str] = ()) -> QueueRow | None:
    """Return the alert that would be handed to the actor next, None when none waits; it is nobody's by that.

    Refuses with forbidden.
    """
    ref = turns.offered(actor, passed=passed)
    if ref is None:
        return None
    with reading() as tx:
        row = tx.raw.execute(f"{_QUEUE} where a.ref = %(ref)s", {"at": clock.now(), "ref": ref}).fetchone()
    return _row(row) if row else None


def queue(
    actor: Actor, *, state: str = "waiting", gate: str = "", rule: str = "", verdict: str = "", merchant: str = "",
    mine: bool = False, able: bool = False, late: bool = False, held: bool = False, sort: str = "priority",
    limit: int = 50, skip: int = 0,
) -> list[QueueRow]:  # fmt: skip
    """Return alerts: those that wait (`open` and `pending_second`), of one state, or `all`.

    `mine` are those the actor has taken, `able` those it may decide: not what it proposed itself. `late` are those past
    their due time, `held` those whose order's USDT is held; `merchant` is a code; sorted by `priority` (held money,
    then what waits, then by deadline), `due` or `newest`, at most 500 a page. Who may not see alerts, or not all rows,
    is refused with forbidden or gets nothing; an unknown filter is bad_input.
    """
    actor.must(Right.SEE_ALERTS)
    if actor.scope is not Scope.ALL:
        return []
    if sort not in ORDERS or state not in {"waiting", "all", "open", "in_case", "pending_second", "closed"}:
        raise BadInput(
            sentence("'%(sort)s' or '%(state)s' is nothing to ask the queue", sort=sort[:20], state=state[:20]),
            sort=sort[:20],
            state=state[:20],
        )
    states = {"waiting": "a.state <> 'closed'", "all": "true"}.get(state, "a.state = %(state)s")
    where = [states]
    where += [
        f"a.{name} = %({name})s" for name, asked in (("gate", gate), ("rule", rule), ("verdict", verdict)) if asked
    ]
    where += ["m.code = %(merchant)s"] if merchant else []
    where += ["a.locked_by = %(who)s and a.locked_until > %(at)s"] if mine else []
    where += ["(a.state <> 'pending_second' or a.proposed_by <> %(who)s)"] if able else []
    where += ["a.state <> 'closed' and a.due_at < %(at)s"] if late else []
    where += ["exists (select 1 from hold h where h.order_id = a.order_id and h.closed_at is null)"] if held else []
    asked = {
        "at": clock.now(), "who": actor.name, "state": state, "gate": gate, "rule": rule, "verdict": verdict,
        "merchant": merchant, "limit": max(1, min(limit, MOST)), "skip": max(0, skip),
    }  # fmt: skip
    sql = f"{_QUEUE} where {' and '.join(where)} order by {ORDERS[sort]} limit %(limit)s offset %(skip)s"
    with reading() as tx:
        return [_row(row) for row in tx.raw.execute(sql, asked).fetchall()]


class Related(NamedTuple):
    """Orders that share something with the alert's: how many there are, and the last ten."""

    orders: int
    customers: int
    last: list[RelatedOrder]


class RelatedOrder(NamedTuple):
    """One order beside the alert's own."""

    ref: str
    merchant: str
    customer_ref: str
    state: str
    risk_state: str
    usdt: Money
    created_at: datetime


class HistoryRow(NamedTuple):
    """One thing that was done about the alert's order or looked up for it; `details` are the facts of the step.

    `rule` is that of the alert it was done about, "" where it was about none.
    """

    at: datetime
    actor: str
    role: str
    action: str
    subject: str
    reason: str
    details: dict[str, Any] | None
    rule: str


class AlertView(NamedTuple):
    """One alert's page: the alert, those decided with it, what the gate saw and said, what is beside it.

    `reasons` are all of the evaluation's, with value, threshold and counterfactual; `features` are what the gate
    saw, names masked; `ruleset_version` is None where no rules were in force. `narrative` are the words of who decided
    first, `confirmed_why` those of a second officer who agreed ("" where one was enough). `possible` are the outcomes
    that a decision can have now; `second` is the first officer's decision while it waits, and `may_second` whether
    this actor can be the second.
    """

    row: QueueRow
    narrative: str
    confirmed_why: str
    order_id: int
    customer_ref: str
    payer_ref: str | None
    acceptor: str | None
    together: list[QueueRow]
    reasons: list[dict[str, Any]]
    features: dict[str, Any]
    ruleset_version: int | None
    hold_ref: str | None
    held: Money
    same_payer: Related
    same_customer: Related
    history: list[HistoryRow]
    possible: tuple[str, ...]
    second: Approval | None
    may_second: bool


def alert(actor: Actor, ref: str) -> AlertView:
    """Return all there is to say about one alert. Refuses with forbidden, not_found or bad_input."""
    actor.must(Right.SEE_ALERTS)
    with reading() as tx:
        found = tx.raw.execute(f"{_QUEUE} where a.ref = %(ref)s", {"at": clock.now(), "ref": ids.check(ref, "alr")})
        row = found.fetchone()
        if row is None or actor.scope is not Scope.ALL:
            raise NotFound(sentence("there is no alert %(ref)s", ref=ref), ref=ref)
        return _whole(tx, actor, _row(row))


_BESIDE = """
select a.order_id, a.narrative, a.confirmed_why, o.customer_id, o.payer_account_id, c.ref, y.ref, p.code,
       coalesce(e.reasons, '[]'), coalesce(e.features, '{}'), r.version, h.ref, coalesce(h.units, 0)
  from alert a join orders o on o.id = a.order_id join customer c on c.id = o.customer_id
  left join ruleset r on r.id = a.ruleset_id
  left join evaluation e on e.id = a.evaluation_id left join payer_account y on y.id = o.payer_account_id
  left join party p on p.id = o.acceptor_id left join hold h on h.order_id = o.id and h.closed_at is null
 where a.ref = %s
"""
_TOGETHER = (
    " where a.order_id = %(order)s and a.ref <> %(ref)s"
    " and (a.gate = %(gate)s or (a.verdict <> 'allow' and (%(kept)s or a.closed_at = %(closed)s))) order by a.id"
)
_HISTORY = (
    "select t.at, t.actor, t.role, t.action, t.subject, t.reason, t.details, coalesce(x.rule, '')"
    " from audit t left join alert x on x.ref = t.subject where t.order_id = %s order by t.at desc, t.id desc limit 200"
)


def _whole(tx: Transaction, actor: Actor, row: QueueRow) -> AlertView:
    (order_id, narrative, confirmed_why, customer, payer, customer_ref, payer_ref, acceptor, reasons, features, version,
     hold_ref, held) = tx.rows(_BESIDE, (row.ref,))[0]  # fmt: skip
    asked = {
        "at": clock.now(), "order": order_id, "gate": row.gate, "ref": row.ref, "kept": row.kept,
        "closed": row.closed_at,
    }  # fmt: skip
    second = approvals.waiting(tx, KIND, row.order_ref) if row.state == "pending_second" else None
    return AlertView(
        row=row,
        narrative=narrative,
        confirmed_why=confirmed_why,
        order_id=order_id,
        customer_ref=customer_ref,
        payer_ref=payer_ref,
        acceptor=acceptor,
        together=[_row(each) for each in tx.raw.execute(_QUEUE + _TOGETHER, asked).fetchall()],
        reasons=[_veiled(each) for each in reasons],
        features=_names_masked(features),
        ruleset_version=version,
        hold_ref=hold_ref,
        held=Money(held, USDT),
        same_payer=_related(tx, _PAYER, payer, order_id),
        same_customer=_related(tx, _CUSTOMER, customer, order_id),
        history=[HistoryRow(*each) for each in tx.rows(_HISTORY, (order_id,))],
        possible=choices.possible(row.gate, row.verdict, row.order_state, confirmed=row.kept)
        if row.state == "open"
        else (),
        second=second,
        may_second=second is not None and actor.may(Right.DECIDE_ALERT) and second.requested_by != actor.name,
    )


def _veiled(reason: dict[str, Any]) -> dict[str, Any]:
    """Return a reason with the names in its evidence masked."""
    return {**reason, "evidence": _names_masked(reason.get("evidence", {}))}


def _names_masked(features: dict[str, Any]) -> dict[str, Any]:
    """Return features with initials in place of names; `reveals` shows a name, and logs who looked."""
    return {
        name: vault.mask_initials(str(value)) if name.endswith("_name") and value else value
        for name, value in features.items()
    }


_PAYER = (
    "(select distinct y.id from risk_fact f join orders y on y.ref = f.order_ref"
    "  where f.payer_account_id = %s and f.order_ref <> '')"
)
_CUSTOMER = "(select y.id from orders y where y.customer_id = %s)"


def _related(tx: Transaction, which: str, number: int | None, order_id: int) -> Related:
    """Return the orders of the same payer's account or customer, without the alert's own."""
    if number is None:
        return Related(0, 0, [])
    orders, customers = tx.rows(
        f"select count(*), count(distinct o.customer_id) from orders o where o.id in {which} and o.id <> %s",  # noqa: S608 - our own words
        (number, order_id),
    )[0]
    rows = tx.rows(
        "select o.ref, m.code, c.ref, o.state, o.risk_state, o.usdt_units, o.created_at from orders o"  # noqa: S608 - our own words
        " join party m on m.id = o.merchant_id join customer c on c.id = o.customer_id"
        f" where o.id in {which} and o.id <> %s order by o.created_at desc, o.id desc limit 10",
        (number, order_id),
    )
    return Related(orders, customers, [RelatedOrder._make((*row[:5], Money(row[5], USDT), row[6])) for row in rows])


class Counts(NamedTuple):
    """The desk's figures now. `held` is the sum of open holds and `ledger_held` the ledger's: the difference is 0.

    `dispute_due` is the nearest deadline of the open disputes, None without one; of one that was missed the first that
    was, though the order has been asked for again since and has its next.
    `cleared_bps` (closed as `choices.CLEARED`) and `decision_seconds` (median) are of the last 30 days, None while
    nothing was decided.
    """

    waiting: int
    second: int
    late: int
    mine: int
    disputes: int
    dispute_due: datetime | None
    holds: int
    held: Money
    ledger_held: Money
    cleared_bps: int | None
    decision_seconds: int | None


_COUNTS = """
select count(*), count(*) filter (where state = 'pending_second'), count(*) filter (where due_at < %(at)s),
       count(*) filter (where locked_by = %(who)s and locked_until > %(at)s),
       (select count(*) from order_waiting w join orders o on o.id = w.order_id where o.dispute_state = 'open'),
       (select min(coalesce((select min((r.details ->> 'was_due')::timestamptz) from audit r
                              where r.order_id = o.id and r.action = 'order.remind'), w.deadline_at))
          from order_waiting w join orders o on o.id = w.order_id where o.dispute_state = 'open'),
       (select count(*) from hold where closed_at is null),
       (select coalesce(sum(units), 0)::bigint from hold where closed_at is null),
       (select coalesce(sum(held), 0)::bigint from ledger_account where held <> 0 and kind = 'acceptor')
  from alert where state <> 'closed'
"""
_DECIDED = """
select count(*) filter (where disposition = any(%s)) * 10000 / nullif(count(*), 0),
       percentile_disc(0.5) within group
           (order by greatest(floor(extract(epoch from closed_at - raised_at))::bigint, 0))
  from alert where state = 'closed' and closed_at > %s
"""


def counts(actor: Actor) -> Counts:
    """Return the desk's figures for badges and the home page. Refuses with forbidden."""
    actor.must(Right.SEE_ALERTS)
    now = clock.now()
    if actor.scope is not Scope.ALL:
        return Counts(0, 0, 0, 0, 0, None, 0, Money(0, USDT), Money(0, USDT), None, None)
    with reading() as tx:
        row = tx.raw.execute(_COUNTS, {"at": now, "who": actor.name}).fetchall()[0]
        decided = tx.rows(_DECIDED, (list(choices.CLEARED), now - timedelta(days=30)))[0]
    return Counts._make((*row[:7], Money(row[7], USDT), Money(row[8], USDT), *decided))
