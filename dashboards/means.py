"""What each figure of the dashboards counts, in a sentence: shown where the pointer rests on it, and below the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

if TYPE_CHECKING:
    from flask_babel import LazyString

_RANKED = _l("USDT of the orders released in these days. An order that found no acceptor belongs to none.")
_SHARES = _l(
    "Alerts of each, its share of all alerts of these days, and the USDT of the orders they are about, each order once."
    " The acceptor is the one the order has now; an order that found none belongs to none."
)

_VOLUME: dict[str, LazyString] = {
    "opened": _l("Orders opened in these days, however they ended."),
    "usdt": _l("USDT of the orders released in these days, before fees. Each order counts in the hour of its release."),
    "success": _l(
        "Completed ÷ paid orders that ended in these days (completed or refunded). Orders still waiting, and orders"
        " nobody paid, are in neither."
    ),
    "conversion": _l(
        "Completed ÷ orders that ended in these days, in whichever way, paid or not. Orders still open are in neither."
    ),
    "settle": _l(
        "From the customer's word that it was paid to the release: the mean of the orders completed in these days."
    ),
    "orders": _l("Orders by how they ended, in the hour they ended; split by currency: orders opened."),
    "amounts": _l("USDT of the orders released, by the currency that was paid."),
    "path": _l("Orders opened, matched with an acceptor, paid and completed; each step in the hour it happened."),
    "failures": _l("Orders that ended in these days without a release, by how they ended."),
    "currencies": _RANKED,
    "merchants": _RANKED,
    "acceptors": _RANKED,
    "pools": _RANKED,
    "week": _l("Orders opened, by weekday and hour of the chosen time zone."),
}
_RISK: dict[str, LazyString] = {
    "alerts": _l("Alerts raised on these UTC days by the risk rules; below: for a thousand orders opened on them."),
    "precision": _l(
        "Alerts confirmed ÷ alerts decided either way, confirmed or cleared (closed as a false positive or as"
        " explained); open and inconclusive ones are in neither."
    ),
    "held": _l("USDT that compliance holds at this moment, and its difference to the held pockets of the ledger."),
    "waiting": _l("Alerts nobody has decided at this moment, whatever days are chosen."),
    "decision": _l("Mean time from raised to decided, of the alerts raised on these days and decided since."),
    "days": _l(
        "Alerts by the UTC day they were raised and what has become of them since. Cleared are those closed as a false"
        " positive or as explained."
    ),
    "rules": _l("Alerts of each rule, how many were decided either way, and the share of those confirmed."),
    "kinds": _l("Alerts by the UTC day they were raised and the rule that raised them."),
    "verdicts": _l("Alerts by what the gate did with the order: let it pass, sent it to review, held or refused it."),
    "merchants": _SHARES,
    "acceptors": _SHARES,
    "ages": _l("Undecided alerts by the time since they were raised, at this moment."),
}
_COMMISSIONS: dict[str, LazyString] = {
    "earned": _l("Commission of all agents on the orders released on these UTC days."),
    "own": _l("What you earned yourself on the orders released on these UTC days."),
    "below": _l("What the agents below you earned themselves. Nothing of it is yours."),
    "lines": _l("Commission lines: one for each agent paid on an order."),
    "rate": _l(
        "Commission ÷ its base, in hundredths of a percent. The base is the gross USDT of the orders that paid it; an"
        " order that pays several agents counts once."
    ),
    "cost": _l("Commission of all agents ÷ fees charged on these UTC days, whatever agent is chosen."),
    "forecast": _l("Earned so far this UTC month ÷ time passed × length of the month; no season or trend."),
    "days": _l("Commission by the UTC day of the release and the agent's level: 1 is the merchant's own agent."),
    "pace": _l("This UTC month day by day, and where it gets at the pace so far."),
    "agents": _l("What each agent earned itself; its rate is over the gross of the orders it was paid on."),
    "levels": _l("Commission by the agent's place on the path of an order."),
    "plans": _l("Commission by the version of the plan that was in force when the order was opened."),
}
OF = {"volume": _VOLUME, "risk": _RISK, "commissions": _COMMISSIONS}


def of(page: str, tile: str) -> str:
    """Return what the tile of the page counts."""
    return str(OF[page][tile])
