"""What one invariant's check found, and how a check asks the database for every break at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.db import Transaction

SHOWN = 20
"""How many breaks are written out; all of them are counted."""


class Finding(NamedTuple):
    """One invariant: how much was looked at, how many breaks there are, and the first of them in words."""

    invariant: str
    title: str
    breaks: list[str]
    checked: int
    total: int

    @property
    def holds(self) -> bool:
        """Whether nothing breaks the invariant."""
        return self.total == 0


class Check:
    """One invariant being checked: each question adds what it found; `finding` says it all."""

    def __init__(self, tx: Transaction, invariant: str, title: str) -> None:
        """Begin; all questions see the state of the one reading transaction."""
        self.tx = tx
        self.invariant = invariant
        self.title = title
        self.breaks: list[str] = []
        self.checked = 0
        self.total = 0

    def counted(self, sql: str, args: Sequence[object] = ()) -> Check:
        """Add what the statement counts to the number of rows looked at."""
        self.checked += self.tx.call(_plain(sql, args), args) or 0
        return self

    def none(self, sql: str, args: Sequence[object] = ()) -> Check:
        """Each row (place, words) of the statement is a break; the lowest places are written out."""
        rows = self.tx.rows(
            f"select b.words, count(*) over () from ({_plain(sql, args)}) as b (place,"  # noqa: S608 - our own words
            " words)"
            f" order by b.place limit {SHOWN}",
            args,
        )
        self.total += rows[0][1] if rows else 0
        self.breaks += [row[0] for row in rows]
        return self

    def broken(self, words: Sequence[str]) -> Check:
        """Add breaks that were found outside the database."""
        self.total += len(words)
        self.breaks += list(words[:SHOWN])
        return self

    def each(self, words: Iterable[str]) -> Check:
        """Add breaks that were found outside the database one after the other; the first of them are kept."""
        for found in words:
            self.total += 1
            if len(self.breaks) < SHOWN:
                self.breaks.append(found)
        return self

    def finding(self) -> Finding:
        """Return what was found."""
        return Finding(self.invariant, self.title, self.breaks[:SHOWN], self.checked, self.total)


def _plain(sql: str, args: Sequence[object]) -> str:
    """A statement without arguments means its percent signs as they are written."""
    return sql if args else sql.replace("%", "%%")
