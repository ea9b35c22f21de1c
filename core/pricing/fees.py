"""What an order costs: a versioned fee schedule, and the price it gives with every line of the fee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Self

from core.errors import BadAmount, BadInput, sentence
from core.money import LIMIT, USDT, Money, Rate

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_BPS: Final = 1_000
"""No part of a fee may pass 10 %: more is a slip of the finger, and is refused."""
PLATFORM_FEE: Final = "platform_fee"
METHOD_FEE: Final = "method_fee"
SPREAD: Final = "acceptor_spread"

_FIELDS: Final = frozenset(
    {"version", "platform_bps", "min_fee_units", "max_fee_units", "tiers", "method_bps", "spread_bps"},
)
_MOST_TIERS: Final = 50
_LONGEST_METHOD: Final = 40


@dataclass(frozen=True, slots=True)
class Schedule:
    """One version of a pool's fees; fee limits and tier bounds in units of USDT.

    `tiers` are (from this 30-day volume on, platform bps), ascending; below the first `platform_bps` counts.
    `spread_bps` makes the rate dearer and goes to the acceptor; it is no part of the fee.
    """

    version: int
    platform_bps: int
    min_fee_units: int = 0
    max_fee_units: int | None = None
    tiers: tuple[tuple[int, int], ...] = ()
    method_bps: Mapping[str, int] | None = None
    spread_bps: int = 0

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Self:
        """Return the schedule written as JSON, else refuse with `bad_input` that names the field."""
        unknown = sorted(set(given) - _FIELDS)
        if unknown:
            raise BadInput(
                sentence("fee schedule: unknown field '%(unknown)s'", unknown=unknown[0][:40]), field=unknown[0][:40]
            )
        least = whole(given, "min_fee_units", most=LIMIT - 1, default=0)
        most = given.get("max_fee_units")
        return cls(
            version=whole(given, "version", least=1, most=2**31 - 1),
            platform_bps=whole(given, "platform_bps", most=MOST_BPS),
            min_fee_units=least,
            max_fee_units=None if most is None else whole(given, "max_fee_units", least=least, most=LIMIT - 1),
            tiers=read_tiers(given.get("tiers", ()), "tiers", most_bps=MOST_BPS),
            method_bps=_read_methods(given.get("method_bps", {})),
            spread_bps=whole(given, "spread_bps", most=MOST_BPS, default=0),
        )

    def to_json(self) -> dict[str, object]:
        """Return the schedule as `read` takes it."""
        return {
            "version": self.version,
            "platform_bps": self.platform_bps,
            "min_fee_units": self.min_fee_units,
            "max_fee_units": self.max_fee_units,
            "tiers": [list(tier) for tier in self.tiers],
            "method_bps": dict(self.method_bps or {}),
            "spread_bps": self.spread_bps,
        }

    def platform_bps_at(self, volume_30d_units: int) -> int:
        """Return the platform's bps for a merchant with that 30-day volume."""
        bps = self.platform_bps
        for start, tier_bps in self.tiers:
            if volume_30d_units < start:
                break
            bps = tier_bps
        return bps


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a fee: its code, amount in USDT, the bps it was reckoned with and a note in English."""

    code: str
    amount: Money
    bps: int
    note: str


@dataclass(frozen=True, slots=True)
class Priced:
    """A price: `gross` USDT for `fiat` at `rate` (spread included) less `fee` (the sum of `lines`) is `net`.

    `spread` is what the spread took from the USDT at the bare rate; it is shown (`shown`), and is no part of the fee.
    """

    fiat: Money
    rate: Rate
    gross: Money
    fee: Money
    net: Money
    spread: Money
    lines: tuple[Line, ...]
    schedule_version: int
    spread_bps: int

    @property
    def margin(self) -> Money:
        """Return the platform's own part of the fee, which bounds the commissions."""
        return next(line.amount for line in self.lines if line.code == PLATFORM_FEE)

    @property
    def shown(self) -> tuple[Line, ...]:
        """Return every line a quote shows: those of the fee, then the acceptor's spread, also when it is nothing."""
        note = f"{percent(self.spread_bps)}, in the rate"
        return (*self.lines, Line(SPREAD, self.spread, self.spread_bps, note))


def price(schedule: Schedule, *, fiat: Money, rate: Rate, volume_30d_units: int, method: str) -> Priced:
    """Return what `fiat` buys at the bare `rate` under the schedule, for a merchant with that 30-day volume.

    Refuses with `bad_amount` when nothing would be left after the fee, or an amount passes the limit.
    """
    dearer = rate.dearer(schedule.spread_bps) if schedule.spread_bps else rate
    gross = dearer.usdt_for(fiat)
    lines = [_platform_line(schedule, gross, volume_30d_units)]
    method_bps = (schedule.method_bps or {}).get(method, 0)
    if method_bps:
        amount = gross.share_bps(method_bps, rounding="half_even")
        lines.append(Line(METHOD_FEE, amount, method_bps, f"{percent(method_bps)} for {method}"))
    fee = Money(sum(line.amount.units for line in lines), USDT)
    net = gross - fee
    if net.units <= 0:
        raise BadAmount(
            sentence("%(fiat)s is too small: the fee of %(fee)s would take all of it", fiat=fiat, fee=fee),
            fiat_units=fiat.units,
            gross_units=gross.units,
            fee_units=fee.units,
        )
    spread = rate.usdt_for(fiat) - gross if schedule.spread_bps else Money(0, USDT)
    return Priced(fiat, dearer, gross, fee, net, spread, tuple(lines), schedule.version, schedule.spread_bps)


def _platform_line(schedule: Schedule, gross: Money, volume_30d_units: int) -> Line:
    bps = schedule.platform_bps_at(volume_30d_units)
    amount = gross.share_bps(bps, rounding="half_even")
    note = percent(bps)
    if amount.units < schedule.min_fee_units:
        amount = Money(schedule.min_fee_units, USDT)
        note = f"{note}, but at least {amount.show()}"
    elif schedule.max_fee_units is not None and amount.units > schedule.max_fee_units:
        amount = Money(schedule.max_fee_units, USDT)
        note = f"{note}, but at most {amount.show()}"
    return Line(PLATFORM_FEE, amount, bps, note)


def percent(bps: int) -> str:
    """Return basis points as people write them: 30 is "0.3 %"."""
    whole_part, rest = divmod(bps, 100)
    return f"{whole_part}.{rest:02d}".rstrip("0").rstrip(".") + " %"


def whole(given: Mapping[str, object], field: str, *, least: int = 0, most: int, default: int | None = None) -> int:
    """Return a whole number between `least` and `most` from JSON, else refuse with `bad_input`.

    Its sentence speaks to who wrote the JSON; its facts (`rule` and the bounds) let a form say the same in its units.
    """
    value = given.get(field, default)
    if type(value) is not int or not least <= value <= most:
        raise BadInput(
            sentence(
                "%(field)s must be a whole number from %(least)s to %(most)s", field=field, least=least, most=most
            ),
            field=field, rule="range", least=least, most=most,
        )  # fmt: skip
    return value


def read_tiers(given: object, field: str, *, most_bps: int) -> tuple[tuple[int, int], ...]:
    """Return volume tiers, written as [[from_units, bps], …] ascending, else refuse with `bad_input`."""
    tiers = tuple(_tier(each, field, most_bps) for each in _sequence(given, field))
    if any(low[0] >= high[0] for low, high in pairwise(tiers)):
        raise BadInput(
            sentence("%(field)s must ascend by volume, without doubles", field=field), field=field, rule="ascending"
        )
    return tiers


def _sequence(given: object, field: str) -> Sequence[object]:
    if not isinstance(given, list | tuple) or len(given) > _MOST_TIERS:
        raise BadInput(
            sentence("%(field)s must be a list of at most %(most_tiers)s pairs", field=field, most_tiers=_MOST_TIERS),
            field=field, rule="count", most=_MOST_TIERS,
        )  # fmt: skip
    return given


def _tier(given: object, field: str, most_bps: int) -> tuple[int, int]:
    match given:
        case [int(start), int(bps)] if type(start) is int and type(bps) is int:
            if 0 <= start < LIMIT and 0 <= bps <= most_bps:
                return start, bps
    raise BadInput(
        sentence(
            "%(field)s: a tier is [from_units, bps], with bps from 0 to %(most_bps)s", field=field, most_bps=most_bps
        ),
        field=field, rule="range", least=0, most=most_bps,
    )  # fmt: skip


def _read_methods(given: object) -> dict[str, int]:
    if not isinstance(given, Mapping):
        raise BadInput(sentence("method_bps must be an object of payment method: bps"), field="method_bps")
    for method, bps in given.items():
        named = isinstance(method, str) and 0 < len(method) <= _LONGEST_METHOD and method.isprintable()
        if not named or type(bps) is not int or not 0 <= bps <= MOST_BPS:
            raise BadInput(
                sentence("method_bps: each payment method needs whole bps from 0 to %(most_bps)s", most_bps=MOST_BPS),
                field="method_bps",
                **(
                    {"rule": "range", "least": 0, "most": MOST_BPS}
                    if named
                    else {"rule": "name", "most": _LONGEST_METHOD}
                ),
            )
    return dict(given)
