"""The form of a new version: the terms in force written as people type them, and what was typed read back as terms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from flask_babel import gettext as _

from core.commissions import versions
from core.commissions.plans import PRODUCTS
from core.errors import BadAmount, BadInput
from core.money import USDT, Asset
from portal import format as show
from portal import typed
from portal.views.enrolling import read_money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from core.errors import Refusal

PERCENT: Final = Asset("%", 2)
"""Rates are typed as per cent with two decimals: its units are basis points."""
_LINE = re.compile(r"([^:]+?)\s*:\s*([^\s:]+?)\s*%?")
_COMMON = ("code", "start", "why")
FIELDS: Final = {
    versions.FEES: (*_COMMON, "platform", "tiers", "least", "most", "methods", "spread"),
    versions.PLAN: (
        *_COMMON, *(f"rate_{each}" for each in PRODUCTS), *(f"tiers_{each}" for each in PRODUCTS), "mode", "window",
        "zone",
    ),
}  # fmt: skip
AT: Final = {
    "effective_from": "start", "reason": "why", "platform_bps": "platform", "min_fee_units": "least",
    "max_fee_units": "most", "method_bps": "methods", "spread_bps": "spread", "tier_mode": "mode", "time_zone": "zone",
    "rates": f"rate_{PRODUCTS[0]}", **{each: f"rate_{each}" for each in PRODUCTS},
    **{f"tiers.{each}": f"tiers_{each}" for each in PRODUCTS},
}  # fmt: skip
"""Which field of the form shows what core says of its own."""


def filled(kind: str, code: str, terms: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the form with the terms in force, or empty for a new code."""
    form = dict.fromkeys(FIELDS[kind], "") | {"code": code}
    if terms is None:
        return form | ({"mode": "slab", "window": "month", "zone": "UTC"} if kind == versions.PLAN else {})
    if kind == versions.FEES:
        most = terms.get("max_fee_units")
        return form | {
            "platform": _rate(terms["platform_bps"]),
            "tiers": _tiers(terms.get("tiers", ())),
            "least": _amount(terms.get("min_fee_units", 0)),
            "most": "" if most is None else _amount(most),
            "methods": "\n".join(
                f"{name}: {_rate(bps)}" for name, bps in sorted((terms.get("method_bps") or {}).items())
            ),
            "spread": _rate(terms.get("spread_bps", 0)),
        }
    tiers = terms.get("tiers") or {}
    by_product = tiers if isinstance(tiers, dict) else dict.fromkeys(terms["rates"], tiers)
    return (
        form
        | {f"rate_{name}": _rate(bps) for name, bps in terms["rates"].items()}
        | {f"tiers_{name}": _tiers(each) for name, each in by_product.items()}
        | {
            "mode": terms.get("tier_mode", "slab"),
            "window": terms.get("window", "month"),
            "zone": terms.get("time_zone", "UTC"),
        }
    )


def read(kind: str, form: Mapping[str, str]) -> dict[str, object]:
    """Return the terms that were typed. Raises BadInput and BadAmount that name the field of the form."""
    if kind == versions.FEES:
        return {
            "platform_bps": _bps(form["platform"], "platform"),
            "tiers": _read_tiers(form["tiers"], "tiers"),
            "min_fee_units": _units(form["least"], "least") if form["least"] else 0,
            "max_fee_units": _units(form["most"], "most") if form["most"] else None,
            "method_bps": _methods(_lines(form["methods"], "methods")),
            "spread_bps": _bps(form["spread"], "spread") if form["spread"] else 0,
        }
    named = [name for name in PRODUCTS if form[f"rate_{name}"]]
    strays = [name for name in PRODUCTS if name not in named and form[f"tiers_{name}"]]
    if strays:
        raise BadInput(_("Tiers need the product's own rate."), field=f"rate_{strays[0]}")
    tiers = {name: _read_tiers(form[f"tiers_{name}"], f"tiers_{name}") for name in named if form[f"tiers_{name}"]}
    return {
        "rates": {name: _bps(form[f"rate_{name}"], f"rate_{name}") for name in named},
        "tiers": tiers or [],
        "tier_mode": form["mode"],
        "window": form["window"],
        "time_zone": form["zone"],
    }


def read_start(text: str) -> datetime | None:
    """Return the moment that was chosen, in the reader's time zone; None: soon after the approval."""
    return typed.moment(text, "effective_from") if text else None


def in_words(refusal: Refusal) -> Refusal:
    """Return a refusal of terms in the words and units of the form, its code and facts kept; others as they are.

    Core's own sentence speaks to who wrote the terms as JSON: of fields by their names, in basis points and units.
    """
    said = _said(refusal.facts)
    return type(refusal)(said, **refusal.facts) if said else refusal


def _said(facts: Mapping[str, Any]) -> str:
    field, rule = str(facts.get("field", "")), facts.get("rule")
    if rule == "range" and field == "max_fee_units":
        return _("The highest fee must not be below the least fee, %(least)s.", least=f"{_amount(facts['least'])} USDT")
    if rule == "range" and not field.endswith("_units"):
        bounds = {"least": show.share(facts["least"]), "most": show.share(facts["most"])}
        if field.startswith("tiers"):
            return _("The rate of each tier must be from %(least)s to %(most)s.", **bounds)
        if field == "method_bps":
            return _("The fee of each payment method must be from %(least)s to %(most)s.", **bounds)
        return _("The rate must be from %(least)s to %(most)s.", **bounds)
    most = show.number(facts["most"]) if "most" in facts else ""
    return {
        "ascending": _("Each tier must begin at a higher volume than the one before it."),
        "count": _("There may be at most %(n)s tiers.", n=most),
        "name": _("The name of a payment method has 1 to %(n)s characters.", n=most),
        "choice": _("Choose one of the list."),
        "products": _("Give the rate of at least one product."),
    }.get(str(rule), "")


def _methods(lines: Iterable[tuple[str, str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, rate in lines:
        if name in found:
            raise BadInput(_("'%(name)s' has two rates; say one.", name=name[:40]), field="methods")
        found[name] = _bps(rate, "methods")
    return found


def _lines(text: str, field: str) -> list[tuple[str, str]]:
    found = []
    for line in filter(None, (each.strip() for each in text.splitlines())):
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise BadInput(
                _("'%(line)s' is not two parts with one colon between them, such as 100000: 0.5", line=line[:40]),
                field=field,
            )
        found.append((parts[1], parts[2]))
    return found


def _read_tiers(text: str, field: str) -> list[list[int]]:
    return [[_units(start, field), _bps(rate, field)] for start, rate in _lines(text, field)]


def _bps(text: str, field: str) -> int:
    """Return a rate that was typed in per cent. Raises BadAmount that says how one is written."""
    try:
        return read_money(text.removesuffix("%").strip(), PERCENT, field, allow_zero=True).units
    except BadAmount as refusal:
        such = show.share(60)
        said = _("Type a rate in per cent, such as %(such)s.", such=such)
        if text:
            said = _(
                "'%(text)s' is not a rate in per cent with two decimals at most, such as %(such)s.",
                text=text[:40], such=such,
            )  # fmt: skip
        raise BadAmount(said, **refusal.facts) from refusal


def _units(text: str, field: str) -> int:
    return read_money(text, USDT, field, allow_zero=True).units


def _rate(bps: int) -> str:
    return show.share(bps).removesuffix(" %")


def _amount(units: int) -> str:
    return show.amount(units, "USDT")


def _tiers(tiers: Sequence[Sequence[int]]) -> str:
    return "\n".join(f"{_amount(start)}: {_rate(bps)}" for start, bps in tiers)
