"""Filters of a list: each reads its arguments strictly, gives a clause, and says it in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from flask_babel import get_timezone
from flask_babel import gettext as _

from core.errors import Refusal
from core.money import asset
from portal import typed

if TYPE_CHECKING:
    from flask_babel import LazyString
    from werkzeug.datastructures import MultiDict

LONGEST = 120
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


class BadList(Refusal):
    """The address of a list asks for something the list does not know."""

    code = "bad_list"
    status = 400


def one(args: MultiDict[str, str], name: str) -> str:
    """Return the argument, "" when absent; refuse a doubled, long or unreadable one with `bad_list`."""
    values = args.getlist(name)
    if len(values) > 1:
        raise BadList(_("'%(name)s' may be given once.", name=name), argument=name)
    text = values[0].strip() if values else ""
    if len(text) > LONGEST or any(ord(letter) < ord(" ") for letter in text):
        raise BadList(_("The value of '%(name)s' cannot be read.", name=name), argument=name)
    return text


@dataclass(frozen=True, slots=True)
class Choice:
    """One or several of a fixed set of values."""

    name: str
    label: LazyString | str
    options: tuple[tuple[str, LazyString | str], ...]
    control = "choice"
    single = False
    needs: ClassVar[tuple[str, ...]] = ()

    def arguments(self) -> tuple[str, ...]:
        """Return the arguments it reads."""
        return (self.name,)

    def chosen(self, args: MultiDict[str, str]) -> list[str]:
        """Return the values that are chosen; refuse unknown ones with `bad_list`."""
        chosen = [value for value in args.getlist(self.name) if value]
        known = {value for value, _label in self.options}
        for value in chosen:
            if value not in known:
                raise BadList(
                    _("'%(value)s' is not a choice of %(label)s.", value=value[:40], label=self.label),
                    argument=self.name,
                )
        return chosen

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:
        """Return what the rows must meet, None when nothing is chosen; refuse unknown values."""
        chosen = self.chosen(args)
        return getattr(model, self.name).in_(chosen) if chosen else None

    def words(self, args: MultiDict[str, str]) -> str:
        """Return the filter as people say it, "" when nothing is chosen."""
        labels = dict(self.options)
        chosen = [str(labels[value]) for value in args.getlist(self.name) if value in labels]
        return f"{self.label}: {', '.join(chosen)}" if chosen else ""


@dataclass(frozen=True, slots=True)
class Text:
    """The beginning of a text, in any case; `exact` for whole values. The column needs a fitting index."""

    name: str
    label: LazyString | str
    exact: bool = False
    control = "text"
    needs: ClassVar[tuple[str, ...]] = ()

    def arguments(self) -> tuple[str, ...]:
        """Return the arguments it reads."""
        return (self.name,)

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:
        """Return what the rows must meet, None when nothing is asked."""
        text = one(args, self.name)
        if not text:
            return None
        column = getattr(model, self.name)
        return column == text if self.exact else begins(column, text)

    def words(self, args: MultiDict[str, str]) -> str:
        """Return the filter as people say it."""
        text = args.get(self.name, "").strip()
        return f"{self.label}: {text}{'' if self.exact else '…'}" if text else ""


def begins(column: Any, text: str) -> sa.ColumnElement[bool]:
    """Return the clause "the column begins with the text, in any case"; wildcards in it are plain letters."""
    return sa.func.lower(column).startswith(text.lower(), autoescape=True)


@dataclass(frozen=True, slots=True)
class Period:
    """From a day (or exact moment) to a day, both within; days are those of the user's time zone."""

    name: str
    label: LazyString | str
    control = "period"
    needs: ClassVar[tuple[str, ...]] = ()

    def arguments(self) -> tuple[str, ...]:
        """Return the arguments it reads."""
        return (f"{self.name}_from", f"{self.name}_to")

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:
        """Return what the rows must meet, None when no end is given; refuse what is no date."""
        column = getattr(model, self.name)
        first, beyond = self.ends(args)
        parts = [column >= first] if first else []
        parts += [column < beyond] if beyond else []
        return sa.and_(*parts) if parts else None

    def ends(self, args: MultiDict[str, str]) -> tuple[datetime | None, datetime | None]:
        """Return the first moment within and the first beyond, None for an open end; refuse what is no date."""
        first, last = (one(args, name) for name in self.arguments())
        return (
            self._moment(first, self.arguments()[0], end=False) if first else None,
            self._moment(last, self.arguments()[1], end=True) if last else None,
        )

    def _moment(self, text: str, argument: str, *, end: bool) -> datetime:
        try:
            if _DAY.match(text):
                day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
                return datetime(day.year, day.month, day.day, tzinfo=get_timezone() or UTC).astimezone(UTC)
            moment = datetime.fromisoformat(text.replace(" ", "+"))
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise BadList(
            _("'%(text)s' is not a day such as 2026-11-20 or a time with its zone.", text=text[:40]),
            argument=argument,
        )

    def words(self, args: MultiDict[str, str]) -> str:
        """Return the filter as people say it."""
        first, last = (args.get(name, "").strip() for name in self.arguments())
        if not first and not last:
            return ""
        return f"{self.label}: {first or '…'} – {last or '…'} ({get_timezone()})"


@dataclass(frozen=True, slots=True)
class Amount:
    """From an amount to an amount, both within, in whole currency (250.00)."""

    name: str
    label: LazyString | str
    asset: str
    """A code in capitals, or the column with the code: then its filter must name one currency."""
    control = "amount"

    @property
    def needs(self) -> tuple[str, ...]:
        """The arguments without which it cannot be read."""
        return () if self.asset.isupper() else (self.asset,)

    def arguments(self) -> tuple[str, ...]:
        """Return the arguments it reads."""
        return (f"{self.name}_min", f"{self.name}_max")

    def clause(self, model: Any, args: MultiDict[str, str]) -> sa.ColumnElement[bool] | None:
        """Return what the rows must meet; refuse amounts that are none, or of no single currency."""
        least, most = (one(args, name) for name in self.arguments())
        if not least and not most:
            return None
        code = self.asset if self.asset.isupper() else args.get(self.asset, "")
        if not code or (not self.asset.isupper() and len(args.getlist(self.asset)) > 1):
            raise BadList(_("To filter by amount, choose one currency first."), argument=self.arguments()[0])
        column = getattr(model, self.name)
        parts = [column >= _units(least, code, self.arguments()[0])] if least else []
        parts += [column <= _units(most, code, self.arguments()[1])] if most else []
        return sa.and_(*parts)

    def words(self, args: MultiDict[str, str]) -> str:
        """Return the filter as people say it."""
        least, most = (args.get(name, "").strip() for name in self.arguments())
        return f"{self.label}: {least or '…'} – {most or '…'}" if least or most else ""


def _units(text: str, code: str, argument: str) -> int:
    try:
        return typed.money(text, asset(code), allow_zero=True).units
    except Refusal as refusal:
        raise BadList(refusal.detail, **{**refusal.facts, "argument": argument}) from refusal


Filter = Choice | Text | Period | Amount
