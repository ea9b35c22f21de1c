"""The ledger: appended credits folded, new rows sealed, every invariant checked."""

from __future__ import annotations

from core import verify as invariants
from core.db import transaction
from core.ledger import post, seal
from core.parties import commission_holds


class Broken(Exception):  # noqa: N818 - what the check found, told to whoever looks at the job
    """An invariant does not hold; the message names the first rows."""


def fold() -> dict[str, object]:
    """Add the credits of ended transactions to their accounts, and hold what held agents have earned."""
    with transaction() as tx:
        folded = post.fold_all(tx)
    return {"accounts": folded, "held": commission_holds.sweep()}


def seal_new() -> dict[str, object]:
    """Extend both chains over what is new, and anchor their heads."""
    return {"rows": seal.advance()}


def verify() -> dict[str, object]:
    """Check every invariant; a break fails the job and names the first row of each."""
    findings = invariants.run()
    breaks = [f"{each.invariant}: {each.breaks[0]}" for each in findings if not each.holds]
    if breaks:
        raise Broken("; ".join(breaks))
    found = [[each.invariant, each.title, each.checked] for each in findings]
    return {"invariants": len(findings), "checked": sum(each.checked for each in findings), "found": found}
