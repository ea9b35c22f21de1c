"""The differential tree: what each agent on the path of an order earns, and by which plan version.

Each agent earns its own rate less the highest rate below it on the path (级差), never less than nothing, and
all together never more than the platform's margin on the order. The split is made when the order is opened
and kept with it, so a later change of plan, tier or tree changes no old order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo, available_timezones

from core.errors import BadInput, sentence
from core.money import BPS, USDT, Money
from core.pricing.fees import percent, read_tiers, whole

PRODUCTS: Final = ("deposit", "withdrawal", "acceptor_volume")
MOST_BPS: Final = 1_000

TierMode = Literal["slab", "marginal"]
Window = Literal["month", "rolling_30d"]
ROLLING: Final = timedelta(days=30)
_FIELDS: Final = frozenset({"id", "version", "rates", "tiers", "tier_mode", "window", "time_zone"})


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """One version of a commission plan: bps by product, and by volume of USDT units where tiers are set.

    A tier's bps stand in the place of the product's rate once its volume is reached. `slab`: an order is paid
    whole at the tier reached with it. `marginal`: each part of an order is paid at the tier it falls into.
    The volume is that of the `window`: the calendar month of the plan's time zone, or the last 30 days.
    """

    id: int
    version: int
    rates: Mapping[str, int]
    tiers: Mapping[str, tuple[tuple[int, int], ...]]
    tier_mode: TierMode = "slab"
    window: Window = "month"
    time_zone: str = "UTC"

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Self:
        """Return the plan version written as JSON, else refuse with `bad_input` that names the field.

        `tiers` is one list for every product or an object of product: list.
        """
        unknown = sorted(set(given) - _FIELDS)
        if unknown:
            raise BadInput(
                sentence("commission plan: unknown field '%(unknown)s'", unknown=unknown[0][:40]), field=unknown[0][:40]
            )
        mode = given.get("tier_mode", "slab")
        if not isinstance(mode, str) or mode not in {"slab", "marginal"}:
            raise BadInput(sentence("tier_mode must be 'slab' or 'marginal'"), field="tier_mode", rule="choice")
        window = given.get("window", "month")
        if not isinstance(window, str) or window not in {"month", "rolling_30d"}:
            raise BadInput(sentence("window must be 'month' or 'rolling_30d'"), field="window", rule="choice")
        rates = _products(given.get("rates"), "rates")
        return cls(
            id=whole(given, "id", least=0, most=2**63 - 1, default=0),
            version=whole(given, "version", least=1, most=2**31 - 1),
            rates={product: whole(rates, product, most=MOST_BPS) for product in rates},
            tiers=_read_tiers(given.get("tiers", ()), rates),
            tier_mode="slab" if mode == "slab" else "marginal",
            window="month" if window == "month" else "rolling_30d",
            time_zone=_whole_hours(given.get("time_zone", "UTC")),
        )

    def to_json(self) -> dict[str, object]:
        """Return the plan version as `read` takes it."""
        return {
            "id": self.id,
            "version": self.version,
            "rates": dict(self.rates),
            "tiers": {product: [list(tier) for tier in tiers] for product, tiers in self.tiers.items()},
            "tier_mode": self.tier_mode,
            "window": self.window,
            "time_zone": self.time_zone,
        }

    def window_at(self, moment: datetime) -> tuple[datetime, datetime | None]:
        """Return from when (with) to when (without) the volume at that moment is counted; None: it rolls on."""
        if self.window == "rolling_30d":
            return moment - ROLLING, None
        local = moment.astimezone(ZoneInfo(self.time_zone))
        first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
        after = (first + timedelta(days=32)).replace(day=1)
        return first.astimezone(UTC), after.astimezone(UTC)

    def tier_at(self, product: str, volume_units: int) -> int:
        """Return how many tiers that volume has reached: 0 is the product's own rate."""
        return sum(start <= volume_units for start, _ in self.tiers.get(product, ()))

    def rate_for(self, product: str, volume_units: int, order_units: int = 0) -> int:
        """Return the bps for an order of `order_units` that comes on top of `volume_units` in the window.

        A product the plan does not name earns 0. A marginal order across a tier's bound gets the rate
        weighted by its parts, rounded down to a whole basis point.
        """
        base = self.rates.get(product, 0)
        tiers = self.tiers.get(product, ())
        end = volume_units + order_units
        if self.tier_mode == "slab" or order_units <= 0:
            return _tier_at(base, tiers, end)
        earned, at = 0, volume_units
        for start, _ in (*tiers, (end, 0)):
            if at < start:
                upto = min(start, end)
                earned += (upto - at) * _tier_at(base, tiers, at)
                at = upto
        return earned // order_units

    def next_tier(self, product: str, volume_units: int) -> tuple[int, int] | None:
        """Return (from_units, bps) of the next tier above that volume, or None at the top."""
        return next((tier for tier in self.tiers.get(product, ()) if tier[0] > volume_units), None)


class Link(NamedTuple):
    """One agent on the path of an order, with the rate its plan gives it now."""

    agent_id: int
    agent_ref: str
    plan_version_id: int
    plan_version: int
    own_bps: int
    tier: int = 0
    volume_units: int = 0
    volume_at: str = ""


class Share(NamedTuple):
    """What one agent earns on one order: `units` of USDT, and all that is needed to reckon it again.

    `tier` is the one reached with the order on top of `volume_units`, the window's volume as of `volume_at`.
    """

    agent_id: int
    agent_ref: str
    level: int
    plan_version_id: int
    plan_version: int
    own_bps: int
    below_bps: int
    rate_bps: int
    base_units: int
    units: int
    tier: int = 0
    volume_units: int = 0
    volume_at: str = ""

    @property
    def money(self) -> Money:
        """Return the share as an amount of USDT."""
        return Money(self.units, USDT)

    @property
    def formula(self) -> str:
        """Return how the share was reckoned, in words and figures."""
        base = Money(self.base_units, USDT)
        whole_share = base.share_bps(self.rate_bps)
        less = f" less {percent(self.below_bps)} below it" if self.below_bps else ""
        capped = f", cut from {whole_share.text()} to keep within the margin" if whole_share != self.money else ""
        rate = f"{percent(self.own_bps)}{less} = {percent(self.rate_bps)}" if less else percent(self.own_bps)
        return f"{rate} of {base.show()} = {self.money.show()}{capped}"

    def to_json(self) -> dict[str, int | str]:
        """Return the share for the snapshot kept with the order."""
        return self._asdict()


def split(path: Sequence[Link], *, base: Money, margin: Money) -> tuple[Share, ...]:
    """Return who earns what of `base` (gross USDT), the direct agent (level 1) first, the root last.

    Shares are rounded down; above `margin` (the platform's fee) they are cut in proportion, by largest
    remainder. What is left stays with the platform. Agents that earn nothing get no share. An agent twice on
    the path, or a rate outside 0 to 10,000 bps, is refused with `bad_input`.
    """
    if base.units <= 0 or margin.units <= 0:
        return ()
    shares: list[Share] = []
    seen: set[int] = set()
    highest = 0
    for level, link in enumerate(path, start=1):
        if link.agent_id in seen or not 0 <= link.own_bps <= BPS:
            raise BadInput(
                sentence("agent %(agent_ref)s breaks the path of the order", agent_ref=link.agent_ref),
                agent=link.agent_ref,
            )
        seen.add(link.agent_id)
        if link.own_bps > highest:
            shares.append(_share(link, level, highest, base))
            highest = link.own_bps
    return _within(margin, [share for share in shares if share.units > 0])


def to_json(shares: Sequence[Share]) -> list[dict[str, int | str]]:
    """Return the snapshot kept with the order, ready for JSON."""
    return [share.to_json() for share in shares]


def from_json(rows: Sequence[Mapping[str, int | str]]) -> tuple[Share, ...]:
    """Return the shares of a snapshot, whatever else its rows hold; refuse a broken one with `bad_input`."""
    try:
        kept = [{name: row[name] for name in Share._fields if name in row or name not in _LATER} for row in rows]
        return tuple(Share(**each) for each in kept)  # type: ignore[arg-type]
    except (TypeError, KeyError) as broken:
        raise BadInput(sentence("the commission snapshot has other fields than expected")) from broken


# What orders of before have not stored.
_LATER: Final = frozenset(Share._field_defaults)


def _share(link: Link, level: int, below_bps: int, base: Money) -> Share:
    rate_bps = link.own_bps - below_bps
    return Share(
        agent_id=link.agent_id,
        agent_ref=link.agent_ref,
        level=level,
        plan_version_id=link.plan_version_id,
        plan_version=link.plan_version,
        own_bps=link.own_bps,
        below_bps=below_bps,
        rate_bps=rate_bps,
        base_units=base.units,
        units=base.units * rate_bps // BPS,
        tier=link.tier,
        volume_units=link.volume_units,
        volume_at=link.volume_at,
    )


def _within(margin: Money, shares: list[Share]) -> tuple[Share, ...]:
    total = sum(share.units for share in shares)
    if total <= margin.units:
        return tuple(shares)
    cut = margin.allocate([share.units for share in shares])
    return tuple(share._replace(units=part.units) for share, part in zip(shares, cut, strict=True) if part.units > 0)


def _tier_at(base_bps: int, tiers: Sequence[tuple[int, int]], volume_units: int) -> int:
    bps = base_bps
    for start, tier_bps in tiers:
        if volume_units < start:
            break
        bps = tier_bps
    return bps


@lru_cache(maxsize=1)
def _zones() -> set[str]:
    return available_timezones()


def _whole_hours(given: object) -> str:
    """Return the name of a time zone whose months begin on a whole hour UTC, as volumes are counted."""
    if not isinstance(given, str):
        raise BadInput(sentence("time_zone must be the name of a time zone"), field="time_zone")
    if given not in _zones():
        raise BadInput(sentence("'%(given)s' is no time zone", given=given[:40]), field="time_zone")
    known = ZoneInfo(given)
    for month in (1, 7):
        offset = datetime(2026, month, 1, tzinfo=known).utcoffset() or timedelta()
        if offset % timedelta(hours=1):
            raise BadInput(
                sentence("months of %(given)s do not begin on a whole hour UTC", given=given), field="time_zone"
            )
    return given


def _products(given: object, field: str) -> Mapping[str, object]:
    if not isinstance(given, Mapping) or not given or not set(given) <= set(PRODUCTS):
        raise BadInput(
            sentence("%(field)s must be an object of %(products)s", field=field, products=list(PRODUCTS)),
            field=field, rule="products",
        )  # fmt: skip
    return given


def _read_tiers(given: object, rates: Mapping[str, object]) -> dict[str, tuple[tuple[int, int], ...]]:
    if not isinstance(given, Mapping):
        shared = read_tiers(given, "tiers", most_bps=MOST_BPS)
        return dict.fromkeys(rates, shared) if shared else {}
    by_product = _products(given, "tiers") if given else {}
    return {product: read_tiers(tiers, f"tiers.{product}", most_bps=MOST_BPS) for product, tiers in by_product.items()}
