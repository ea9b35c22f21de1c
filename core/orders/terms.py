"""What an opening reads that changes seldom (merchant, pool, rules, who earns), remembered until it changes.

The database counts the changes of all this (`configuration.number`). A process that has read it says under which
number, and is told it again only when the number is another, or the time is over for which it was good. So what an
officer decides counts for the next order in every process, without being read for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core.db import Memory

if TYPE_CHECKING:
    from core.steps import Row

_COLUMNS: Final = (
    "merchant_state", "merchant_code", "merchant_country", "agent_id", "pool_state", "policy", "policy_version",
    "pay_seconds", "ruleset_id", "path", "path_codes",
)  # fmt: skip
MOST: Final = 5_000
"""How many merchants' terms a process remembers, some 2 KB each; one more takes the place of the eldest."""


class Terms(NamedTuple):
    """What was told of one merchant's openings in one pool, under which number, from when and until when it is good."""

    pool: int | None
    number: int | None
    since: str | None
    until: str | None
    columns: dict[str, Any]

    def facts(self) -> dict[str, object]:
        """Return what `order_open_look` is to know of what is remembered."""
        return {"known": self.number, "since": self.since, "until": self.until}

    def with_(self, row: Row) -> Row | None:
        """Return a look that was told no terms with these; None when they are another pool's."""
        return row | self.columns if self.pool == row["pool_id"] else None


NOTHING: Final = Terms(None, None, None, None, {})
_kept: Final[Memory[int, Terms]] = Memory(MOST)


def of(merchant_id: int) -> Terms:
    """Return what is remembered of that merchant's last opening."""
    return _kept.get(merchant_id) or NOTHING


def keep(merchant_id: int, row: Row) -> None:
    """Remember the terms that a look was told."""
    columns = {name: row[name] for name in _COLUMNS}
    _kept.keep(merchant_id, Terms(row["pool_id"], row["number"], row["at"], row["good_until"], columns))
