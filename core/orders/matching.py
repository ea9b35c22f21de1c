"""Choosing an acceptor for an order: pure, seeded, and able to say why each candidate lost.

The same candidates, policy and seed give the same choice on any machine and in any order of the list:
each candidate draws its lot from the seed and its own number, so nothing depends on its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core.errors import BadInput
from core.parties.policies import PolicyName
from core.words import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHOSEN: Final = "chosen"
SHORT_RESERVE: Final = "short_reserve"
DAY_LIMIT: Final = "day_limit"
SLOTS_FULL: Final = "slots_full"
IN_DISPUTE: Final = "in_dispute"
BUSIER: Final = "busier"
NOT_DRAWN: Final = "not_drawn"
TAKEN: Final = "taken_meanwhile"

FIT: Final = frozenset({CHOSEN, BUSIER, NOT_DRAWN})
"""Outcomes of who could have had the order."""
EXCLUSIONS: Final = frozenset({IN_DISPUTE})
"""Outcomes that no figure of the snapshot gives: `Candidate.excluded`."""

REASONS: Final = {
    CHOSEN: N_("chosen"),
    SHORT_RESERVE: N_("its free reserve is smaller than the order"),
    DAY_LIMIT: N_("its bank account has too little of the day's limit left"),
    SLOTS_FULL: N_("it has as many open orders as it may have"),
    IN_DISPUTE: N_("this customer is in dispute with it"),
    BUSIER: N_("it is busier than the one chosen"),
    NOT_DRAWN: N_("it was as good, and the draw went to another"),
    TAKEN: N_("it was the best, and another order was quicker to take what it had left"),
}
"""What each outcome means, in English; screens translate it when they show it."""


class Candidate(NamedTuple):
    """An acceptor with one of its bank accounts in the pool, as the snapshot saw it.

    `free_units` are USDT; `day_left_units` are fiat (None: no limit); `slot_limit` is the most open orders it
    may have (0: no limit); `excluded` is the reason code for which it may not take this order, or "".
    """

    acceptor_id: int
    pool_account_id: int
    free_units: int
    open_orders: int = 0
    weight: int = 1
    day_left_units: int | None = None
    slot_limit: int = 0
    excluded: str = ""


class Considered(NamedTuple):
    """One candidate with its rank (lower is better), its lot (lower wins among equals) and its outcome."""

    candidate: Candidate
    weight: int
    score: int
    lot: int
    outcome: str


class Choice(NamedTuple):
    """Who was chosen (None: nobody can), by which policy and seed, and what became of each candidate."""

    policy: str
    seed: int
    need_units: int
    chosen: Candidate | None
    considered: tuple[Considered, ...]


class Policy(NamedTuple):
    """A way to choose: `rank` gives a whole number (lower is better), `lost` names a worse rank."""

    rank: Callable[[Candidate], int]
    lost: str


def _load(candidate: Candidate) -> int:
    """Return how full a candidate is, in millionths of its limit; without a limit each order counts whole."""
    return candidate.open_orders * 1_000_000 // (candidate.slot_limit or 1)


POLICIES: Final[dict[str, Policy]] = {
    PolicyName.UNIFORM_RANDOM: Policy(rank=lambda _: 0, lost=NOT_DRAWN),
    PolicyName.LEAST_LOADED: Policy(rank=_load, lost=BUSIER),
}
"""What each policy that a pool may name does; a new one is a new name there and a new row here."""


def choose(
    policy: str,
    candidates: Sequence[Candidate],
    *,
    seed: int,
    need_units: int,
    need_fiat_units: int = 0,
) -> Choice:
    """Return the choice among the candidates for an order of `need_units` USDT and `need_fiat_units` fiat.

    An unknown policy is refused with `bad_input`. No fit candidate is an answer (`chosen` is None), no error.
    """
    how = POLICIES.get(policy)
    if how is None:
        raise BadInput(f"'{policy[:40]}' is not a matching policy", policy=policy[:40], known=sorted(POLICIES))
    start = _mixed(seed)
    best: tuple[int, int, int] | None = None
    winner: Candidate | None = None
    ranked: list[tuple[Candidate, int, int, str]] = []
    for each in candidates:
        why_not = _unfit(each, need_units, need_fiat_units)
        rank, lot = how.rank(each), _lot(start, each.pool_account_id)
        ranked.append((each, rank, lot, why_not))
        if not why_not and (best is None or (rank, lot, each.pool_account_id) < best):
            best, winner = (rank, lot, each.pool_account_id), each
    considered = tuple(
        Considered(each, each.weight, rank, lot, why_not or _outcome(each, rank, winner, best, how))
        for each, rank, lot, why_not in ranked
    )
    return Choice(policy, seed, need_units, winner, considered)


def _unfit(candidate: Candidate, need_units: int, need_fiat_units: int) -> str:
    """Return the code of the first hard limit the candidate fails, or ""."""
    if candidate.excluded:
        return candidate.excluded
    if candidate.free_units < need_units:
        return SHORT_RESERVE
    if candidate.day_left_units is not None and candidate.day_left_units < need_fiat_units:
        return DAY_LIMIT
    if candidate.slot_limit and candidate.open_orders >= candidate.slot_limit:
        return SLOTS_FULL
    return ""


def _outcome(
    each: Candidate,
    rank: int,
    winner: Candidate | None,
    best: tuple[int, int, int] | None,
    how: Policy,
) -> str:
    if each is winner:
        return CHOSEN
    return how.lost if best is not None and rank > best[0] else NOT_DRAWN


_WORD: Final = (1 << 64) - 1


def _mixed(number: int) -> int:
    """Return 64 well-mixed bits of a number (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    number = (number + 0x9E3779B97F4A7C15) & _WORD
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _WORD
    return number ^ (number >> 31)


def _lot(start: int, pool_account_id: int) -> int:
    """Return the candidate's lot: 48 bits, so that any JSON reader keeps it exact."""
    return _mixed(start ^ (pool_account_id * 0xD1342543DE82EF95)) >> 16
