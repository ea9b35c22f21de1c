"""What a page's address asks for: the days, their time zone, the bucket and the filters, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo, available_timezones

from flask_babel import get_timezone
from flask_babel import gettext as _

from core import clock
from core.analytics.boards.asking import Days, Filters, Span
from core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

RANGES = ("7d", "30d", "90d", "month", "last_month", "custom")
BUCKETS = ("hour", "day", "week", "month")
FILTERS = ("merchant", "acceptor", "pool", "currency", "agent", "rule")
SPLITS = ("state", "currency")
WHOSE = ("own", "below", "all")
LONGEST_DAYS = 1100
LONGEST_HOURLY_DAYS = 14
SHORT_DAYS = 2
LONG_DAYS = 120
MOST_ARGUMENTS = 30
OLDEST = date(2000, 1, 1)
_CODE = re.compile(r"[\w.:-]{1,64}\Z")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """One page's question. `first` and `last` are days of `zone`, both within."""

    range: str
    first: date
    last: date
    zone: ZoneInfo
    bucket: str
    by: str = "state"
    merchant: str = ""
    acceptor: str = ""
    pool: str = ""
    currency: str = ""
    agent: str = ""
    rule: str = ""
    whose: str = "own"

    @property
    def start(self) -> datetime:
        """The moment the first day begins, UTC."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The moment the last day ends, UTC; not within."""
        return midnight(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    def span(self) -> Span:
        """Return the time as core asks for it: in hours or days, which longer buckets are made of."""
        return Span(self.start, self.end, self.zone.key, "hour" if self.bucket == "hour" else "day")

    def on_days(self) -> Days:
        """Return the same days as UTC days, for what is kept by the day."""
        return Days(self.first, self.last)

    @property
    def day_bucket(self) -> str:
        """The bucket for what is kept by the day: never smaller than that."""
        return "day" if self.bucket == "hour" else self.bucket

    def narrowed(self) -> Filters:
        """Return the filters as core asks for them."""
        # One agent that is named may be any of those the reader sees.
        return Filters(**self.filters(), whose="" if self.agent else self.whose)

    def previous(self) -> Asked:
        """Return the same question about as many days just before."""
        return replace(self, first=self.first - timedelta(days=self.days), last=self.first - timedelta(days=1))

    def filters(self, names: tuple[str, ...] = FILTERS) -> dict[str, str]:
        """Return the filters that are set, of those named."""
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def search(self, **changes: str) -> str:
        """Return the address's query string for this question, with some of it changed."""
        said = {"range": self.range, "tz": self.zone.key, "bucket": self.bucket, "by": self.by, **self.filters()}
        if self.whose != WHOSE[0]:
            said["whose"] = self.whose
        if self.range == "custom":
            said |= {"from": self.first.isoformat(), "to": self.last.isoformat()}
        said |= changes
        return "?" + urlencode({name: value for name, value in said.items() if value})

    def words(self) -> str:
        """Return the question in words, for files."""
        said = f"{self.first} – {self.last} ({self.zone.key})"
        return "; ".join([said, *(f"{name}: {value}" for name, value in self.filters().items())])


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return the names of all time zones; the standard library reads the disk for them each time."""
    return frozenset(available_timezones())


def whole_hours(zone: str) -> bool:
    """Return whether the zone keeps whole hours off UTC now; figures are kept by the hour."""
    offset = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset()
    return offset is not None and offset.total_seconds() % 3600 == 0


def own_zone() -> str:
    """Return the reader's own time zone, UTC when it is not one of whole hours."""
    zone = str(get_timezone() or "UTC")
    return zone if zone in zones() and whole_hours(zone) else "UTC"


def arguments(search: str | None) -> dict[str, str]:
    """Return the arguments of the query string. Raises BadInput when it is none."""
    try:
        return dict(parse_qsl((search or "").removeprefix("?"), max_num_fields=MOST_ARGUMENTS))
    except ValueError as error:
        raise BadInput(_("The address cannot be read.")) from error


def zone_of(args: Mapping[str, str]) -> ZoneInfo:
    """Return the time zone asked for, else the reader's own. Raises BadInput for what is none of whole hours."""
    name = args.get("tz") or own_zone()
    if name not in zones():
        raise BadInput(_("'%(name)s' is not a time zone.", name=name[:40]), argument="tz")
    if not whole_hours(name):
        raise BadInput(_("Figures are kept by the hour: choose a time zone with whole hours off UTC."), argument="tz")
    return ZoneInfo(name)


def read(search: str | None) -> Asked:
    """Return what the query string asks for. Raises BadInput for what is not a choice."""
    args = arguments(search)
    zone = zone_of(args)
    chosen = _choice(args, "range", RANGES, "30d")
    first, last = _days(chosen, args, clock.now().astimezone(zone).date())
    days = (last - first).days + 1
    usual = "hour" if days <= SHORT_DAYS else "day" if days <= LONG_DAYS else "week"
    bucket = _choice(args, "bucket", BUCKETS, usual)
    if bucket == "hour" and days > LONGEST_HOURLY_DAYS:
        bucket = "day"
    codes = {each: _code(args, each) for each in FILTERS}
    by, whose = _choice(args, "by", SPLITS, "state"), _choice(args, "whose", WHOSE, WHOSE[0])
    return Asked(chosen, first, last, zone, bucket, by, whose=whose, **codes)


def _choice(args: Mapping[str, str], name: str, choices: tuple[str, ...], usual: str) -> str:
    value = args.get(name) or usual
    if value not in choices:
        raise BadInput(_("'%(value)s' is not a choice of '%(name)s'.", value=value[:40], name=name), argument=name)
    return value


def _code(args: Mapping[str, str], name: str) -> str:
    value = args.get(name, "")
    if value and not _CODE.match(value):
        raise BadInput(_("'%(value)s' is not a choice of '%(name)s'.", value=value[:40], name=name), argument=name)
    return value


def _days(chosen: str, args: Mapping[str, str], today: date) -> tuple[date, date]:
    if chosen == "month":
        return today.replace(day=1), today
    if chosen == "last_month":
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    if chosen != "custom":
        return today - timedelta(days=int(chosen.removesuffix("d")) - 1), today
    first, last = _day(args, "from", today - timedelta(days=29)), _day(args, "to", today)
    if first > today:
        raise BadInput(_("The first day lies in the future."), argument="from")
    if last < first:
        raise BadInput(_("The last day lies before the first."), argument="to")
    if (last - first).days >= LONGEST_DAYS or first < OLDEST:
        raise BadInput(_("Choose at most three years, none before 2000."), argument="from")
    return first, last


def _day(args: Mapping[str, str], name: str, usual: date) -> date:
    text = args.get(name, "")
    if not text:
        return usual
    try:
        if _DAY.match(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadInput(_("'%(text)s' is not a day such as 2026-11-20.", text=text[:40]), argument=name)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment a day begins in the zone, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
