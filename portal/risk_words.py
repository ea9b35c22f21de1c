"""What the gates saw and said, in the reader's language: stored are keys and facts, the words are made here."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from babel.numbers import format_decimal
from flask_babel import get_locale, gettext, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.money import USDT
from core.orders.matching import REASONS
from core.risk.wording import LIKENESS, NAMES, WORDINGS, Counted
from portal import format as show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask_babel import LazyString

RULES: Final[dict[str, LazyString]] = {code: _l(name) for code, name in NAMES.items()}
"""What a rule is called."""
WINDOWS: Final[dict[str, LazyString]] = {
    "10 minutes": _l("10 minutes"),
    "1 hour": _l("1 hour"),
    "24 hours": _l("24 hours"),
    "1 day": _l("1 day"),
    "30 days": _l("30 days"),
}
FEATURES: Final[dict[str, LazyString]] = {
    "usdt_units": _l("Amount of the order"),
    "kyc_level": _l("Customer's level"),
    "customer_country": _l("Customer's country"),
    "declared_country": _l("Country declared now"),
    "merchant_country": _l("Merchant's country"),
    "orders_10m": _l("Orders in 10 minutes"),
    "orders_1h": _l("Orders in 1 hour"),
    "orders_1d": _l("Orders in 1 day"),
    "orders_30d": _l("Orders in 30 days"),
    "usdt_24h_units": _l("Sum of 24 hours"),
    "usdt_30d_units": _l("Sum of 30 days"),
    "p95_90d_units": _l("Usual large order"),
    "prior_orders": _l("Orders before"),
    "prior_completed": _l("Completed before"),
    "expired_unpaid_24h": _l("Expired unpaid in 24 hours"),
    "account_age_seconds": _l("Customer known for"),
    "cohort_median_units": _l("Usual first order"),
    "payer_users_30d": _l("Customers of the payer's account, 30 days"),
    "payer_age_seconds": _l("Payer's account known for"),
    "payer_listed": _l("Payer's account listed"),
    "declared_users_30d": _l("Customers of the declared account, 30 days"),
    "declared_age_seconds": _l("Declared account known for"),
    "declared_listed": _l("Declared account listed"),
    "payer_name": _l("Payer's name"),
    "verified_name": _l("Verified name"),
    "confirm_seconds": _l("From claim to confirmation"),
    "bank_line_seen": _l("Bank line seen"),
    "acceptor_disputed_30d": _l("Acceptor's disputes, 30 days"),
    "acceptor_confirmed_30d": _l("Acceptor's confirmations, 30 days"),
}
"""What a figure of a gate is called."""
_AMOUNTS: Final = frozenset({"sum", "limit", "room", "usual", "amount"})
_OF_USDT: Final = ("VEL_AMT.", "NEW_LARGE.")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
RISKS: Final = ((-1000, _l("low risk")), (1000, _l("medium risk")), (3000, _l("high risk")))
"""Bands of a gate's score (thousandths of log-odds), each with where it ends; above them the risk is very high."""
WEIGHTS: Final = ((0, _l("adds nothing")), (1000, _l("adds little")), (2500, _l("adds clearly")))
"""Bands of what one rule adds to the score, each with its end; above them it adds much."""


class Told(NamedTuple):
    """A fired rule in words: what happened, what would have kept it silent, its value and its threshold."""

    text: str
    unless: str
    value: str
    threshold: str


class Seen(NamedTuple):
    """One figure of a gate: how it is called and what it was."""

    label: str
    value: str


def rule(code: str) -> str:
    """Return what a rule is called."""
    return str(RULES.get(code, code))


def told(reason: Mapping[str, Any]) -> Told:
    """Return a stored reason in words; one whose words are not known here speaks as it was stored, or by its code."""
    wording = WORDINGS.get(str(reason.get("text_key", "")))
    value, threshold = (_figure(reason, str(reason.get(name, "")), name) for name in ("value", "threshold"))
    if wording is None:
        text = str(reason.get("text") or rule(str(reason.get("code", ""))))
        return Told(_sentence(text), _sentence(str(reason.get("counterfactual", ""))), value, threshold)
    stored = {name: str(each) for name, each in reason.get("args", {}).items()}
    args = {name: _figure(reason, each, name) for name, each in stored.items()}
    text, unless = (_phrase(each, stored, args) for each in wording)
    return Told(_sentence(text), _sentence(unless), value, threshold)


def _phrase(phrase: str | Counted, stored: dict[str, str], args: dict[str, str]) -> str:
    if isinstance(phrase, Counted):
        number = stored.get(phrase.by, "")
        return ngettext(phrase.one, phrase.many, int(number) if number.isdigit() else 0, **args)
    # gettext puts the arguments in itself; a wording without any is not to be read as a format.
    return gettext(phrase, **args) if args else gettext(phrase)


def _figure(reason: Mapping[str, Any], text: str, name: str) -> str:
    """Return one argument of a reason as people write it: sums and counts with separators, windows in words."""
    if text in WINDOWS:
        return str(WINDOWS[text])
    if text.isdigit() and str(reason.get("text_key", "")).startswith(LIKENESS):
        return f"{format_decimal(Decimal(text) / 10, format='0.0', locale=get_locale() or 'en')} %"
    of_usdt = str(reason.get("text_key", "")).startswith(_OF_USDT)
    if not (of_usdt and name in _AMOUNTS | {"value", "threshold"}):
        return show.number(int(text)) if text.isascii() and text.isdigit() else text
    try:
        units = int(Decimal(text).scaleb(USDT.decimals))
    except (InvalidOperation, ValueError, OverflowError):
        return text
    figure = show.amount(units, USDT.code)
    return f"{figure} USDT" if name in {"value", "threshold"} else figure


def risk_of(score: int, reasons: Sequence[Mapping[str, Any]]) -> str:
    """Return how high a gate found the risk, in words, and by how much the rules that fired raised or lowered it.

    The score itself is told nowhere: below zero it is still far above that of an order nothing speaks against.
    """
    band = str(next((words for end, words in RISKS if score < end), _("very high risk")))
    moved = sum(int(each.get("contribution") or 0) for each in reasons)
    if not moved:
        return band
    amount = _tenths(abs(moved))
    if moved > 0:
        return _("%(band)s, raised by %(amount)s", band=band, amount=amount)
    return _("%(band)s, lowered by %(amount)s", band=band, amount=amount)


def weight_of(contribution: int) -> str:
    """Return how much a rule added to the score, in words, with the figure behind them."""
    band = next((words for end, words in WEIGHTS if contribution <= end), _("adds much"))
    return f"{band} ({_tenths(contribution)})"


def _tenths(milli: int) -> str:
    return format_decimal(Decimal(milli) / 1000, format="0.0", locale=get_locale() or "en")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def lost(outcome: str) -> str:
    """Return why a candidate was not chosen."""
    known = REASONS.get(outcome)
    return _sentence(gettext(known)) if known else outcome


def seen(features: Mapping[str, Any]) -> list[Seen]:
    """Return what a gate saw, in the order of the list of figures, each as people write it."""
    places = {name: place for place, name in enumerate(FEATURES)}
    names = sorted(features, key=lambda name: (places.get(name, len(places)), name))
    return [Seen(str(FEATURES.get(name, name.replace("_", " "))), _value(name, features[name])) for name in names]


def _value(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name.endswith("_units") and isinstance(value, int):
        return f"{show.amount(value, 'USDT')} USDT"
    if name.endswith("_seconds") and isinstance(value, int):
        return lasting(value)
    return show.number(value) if isinstance(value, int) else str(value)


def lasting(seconds: int) -> str:
    """Return a length of time in its two largest parts, such as 3 d 4 h, 2 h 5 m, 7 m 40 s."""
    days, rest = divmod(max(seconds, 0), _DAY)
    hours, rest = divmod(rest, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    if days:
        return _("%(d)s d %(h)s h", d=show.number(days), h=hours) if hours else _("%(d)s d", d=show.number(days))
    if hours:
        return _("%(h)s h %(m)s m", h=hours, m=minutes) if minutes else _("%(h)s h", h=hours)
    if minutes:
        return _("%(m)s m %(s)s s", m=minutes, s=rest) if rest else _("%(m)s m", m=minutes)
    return ngettext("%(num)s second", "%(num)s seconds", rest)
