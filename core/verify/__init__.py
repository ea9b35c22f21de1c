"""The verifier: one function per invariant, each lists every break, all of one state of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.db import reading
from core.verify import money, orders, promises, rollups, seals, secrecy
from core.verify.finding import SHOWN, Finding
from core.words import N_

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.db import Transaction

__all__ = ["CHECKS", "ELSEWHERE", "SHOWN", "Finding", "run"]

CHECKS: tuple[Callable[[Transaction], Finding], ...] = (
    money.balanced,
    money.stored,
    money.frozen,
    money.above_zero,
    orders.ended_once,
    orders.legal_path,
    promises.one_effect,
    seals.seals,
    money.covered,
    orders.fee_to_the_cent,
    promises.withdrawal_accounts,
    orders.told_once,
    rollups.rollups,
    promises.locked_periods,
    promises.four_eyes,
    promises.acknowledged,
    secrecy.secrets_stay,
)
"""Every invariant that rows can show."""

ELSEWHERE: Final = {
    "I17": N_("no promise has this number"),
    "I19": N_("a refused request changes nothing: no row can show it, the tests do"),
}
"""The numbers that are not among the checks, and why."""


def run() -> list[Finding]:
    """Check every invariant against one snapshot and return what was found, breaks or none, in their order.

    Reads only. Raises Unavailable when the database does not answer.
    """
    known = seals.heads()
    with reading() as tx:
        tx.run("set local statement_timeout = '15min'")
        tx.run("set local jit = off")
        return [check(tx) if check is not seals.seals else seals.seals(tx, known) for check in CHECKS]
