"""The terms of a fee schedule or commission plan as people read them: line by line, beside those in force."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from core import clock
from core.commissions import lives, versions
from portal import format as show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.actor import Actor

PRODUCTS = {
    "deposit": _l("Deposits"),
    "withdrawal": _l("Withdrawals"),
    "acceptor_volume": _l("Acceptors' volume"),
}
MODES = {"slab": _l("whole volume at the rate reached"), "marginal": _l("each part at its own rate")}
WINDOWS = {"month": _l("the calendar month"), "rolling_30d": _l("the last 30 days")}


class TermsLine(NamedTuple):
    """One line of the terms: as it is in force, as it is proposed, and whether that is another."""

    label: str
    now: str
    then: str

    @property
    def changed(self) -> bool:
        """Return whether the proposal changes it."""
        return self.now != self.then


def lines(kind: str, terms: Mapping[str, Any]) -> dict[str, str]:
    """Return the terms as labels and values."""
    return _fees(terms) if kind == versions.FEES else _plan(terms)


def beside(kind: str, now: Mapping[str, Any] | None, then: Mapping[str, Any]) -> list[TermsLine]:
    """Return the lines of what is proposed beside what is in force; what one of them lacks is a dash."""
    old, new = lines(kind, now) if now else {}, lines(kind, then)
    return [TermsLine(label, old.get(label, "–"), new.get(label, "–")) for label in dict.fromkeys([*new, *old])]


def changed(kind: str, each: lives.Lived) -> list[TermsLine]:
    """Return the terms in which a version differs from the one before it; of the first, none."""
    if each.before is None:
        return []
    return [line for line in beside(kind, each.before.terms, each.version.terms) if line.changed]


def context(actor: Actor, row: Any) -> dict[str, Any]:
    """Return what the page of a proposed version shows: what it does in a line, and its terms beside those in force."""
    said = row.payload
    all_of_it = [each for each in versions.known(actor, row.kind) if each.code == row.subject]
    made = next((each for each in all_of_it if each.version == said["version"]), None)
    # What was decided stands beside what was there before it, also when it is in force by now.
    if row.state == "approved":
        now = lives.before(all_of_it, said["version"])
    else:
        now = next((each for each in all_of_it if each.in_force), None)
    when = _begins(made if row.state == "approved" else None, said["effective_from"], all_of_it)
    name = f"{row.subject} v{said['version']}"
    return {
        "words": Markup("<b>{}</b>, {}").format(name, when),
        "asked": _("Put %(name)s in force %(when)s?", name=name, when=when.striptags()),
        "deed": "version",
        "now": now,
        "terms": beside(row.kind, now.terms if now else None, said["terms"]),
    }


def _begins(made: versions.Version | None, start: str | None, known: Sequence[versions.Version]) -> Markup:
    """Return from when a version is in force once it is approved, or, when it is `made`, from when it is."""
    if made and made.withdrawn_at:
        return escape(_("withdrawn %(when)s, before it began")) % {"when": show.when(made.withdrawn_at)}
    latest = made.effective_from if made else None
    if made is None:
        # None begins before the one before it, also one that comes.
        chosen = [datetime.fromisoformat(start)] if start else []
        latest = max([*chosen, *(each.effective_from for each in known if not each.withdrawn_at)], default=None)
    if latest and (made or latest > clock.now() + versions.LEAD):
        return escape(_("from %(when)s on")) % {"when": show.when(latest)}
    return escape(_("within %(n)s seconds of its approval", n=versions.LEAD.seconds))


def _share(bps: int) -> str:
    """Return a rate that is not broken before its sign."""
    return show.share(bps).replace(" ", "\u00a0")


def _usdt(units: int | None) -> str:
    return _("without a limit") if units is None else f"{show.amount(units, 'USDT')} USDT"


def _tiers(tiers: Sequence[Sequence[int]]) -> str:
    if not tiers:
        return _("none")
    return "; ".join(_("from %(amount)s: %(rate)s", amount=_usdt(start), rate=_share(bps)) for start, bps in tiers)


def _fees(terms: Mapping[str, Any]) -> dict[str, str]:
    methods = terms.get("method_bps") or {}
    return {
        _("Platform fee"): _share(terms["platform_bps"]),
        _("Tiers by the merchant's volume of 30 days"): _tiers(terms.get("tiers", ())),
        _("Least fee"): _usdt(terms.get("min_fee_units", 0)),
        _("Highest fee"): _usdt(terms.get("max_fee_units")),
        _("Fee of the payment method"): "; ".join(f"{name} {_share(bps)}" for name, bps in sorted(methods.items()))
        or _("no such fee"),
        _("Acceptor's spread"): _share(terms.get("spread_bps", 0)),
    }


def _plan(terms: Mapping[str, Any]) -> dict[str, str]:
    found = {str(PRODUCTS[name]): _share(bps) for name, bps in terms["rates"].items()}
    tiers = terms.get("tiers") or {}
    by_product = tiers if isinstance(tiers, dict) else dict.fromkeys(terms["rates"], tiers)
    for name in terms["rates"]:
        label = _("Tiers of %(product)s", product=PRODUCTS[name])
        found[label] = _tiers(by_product.get(name, ()))
    found[_("How tiers count")] = str(MODES[terms.get("tier_mode", "slab")])
    found[_("Volume is that of")] = str(WINDOWS[terms.get("window", "month")])
    found[_("Time zone")] = terms.get("time_zone", "UTC")
    return found
