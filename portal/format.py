"""How money, time, states, references and masked data are shown; registered once as template filters."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal
from flask_babel import get_locale, get_timezone
from flask_babel import gettext as _
from jinja2 import pass_context
from markupsafe import Markup, escape

from core import clock, vault
from core.money import Money
from core.money import asset as asset_of
from portal.states import badge_of

if TYPE_CHECKING:
    from flask import Flask

RECENT = timedelta(days=7)
_ICONS = Path(__file__).parent / "static" / "icons" / "lucide.svg"
_REF_TAIL = 6
_MINUTE = 60
_HOUR = 3600
_DAYS_FROM_HOURS = 48
NONE = Markup('<span class="muted none">–</span>')
"""What stands where there is nothing; the cards of narrow screens leave it out."""


def number(value: int | None) -> str:
    """Return a whole number with the locale's separators, or a dash."""
    return "–" if value is None else format_decimal(value, locale=get_locale() or "en")


def amount(units: int | None, code: str) -> str:
    """Return units of an asset as a plain figure such as 4,850.00, without the code.

    All the asset's decimals are shown, always: columns line up, and an amount reads the same on every screen.
    """
    if units is None:
        return "–"
    decimals = asset_of(code).decimals
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return format_decimal(Decimal(units).scaleb(-decimals), format=pattern, locale=get_locale() or "en")


def money(value: Money | int | None, code: str = "") -> Markup:
    """Return an amount with its code beside it, ready for a page; `value` is Money, or units with a code."""
    units, name = (value.units, value.asset.code) if isinstance(value, Money) else (value, code)
    if units is None:
        return NONE
    return Markup('<span class="nums">%s</span> <span class="ccy">%s</span>') % (
        amount(units, name),
        name,
    )


def money_text(value: Money) -> str:
    """Return an amount with its code as plain text for sentences, such as 216.00 USD, written as its reader does."""
    return f"{amount(value.units, value.asset.code)} {value.asset.code}"


def plain_figure(text: str) -> str:
    """Return a plain decimal such as 25434.671 with the reader's separators and all its decimals."""
    return format_decimal(Decimal(text), format="#,##0.########", locale=get_locale() or "en")


def share(bps: int | None) -> str:
    """Return basis points as per cent, such as 0.60 %."""
    if bps is None:
        return "–"
    return format_decimal(Decimal(bps).scaleb(-2), format="0.00", locale=get_locale() or "en") + " %"


def _exact(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    said = f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    if zone() == "UTC":
        return said
    return f"{said} · {moment.astimezone(get_timezone()):%Y-%m-%d %H:%M:%S} {zone()}"


def ago(moment: datetime | None) -> Markup:
    """Return a time as people say it ("2 min. ago", a date when older), exact UTC and own zone on hover."""
    if moment is None:
        return NONE
    locale = get_locale() or "en"
    off = moment - clock.now()
    if abs(off) < RECENT:
        said = format_timedelta(off, granularity="second", add_direction=True, format="short", locale=locale)
    else:
        said = format_date(moment.astimezone(get_timezone() or UTC), format="medium", locale=locale)
    return Markup('<time datetime="%s" title="%s">%s</time>') % (
        moment.isoformat(),
        _exact(moment),
        said,
    )


def when(moment: datetime | None) -> Markup:
    """Return a time in the user's zone to the second, exact UTC on hover."""
    if moment is None:
        return NONE
    here = moment.astimezone(get_timezone() or UTC)
    said = format_datetime(here, "yyyy-MM-dd HH:mm:ss", tzinfo=here.tzinfo, locale=get_locale() or "en")
    return Markup('<time datetime="%s" title="%s">%s</time>') % (
        moment.isoformat(),
        _exact(moment),
        said,
    )


def zone() -> str:
    """Return the name of the zone in which the reader's times are told, such as UTC or Asia/Shanghai."""
    return str(get_timezone() or "UTC")


def day(value: date | None) -> str:
    """Return a date as ISO 8601 says it."""
    return "–" if value is None else value.isoformat()


def past(deadline: datetime | None) -> bool:
    """Return whether a deadline has passed."""
    return deadline is not None and deadline < clock.now()


def left(deadline: datetime | None) -> Markup:
    """Return a countdown to a deadline; the page's script keeps it running."""
    if deadline is None:
        return NONE
    seconds = int((deadline - clock.now()).total_seconds())
    tone = "past" if seconds < 0 else "soon" if seconds < 5 * _MINUTE else ""
    return Markup('<span class="clock %s" data-until="%s" title="%s">%s</span>') % (
        tone,
        deadline.isoformat(),
        _exact(deadline),
        span(seconds),
    )


def span(seconds: int) -> str:
    """Return a length of time as 01:02:03, 06:12 or, from two days on, 3d 04h; with a minus when it has passed."""
    sign, rest = ("−", -seconds) if seconds < 0 else ("", seconds)
    hours, rest = divmod(rest, _HOUR)
    if hours >= _DAYS_FROM_HOURS:
        return sign + _("%(d)sd %(h)sh", d=hours // 24, h=f"{hours % 24:02d}")
    minutes, rest = divmod(rest, _MINUTE)
    return f"{sign}{hours:02d}:{minutes:02d}:{rest:02d}" if hours else f"{sign}{minutes:02d}:{rest:02d}"


def badge(state: object) -> Markup:
    """Return the coloured badge of a state, with its text."""
    if state is None or state == "":
        return NONE
    found = badge_of(state)
    return Markup('<span class="b %s">%s</span>') % (
        found.tone,
        found.text,
    )


def mask_account(text: str | None) -> str:
    """Return the end of an account number: •• 8812."""
    return vault.mask_account(text) if text and text.strip() else "–"


def mask_name(text: str | None) -> str:
    """Return the first name and one letter more: Joao S•••••; of short names one letter at most."""
    return vault.mask_name(text) if text and text.strip() else "–"


def ref(text: str | None, href: str = "") -> Markup:
    """Return a reference in monospace, short, in full on hover, with a copy button and maybe a link."""
    if not text:
        return NONE
    prefix, _sep, body = text.partition("_")
    short = f"{prefix}_…{body[-_REF_TAIL:]}" if len(body) > 2 * _REF_TAIL else text
    inner = (
        Markup('<a href="%s" title="%s">%s</a>')
        % (
            href,
            text,
            short,
        )
        if href
        else escape(short)
    )
    return Markup('<span class="ref" title="%s">%s%s</span>') % (
        text,
        inner,
        copy(text),
    )


def copy(text: str) -> Markup:
    """Return the button that copies a text."""
    return Markup('<button class="copy" type="button" data-copy="%s" aria-label="%s">%s</button>') % (
        text,
        _("Copy %(text)s", text=text),
        icon("copy"),
    )


@lru_cache(maxsize=1)
def _icons() -> dict[str, str]:
    text = _ICONS.read_text(encoding="utf-8")
    return dict(re.findall(r'<symbol id="([^"]+)"[^>]*>(.*?)</symbol>', text, re.DOTALL))


@lru_cache(maxsize=128)
def icon(name: str) -> Markup:
    """Return an icon of the kept set, inline; unknown names raise KeyError, so that tests find them."""
    return Markup('<svg class="i" viewBox="0 0 24 24" aria-hidden="true">%s</svg>') % (
        Markup(_icons()[name]),  # noqa: S704 - our own file
    )


def install(app: Flask) -> None:
    """Register all of these as filters, and those without an object as globals."""
    shown = (
        number,
        amount,
        money,
        money_text,
        plain_figure,
        share,
        ago,
        when,
        zone,
        day,
        left,
        past,
        span,
        badge,
        mask_account,
        mask_name,
        ref,
        copy,
        icon,
    )
    for each in shown:
        app.jinja_env.filters[each.__name__] = each
        app.jinja_env.globals.setdefault(each.__name__, each)
    plain = app.jinja_env.globals["ngettext"]

    @pass_context
    def counted(context: Any, one: str, many: str, count: int, **values: Any) -> str:
        """Return a template's sentence for so many, with the number's separators."""
        said: str = plain(context, one, many, count, **{"num": number(count), **values})
        return said

    app.jinja_env.globals["ngettext"] = counted
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
