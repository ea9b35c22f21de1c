"""A period's commissions on one page: the agents' statements, their tie to the ledger, the seal; and as one file."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from core import audit
from core.actor import Right
from core.commissions import periods, queries
from core.commissions.queries import Filters
from core.db import reading, transaction
from core.errors import BadInput, TooMany, sentence
from core.money import USDT, Money
from core.reports import commission, tie_out
from core.reports.files import FORMATS, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.actor import Actor
    from core.commissions.periods import Period
    from core.reports.commission import Statement
    from core.reports.files import Written
    from core.reports.tie_out import TieOut

AT_ONCE: Final = 10_000
"""Reports of more lines than this are written by a job; smaller ones while one waits."""


_MONTHS = "select distinct to_char(day, 'YYYY-MM') from rollup_commission_day order by 1 desc limit 36"


class Group(NamedTuple):
    """Some of the statements, to be summed together."""

    statements: list[Statement]

    def total(self, name: str) -> Money:
        """Return the sum of one column."""
        return sum((getattr(each, name) for each in self.statements), Money(0, USDT))


class Overview(NamedTuple):
    """What the report's page shows, all from one moment. `months` are those with lines, newest first.

    `base` is the gross of the orders the lines are of, each once; `held` ties those of the lines that are held, now or
    at the end of a period that is `over`.
    `own` is the ref of the agent who reads.
    """

    period: Period
    locked: bool
    statements: list[Statement]
    tie: TieOut
    base: TieOut
    held: TieOut
    months: list[str]
    own: str

    @property
    def over(self) -> bool:
        """Whether the period has ended: what was held at its end no longer changes."""
        return periods.ended(self.period) is not None

    @property
    def difference(self) -> Money:
        """By how much the statements differ from the ledger, agent by agent."""
        return commission.off(self.statements)


def overview(actor: Actor, period_name: str, agent: str = "") -> Overview:
    """Return a period's statements of the agents the actor sees, or of one (code or ref), tied to the ledger.

    Raises Forbidden, BadInput for what is no period, NotFound for an agent that is none of the actor's.
    """
    actor.must(Right.SEE_COMMISSIONS)
    period = periods.read(period_name)
    with reading() as tx:
        told = commission.statements(tx, actor, period, agent)
        filters = Filters(period=period.name, agent=agent, held_at=periods.ended(period))
        tie, base = tie_out.commissions(tx, actor, filters)
        tie = commission.of_the_period(tie, told)
        held, _base = tie_out.commissions(tx, actor, filters._replace(state="held"))
        own = tx.call("select ref from party where id = %s and kind = 'agent'", (actor.party_id,)) or ""
        months = [name for (name,) in tx.rows(_MONTHS)]
        locked = periods.locked(tx, period)
    shown = [each for each in told if agent or each.lines or each.opening or each.closing]
    return Overview(period, locked, shown, tie, base, held, months, own)


@contextmanager
def as_file(actor: Actor, period_name: str, agent: str, form: str) -> Iterator[Written]:
    """Write the report as csv, xlsx or pdf into a folder that goes with the block; who asked is written down.

    Raises as `overview` does, Forbidden without the right to export, TooMany when a job must write it.
    """
    actor.must(Right.EXPORT)
    period = periods.read(period_name)
    if form not in FORMATS:
        raise BadInput(sentence("a report is written as %(forms)s", forms=list(FORMATS)), format=form[:10])
    with tempfile.TemporaryDirectory(prefix="desk-report-") as folder:
        with reading() as tx:
            report = commission.report(tx, actor, period, agent)
            lines = queries.sums_in(tx, actor, Filters(period=period.name, agent=agent)).lines
            if lines > AT_ONCE:
                raise TooMany(
                    sentence("%(lines)s lines are written by a job; ask for an export", lines=lines), most=AT_ONCE
                )
            name = f"commission-{period.name}" + (f"-{agent}" if agent else "")
            written = write(report, Path(folder) / f"{name}.{form}", form)
        with transaction() as tx:
            details = {"rows": written.rows, "sha256": written.sha256, "format": form, "agent": agent}
            audit.write(tx, actor, "report.export", f"commission {period.name}", details=details)
        yield written
