"""What happens on the seeded market: for each day its orders, whole, drawn from the seed alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate, pairwise
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from core.money import USDT, Money
from core.pricing import sandbox
from core.simulator import names
from core.simulator.people import CORRIDORS, Corridor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.money import Rate

DAY: Final = timedelta(days=1)
SOURCE: Final = sandbox.SOURCES[0]
_BPS: Final = 10_000
# How busy the hours of a local day and the days of a week are, Monday first; in parts, not in percent.
_HOURS: Final = (2, 1, 1, 1, 1, 2, 3, 5, 7, 8, 9, 9, 10, 9, 8, 8, 9, 10, 11, 12, 12, 10, 7, 4)
_WEEKDAYS: Final = (90, 92, 96, 100, 118, 124, 104)
_TIDY: Final = {"BRL": 500, "CNY": 1000, "VND": 10_000, "EUR": 100, "USD": 100}
"""Customers pay round sums: multiples of so many units of the currency."""
_HOME: Final = 6
"""A merchant gets so many parts of its orders from its own country, and one from each other."""
_BIGGEST_UNITS: Final = 8_000_000_000
_SMALLEST_UNITS: Final = 9_000_000


class Course(StrEnum):
    """How an order goes on after it was opened."""

    CLEAN = "clean"
    ABANDONED = "abandoned"
    CANCELLED = "cancelled"
    SILENT = "silent"
    QUICK = "quick"


# In parts of 10,000; the rest is clean.
_COURSES: Final = (
    (Course.ABANDONED, 480),
    (Course.CANCELLED, 260),
    (Course.SILENT, 35),
    (Course.QUICK, 90),
)
_OTHER_NAME: Final = 60
_NEAR_NAME: Final = 50
_RELATED_ACCOUNT: Final = 900
# So many of each pattern in 10,000 orders.
_PATTERNS: Final = {"burst": 9, "ring": 7, "large": 16, "probe": 6, "listed": 8}
_LISTED: Final = 8
_EVENTFUL: Final = 36
"""A last day of so many orders has every pattern, and so many payers under other names:"""
_UNUSUAL: Final = 10


class Customer(NamedTuple):
    """A merchant's customer as it appears in orders."""

    external_id: str
    name: str
    country: str
    account: str


class Plan(NamedTuple):
    """One order to be played: who, how much, when, and how it goes on (seconds after the step before)."""

    at: datetime
    merchant: int
    corridor: Corridor
    customer: Customer
    amount: Money
    payer_name: str
    payer_account: str
    course: Course
    claim_after: int
    confirm_after: int


class Market:
    """The orders of all days; the same seed and sizes give the same orders."""

    def __init__(self, *, seed: int, start: datetime, days: int, orders: int) -> None:
        """Share the orders among the days by week and slow growth."""
        self.seed = seed
        self.start = start
        self.days = days
        self.crowd = max(orders // 300, 3)
        weights = [_WEEKDAYS[(start + day * DAY).weekday()] * (2 * days + day) for day in range(days)]
        bounds = [orders * upto // sum(weights) for upto in accumulate(weights)]
        self.sizes = [upper - lower for lower, upper in pairwise((0, *bounds))]

    def lengthen(self, days: int) -> None:
        """Let the market last for so many days, the later ones as busy as its last week; the others stay."""
        week = self.sizes[-7:]
        while len(self.sizes) < days:
            self.sizes.append(week[len(self.sizes) % len(week)])

    def day(self, number: int) -> list[Plan]:
        """Return the orders of a day, in the order of their times."""
        rng = Random(f"{self.seed}:{number}")
        size = self.sizes[number]
        plans: list[Plan] = []
        last = number in {self.days - 1, len(self.sizes) - 1} and size >= _EVENTFUL
        for pattern, parts in _PATTERNS.items():
            if last or rng.randrange(_BPS) < parts * size:
                plans += list(self._pattern(rng, number, pattern))[: max(size - len(plans), 0)]
        if last:
            # The desks should have something to look at today.
            plans += [self._ordinary(rng, number, draw=_OTHER_NAME * (place % 2)) for place in range(_UNUSUAL)]
        while len(plans) < size:
            plans.append(self._ordinary(rng, number))
        end = self.start + (number + 1) * DAY
        return sorted((plan for plan in plans[:size] if plan.at < end), key=lambda plan: plan.at)

    def listed(self) -> list[str]:
        """Return the payer accounts that banks have reported before the market opens."""
        rng = Random(f"{self.seed}:listed")
        return [f"{rng.randrange(10**12):012d}" for _ in range(_LISTED)]

    def live(self, rng: Random, at: datetime) -> Plan:
        """Return one more order, opened at a moment and clean."""
        merchant, corridor = self._where(rng)
        customer = self._customer(merchant, corridor, rng.randrange(self.crowd))
        return self._plan(rng, at, merchant, corridor, customer)

    @staticmethod
    def rate(corridor: Corridor, at: datetime) -> Rate:
        """Return what one USDT costs in the corridor at a moment, as the sandbox's first source says."""
        return sandbox.price(corridor.currency, SOURCE, at)

    def _ordinary(self, rng: Random, number: int, draw: int | None = None) -> Plan:
        merchant, corridor = self._where(rng)
        at = self._moment(rng, number, corridor)
        seen = 3 + self.crowd * (self.days + 2 * number) // (3 * self.days)
        customer = self._customer(merchant, corridor, seen * rng.randrange(_BPS) * rng.randrange(_BPS) // _BPS**2)
        course = self._course(rng)
        name, account = customer.name, customer.account
        draw = rng.randrange(_BPS) if draw is None else draw
        if draw < _OTHER_NAME:
            name = names.person(rng, corridor.country)
        elif draw < _OTHER_NAME + _NEAR_NAME:
            name = f"{name.rsplit(' ', 1)[0]} {rng.choice(names.LAST[corridor.country].split())}"
        elif draw < _OTHER_NAME + _NEAR_NAME + _RELATED_ACCOUNT:
            # The same person writes its name as its bank does, or pays from its second account.
            name = name.upper()
            account = f"{account[:-2]}{(int(account[-2:]) + 37) % 100:02d}"
        return self._plan(rng, at, merchant, corridor, customer, name=name, account=account, course=course)

    def _pattern(self, rng: Random, number: int, pattern: str) -> Iterator[Plan]:
        """Give the orders of one thing the rules look for."""
        merchant, corridor = self._where(rng)
        at = self._moment(rng, number, corridor)
        tag = f"{pattern[0]}{number}"
        if pattern == "burst":
            customer = self._fresh(rng, tag, corridor)
            for place in range(8):
                yield self._plan(rng, at + timedelta(seconds=65 * place), merchant, corridor, customer, most=60)
        elif pattern == "ring":
            shared = f"{rng.randrange(10**12):012d}"
            for place in range(4):
                customer = self._fresh(rng, f"{tag}{place}", corridor)
                moment = at + timedelta(minutes=50 * place)
                yield self._plan(rng, moment, merchant, corridor, customer, account=shared, most=400)
        elif pattern == "listed":
            customer = self._fresh(rng, tag, corridor)
            yield self._plan(rng, at, merchant, corridor, customer, account=rng.choice(self.listed()), most=900)
        elif pattern == "large":
            customer = self._fresh(rng, tag, corridor)
            yield self._plan(rng, at, merchant, corridor, customer, least=2500, most=6000)
        else:
            customer = self._fresh(rng, tag, corridor)
            for place in range(6):
                moment = at + timedelta(minutes=22 * place)
                yield self._plan(rng, moment, merchant, corridor, customer, course=Course.ABANDONED, most=90)

    def _plan(
        self, rng: Random, at: datetime, merchant: int, corridor: Corridor, customer: Customer, *,
        name: str = "", account: str = "", course: Course = Course.CLEAN, least: int = 0, most: int = 0,
    ) -> Plan:  # fmt: skip
        quick = course is Course.QUICK
        return Plan(
            at=at,
            merchant=merchant,
            corridor=corridor,
            customer=customer,
            amount=self._amount(rng, corridor, at, least, most),
            payer_name=name or customer.name,
            payer_account=account or customer.account,
            course=course,
            claim_after=rng.randint(45, 540),
            confirm_after=rng.randint(4, 14) if quick else rng.randint(30, 200) + rng.randint(0, 260),
        )

    def _amount(self, rng: Random, corridor: Corridor, at: datetime, least: int, most: int) -> Money:
        """Return a round sum of fiat worth a usual amount of USDT, or one from `least` to `most` USDT."""
        units = int(rng.lognormvariate(5, 0.8) * 1_000_000)
        if most:
            units = rng.randint(least or most // 4, most) * 1_000_000
        worth = Money(max(_SMALLEST_UNITS, min(units, _BIGGEST_UNITS)), USDT)
        tidy = _TIDY[corridor.currency]
        exact = self.rate(corridor, at).fiat_for(worth)
        return Money((exact.units // tidy + 1) * tidy, exact.asset)

    def _where(self, rng: Random) -> tuple[int, Corridor]:
        count = len(names.MERCHANTS)
        merchant = rng.choices(range(count), [count + 4 - place for place in range(count)])[0]
        home = names.MERCHANTS[merchant][2]
        weights = [_HOME if corridor.country == home else 1 for corridor in CORRIDORS]
        return merchant, rng.choices(CORRIDORS, weights)[0]

    def _moment(self, rng: Random, number: int, corridor: Corridor) -> datetime:
        """Return a moment of the day by the hours people keep where they live."""
        first = (self.start + number * DAY).replace(minute=0, second=0, microsecond=0)
        hours = [_HOURS[(first.hour + hour + corridor.zone_hours) % 24] for hour in range(24)]
        seconds = rng.choices(range(24), hours)[0] * 3600 + rng.randrange(3600)
        return self.start + number * DAY + timedelta(seconds=seconds)

    def _course(self, rng: Random) -> Course:
        draw = rng.randrange(_BPS)
        for course, parts in _COURSES:
            if draw < parts:
                return course
            draw -= parts
        return Course.CLEAN

    def _customer(self, merchant: int, corridor: Corridor, place: int) -> Customer:
        rng = Random(f"{self.seed}:{merchant}:{corridor.currency}:{place}")
        return self._fresh(rng, f"{corridor.currency[:2].lower()}{place}", corridor)

    def _fresh(self, rng: Random, tag: str, corridor: Corridor) -> Customer:
        name = names.person(rng, corridor.country)
        return Customer(f"u-{self.seed}-{tag}", name, corridor.country, f"{rng.randrange(10**12):012d}")
