"""The commission report: one period's lines, a statement for each agent, tied to the ledger to the last unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from core import clock
from core.actor import Right, Scope
from core.commissions import periods, queries
from core.commissions.queries import Filters
from core.db import reading
from core.errors import NotFound, sentence
from core.money import USDT, Money
from core.reports import tie_out
from core.reports.files import Column, Report, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from core.actor import Actor
    from core.commissions.periods import Period
    from core.db import Transaction
    from core.reports.files import Cell, Progress

COLUMNS = (
    Column("line", wide=175),
    Column("order", wide=175),
    Column("earned_at", "time", wide=145),
    Column("agent", wide=70),
    Column("agent_name", wide=0),
    Column("merchant", wide=65),
    Column("level", "count", wide=40),
    Column("plan", wide=75),
    Column("own_bps", "count", wide=0),
    Column("below_bps", "count", wide=0),
    Column("rate_bps", "count", wide=60),
    Column("base_usdt", "money", wide=95),
    Column("commission_usdt", "money", summed=True, wide=110),
    Column("state", wide=65),
    Column("formula", wide=275),
    Column("held_usdt", "money", summed=True, wide=0),
)
STATEMENT_COLUMNS = (
    Column("agent", wide=80),
    Column("name", wide=120),
    Column("opening", "money"),
    Column("accrued", "money"),
    Column("reversed", "money"),
    Column("adjustments", "money"),
    Column("paid", "money"),
    Column("closing", "money"),
    Column("held", "money"),
    Column("payable", "money"),
    Column("lines", "count", wide=50),
)

TIES = (
    "base less ledger",
    "lines less ledger",
    "held lines less ledger",
    "holds less ledger",
    "difference of the statements",
)
"""The facts of a report that are nothing, or something is wrong."""

# Opening and closing are the ledger's; accrued and reversed the lines'; what else moved the account is a
# payment or an adjustment. So a line without its posting, or a posting without its line, shows at once.
# What is held is what may not be paid of the closing: of a running period now, of one that is over at its end, so that
# its report stays what it was. At the end of a period all of an agent's closing is held whose hold was open then.
# The opening is the balance now less all that moved since: a running month is read without its past.
_STATEMENTS = """
with moves as materialized (
    select l.account_id, sum(l.units) as since,
           sum(l.units) filter (where e.happened_at < %(end)s) as moved,
           sum(l.units) filter (where e.happened_at < %(end)s
                                  and e.reason not in ('escrow_release', 'commission_payout')) as adjustments,
           -sum(l.units) filter (where e.happened_at < %(end)s and e.reason = 'commission_payout') as paid,
           sum(l.units) filter (where e.happened_at >= %(end)s and l.pocket = 'held') as held_since
      from journal_entry e join journal_leg l on l.entry_id = e.id
     -- Of all accounts: the legs are to be read by their entries, not each agent's whole past through its index.
     where e.happened_at >= %(start)s
     group by l.account_id
)
select g.ref, g.code, g.name, (n.units - coalesce(b.since, 0))::bigint, coalesce(c.accrued, 0)::bigint,
       coalesce(c.reversed, 0)::bigint, coalesce(b.adjustments, 0)::bigint, coalesce(b.paid, 0)::bigint,
       (n.units - coalesce(b.since, 0) + coalesce(b.moved, 0))::bigint,
       coalesce(h.units + n.units - a.held, 0)::bigint, coalesce(c.lines, 0), (coalesce(h.units, 0) - a.held)::bigint,
       h.id is not null, (a.held - coalesce(b.held_since, 0))::bigint
  from party g join ledger_account a on a.party_id = g.id and a.asset = 'USDT'
  join lateral (select a.available + a.escrow + a.held + coalesce(sum(w.units), 0) as units
                  from journal_leg w where w.account_id = a.id and leg_waits(w.xid, a.folded)) n on true
  left join commission_hold h on h.agent_id = g.id and h.opened_at < %(then)s::timestamptz
        and (h.closed_at is null or h.closed_at >= %(then)s::timestamptz)
  left join moves b on b.account_id = a.id
  left join (select c.agent_id, count(*) as lines, sum(c.units) filter (where c.units > 0) as accrued,
                    -sum(c.units) filter (where c.units < 0) as reversed
               from commission_line c where c.period = %(period)s group by c.agent_id) c on c.agent_id = g.id
 where g.kind = 'agent' and (%(agent)s = '' or %(agent)s in (g.code, g.ref))
   and (%(all)s or g.id in (select d.descendant_id from agent_closure d where d.ancestor_id = %(own)s))
 order by g.code
"""


class Statement(NamedTuple):
    """One agent's period: opening + accrued - reversed + adjustments - paid = closing = held + payable.

    `astray` is what the agent's hold comes to less what the ledger holds of it: zero, or something is wrong. Of a
    period that is over it is what the ledger held at its end without a hold, or beyond the closing: below zero then.
    """

    agent_ref: str
    agent: str
    name: str
    opening: Money
    accrued: Money
    reversed: Money
    adjustments: Money
    paid: Money
    closing: Money
    held: Money
    payable: Money
    lines: int
    astray: Money

    @property
    def difference(self) -> Money:
        """What the lines and movements come to less what the ledger says; zero, or something is wrong."""
        reckoned = self.opening + self.accrued - self.reversed + self.adjustments - self.paid
        return reckoned - self.closing

    @property
    def released(self) -> Money:
        """What the releases of the period paid the agent by the ledger, whichever lines are there."""
        return self.accrued - self.reversed - self.difference


def statements(tx: Transaction, actor: Actor, period: Period, agent: str = "") -> list[Statement]:
    """Return the statement of each agent the actor sees, by code; `agent` (code or ref) narrows to one.

    Raises Forbidden without the right, NotFound for an agent that is none of the actor's.
    """
    actor.must(Right.SEE_COMMISSIONS)
    over = periods.ended(period)
    rows = tx.raw.execute(
        _STATEMENTS,
        {
            "start": period.starts_at,
            "end": period.ends_at,
            "then": over or "infinity",
            "period": period.name,
            "agent": agent,
            "all": actor.scope is Scope.ALL,
            "own": actor.party_id if actor.scope is Scope.AGENT else None,
        },
    ).fetchall()
    if agent and not rows:
        raise NotFound(sentence("there is no agent %(agent)s among yours", agent=agent[:40]), agent=agent[:40])
    return [_statement(row, over=over is not None) for row in rows]


def _statement(row: Sequence[Any], *, over: bool) -> Statement:
    closing, all_held, lines, astray, was_open, pocket = row[8:]
    if over:
        held = max(0, closing) if was_open else 0
        astray = min(0, held - pocket)
    else:
        held = max(0, min(closing, all_held))
    figures = [Money(units, USDT) for units in (*row[3:9], held, closing - held)]
    return Statement._make((*row[:3], *figures, lines, Money(astray, USDT)))


def of_the_period(tie: tie_out.TieOut, told: Sequence[Statement]) -> tie_out.TieOut:
    """Tie a period's lines to all that the ledger paid these agents in it: a line that is missing shows, too."""
    return tie._replace(ledger=_sum(each.released for each in told))


def off(told: Sequence[Statement]) -> Money:
    """Return by how much the statements differ from the ledger: what one agent has too much does not hide another's."""
    return Money(sum(abs(each.difference.units) for each in told), USDT)


def report(tx: Transaction, actor: Actor, period: Period, agent: str = "") -> Report:
    """Return the period's report, its rows read as they are written, all from the one transaction.

    Raises as `statements` does.
    """
    told = statements(tx, actor, period, agent)
    filters = Filters(period=period.name, agent=agent, held_at=periods.ended(period))
    tie, base = tie_out.commissions(tx, actor, filters)
    tie = of_the_period(tie, told)
    held, _base = tie_out.commissions(tx, actor, filters._replace(state="held"))
    shown = [each for each in told if each.lines or each.opening or each.closing or agent]
    return Report(
        title=f"Commissions {period.name}" + (f", agent {told[0].agent}" if agent else ""),
        columns=COLUMNS,
        rows=_rows(tx, actor, filters),
        facts=[
            *_sums(told),
            # Each line shows the order it was earned on; an order that pays several levels counts once here.
            ("orders", base.rows),
            ("base of these orders", base.figure),
            ("base less ledger", base.difference),
            ("lines less ledger", tie.difference),
            ("held lines less ledger", held.difference),
            ("holds less ledger", _sum(each.astray for each in told)),
            ("difference of the statements", off(told)),
            ("period", f"{period.name}: {period.starts_at:%Y-%m-%d %H:%M} to {period.ends_at:%Y-%m-%d %H:%M} UTC"),
            ("period locked", "yes" if periods.locked(tx, period) else "no"),
            ("filter", filters.words()),
            ("made by", f"{actor.name} ({actor.role})"),
            ("made at", clock.now()),
            ("seal", tie.seal),
        ],
        summary_columns=STATEMENT_COLUMNS,
        summary=[each[1:-1] for each in shown],
    )


def _rows(tx: Transaction, actor: Actor, filters: Filters) -> Iterator[Sequence[Cell]]:
    for line in queries.stream(tx, actor, filters):
        yield (
            line.ref,
            line.order_ref,
            line.accrued_at,
            line.agent,
            line.agent_name,
            line.merchant,
            line.level,
            f"{line.plan} v{line.plan_version}",
            line.own_bps,
            line.below_bps,
            line.rate_bps,
            Money(line.base_units, USDT),
            Money(line.units, USDT),
            line.state,
            line.formula,
            Money(line.units if line.state == "held" else 0, USDT),
        )


def _sums(told: Sequence[Statement]) -> list[tuple[str, Money]]:
    names = ("opening", "accrued", "reversed", "adjustments", "paid", "closing", "held", "payable")
    return [(name, _sum(getattr(each, name) for each in told)) for name in names]


def _sum(amounts: Iterator[Money]) -> Money:
    return sum(amounts, Money(0, USDT))


def write_export(actor: Actor, filters: Mapping[str, str], path: Path, progress: Progress) -> int:
    """Write the report that was asked for: filters `period`, `agent` and `format`; return its number of rows.

    Raises BadInput for what is no period or format, else as `statements` does.
    """
    with reading() as tx:
        tx.run("set local statement_timeout = '15min'")
        asked = report(tx, actor, periods.read(filters.get("period", "")), filters.get("agent", ""))
        return write(asked, path, filters.get("format", "csv"), progress=progress).rows
