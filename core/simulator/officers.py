"""The compliance officers of the seeded market: they judge the day's alerts and disputes, the newest stay open."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core import clock
from core.compliance import alerts, choices, disputes
from core.db import reading
from core.errors import AlreadyDone, Refusal
from core.money import Money, fiat
from core.risk import lists
from core.simulator.patience import patiently
from core.simulator.people import officer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.actor import Actor

FIRST, SECOND = officer("compliance"), officer("compliance2")
_OPEN: Final = """
select distinct on (a.order_id, a.gate) a.ref, a.gate, a.rule, a.verdict,
       case o.state when 'paid_claimed' then (select max(e.at) from evaluation e where e.order_id = o.id)
                    else a.raised_at end, o.state, o.received_units is not null
  from alert a join orders o on o.id = a.order_id
 where a.state = 'open' and a.raised_at < %s order by a.order_id, a.gate, a.score desc, a.id
"""
_DISPUTES: Final = """
select ref, currency, fiat_units, claimed_at, payer_name from orders
 where dispute_state = 'open' and state = 'paid_claimed' and claimed_at < %s
   and not exists (select 1 from approval p where p.subject = orders.ref and p.state = 'waiting') order by id
"""

# What an officer writes about a rule that fired: how often it was right, in percent, and the words for each.
_RIGHT: Final = {"NAME_MISMATCH": 45, "SHARED_PAYER": 75, "PAYER_HIT": 95, "VEL_CNT": 60, "CANCEL_PROBE": 55}
_USUALLY_RIGHT: Final = 12
_WAS_RIGHT: Final = {
    "NAME_MISMATCH": "The payer is a third person; the customer could not explain the payment.",
    "SHARED_PAYER": "Several new customers were paid for from one account; they do not know its holder.",
    "PAYER_HIT": "The account is on the list of reported accounts; identifiers match.",
    "VEL_CNT": "A series of orders in minutes by one customer, all just above the least amount.",
    "CANCEL_PROBE": "Orders opened one after the other and never paid; account details were collected.",
}
_WAS_WRONG: Final = {
    "NAME_MISMATCH": "The name is that of the customer's spouse; marriage certificate on file.",
    "SHARED_PAYER": "A family pays from one account; addresses and documents agree.",
    "NEW_LARGE": "New customer with documented savings; statement on file, amount fits the income.",
    "VEL_AMT": "Higher than usual, in line with a seasonal purchase the merchant confirms.",
    "M_CONFIRM": "Instant rail; the bank line carries a time before the confirmation.",
}
_RIGHT_ANYHOW: Final = "Reviewed with the customer's record; the pattern is as the rule says."
_WRONG_ANYHOW: Final = "Reviewed with the customer's record; nothing unusual beyond the threshold."


class _Alert(NamedTuple):
    ref: str
    gate: str
    rule: str
    verdict: str
    raised_at: datetime
    order_state: str
    confirmed: bool


def list_accounts(accounts: Iterable[str]) -> None:
    """Put payer accounts on the list that the market's banks have sent."""
    for account in accounts:
        with suppress(AlreadyDone):  # by a run before
            patiently(
                lambda account=account: lists.list_payer(FIRST, account, "reported by a bank of the market")  # type: ignore[misc]
            )


def evening(*, seed: int, left_days: int) -> None:
    """Decide what was raised up to now, each some time after it was raised; of the last days only some.

    What was left over one evening is looked at again on the next: nobody leaves held money lying for weeks.
    """
    now = clock.now()
    waiting, disputed = patiently(lambda: _undecided(now))
    yesterday = now - timedelta(days=1)
    for alert in waiting:
        rng = Random(f"{seed}:{alert.ref}:{left_days}")
        at = max(alert.raised_at, yesterday) + timedelta(minutes=rng.randint(15, 420))
        if at < now and _in_turn(rng, left_days):
            with clock.at(at):
                _judge(rng, alert, alone=left_days == 0)
    for ref, currency, units, claimed_at, payer in disputed:
        rng = Random(f"{seed}:{ref}:{left_days}")
        at = max(claimed_at, yesterday) + timedelta(hours=rng.randint(3, 20))
        if at < now and _in_turn(rng, left_days):
            with clock.at(at):
                _settle(rng, ref, Money(units, fiat(currency)), payer)


def _undecided(now: datetime) -> tuple[list[_Alert], list[tuple[Any, ...]]]:
    with reading() as tx:
        return [_Alert(*row) for row in tx.rows(_OPEN, (now,))], tx.rows(_DISPUTES, (now,))


def _in_turn(rng: Random, left_days: int) -> bool:
    """Return whether it is decided this evening; of the last days some wait for the demo's users."""
    return rng.randrange(100) < (97, 60, 60, 25)[max(3 - left_days, 0)]


def _judge(rng: Random, alert: _Alert, *, alone: bool) -> None:
    """Take and decide one alert; held money needs the second officer, who on the last evening is away."""
    one, other = _pair(rng)
    rule = alert.rule.partition(".")[0]
    right = rng.randrange(100) < _RIGHT.get(rule, _USUALLY_RIGHT)
    possible = choices.possible(alert.gate, alert.verdict, alert.order_state, confirmed=alert.confirmed)
    outcome = choices.DISMISS
    if choices.RELEASE in possible:
        outcome = choices.REFUSE if right else choices.RELEASE
    if right:
        disposition = "confirmed_reported" if rng.randrange(100) < 40 else "confirmed_no_report"  # noqa: PLR2004
        said = _WAS_RIGHT.get(rule, _RIGHT_ANYHOW)
    else:
        disposition = rng.choices(("false_positive", "explained", "inconclusive"), (55, 38, 7))[0]
        said = _WAS_WRONG.get(rule, _WRONG_ANYHOW)
    try:
        patiently(lambda: alerts.take(one, alert.ref))
        decision = patiently(lambda: alerts.decide(one, alert.ref, outcome, disposition, said))
        if decision.approval_ref and not alone:
            with clock.at(clock.now() + timedelta(minutes=rng.randint(4, 90))):
                patiently(lambda: alerts.second(other, alert.ref, True, "Read the file; I agree."))  # noqa: FBT003
    except Refusal:
        # Its order has moved on, or it was decided together with another alert: what is left waits for tomorrow.
        return


def _settle(rng: Random, ref: str, due: Money, payer: str) -> None:
    """Decide a dispute by what the customer showed, with the second officer."""
    one, other = _pair(rng)
    paid = rng.randrange(100) < 60  # noqa: PLR2004 - in percent
    try:
        if paid:
            said = "The customer's receipt and the bank's line agree; the acceptor did not answer."
            patiently(lambda: disputes.decide(one, ref, choices.RELEASE, said, received=due, payer_name=payer))
        else:
            said = "No payment reached the account by the bank's statement; the receipt is for another transfer."
            patiently(lambda: disputes.decide(one, ref, choices.REFUSE, said))
        patiently(lambda: disputes.second(other, ref, True, "Evidence checked; I agree."))  # noqa: FBT003
    except Refusal:
        return


def _pair(rng: Random) -> tuple[Actor, Actor]:
    return (FIRST, SECOND) if rng.randrange(2) else (SECOND, FIRST)
