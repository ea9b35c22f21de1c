"""The words of the jobs' page: what each process and job is for, and what a run said of itself."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from babel.numbers import format_decimal
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.money import USDT
from portal import format as show
from portal import risk_words
from portal.states import BADGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel import LazyString

KINDS: Final[dict[str, LazyString]] = {"worker": _l("Worker"), "cron": _l("Schedule"), "web": _l("Web")}
PURPOSES: Final[dict[str, LazyString]] = {
    "orders.expire": _l("Ends orders whose time is over"),
    "orders.match": _l("Finds acceptors for waiting orders"),
    "ledger.fold": _l("Adds new credits to their accounts"),
    "analytics.rollup": _l("Brings the dashboards' figures up to the present"),
    "ledger.seal": _l("Seals the journal and the audit trail"),
    "prices.observe": _l("Reads exchange rates"),
    "exports.sweep": _l("Queues files and removes old ones"),
    "exports.run": _l("Writes one file"),
    "ledger.verify": _l("Checks every invariant"),
    "health.measure": _l("Measures what monitoring reads"),
    "health.clean": _l("Removes what is past its time"),
    "agents.volume": _l("Reckons agents' volumes for the commission tiers"),
    "merchants.volume": _l("Reckons merchants' volumes for the fee tiers"),
    "acceptors.hush": _l("Matches no more with acceptors that are not heard"),
    "risk.cohorts": _l("Reckons what is usual in each country"),
    "demo": _l("Fills the sandbox with a market that has a past"),
}
SAID: Final[dict[str, LazyString]] = {
    "acceptors": _l("acceptors"),
    "accounts": _l("accounts"),
    "agents": _l("agents"),
    "alerts_open": _l("open alerts"),
    "checked": _l("rows looked at"),
    "countries": _l("countries"),
    "days": _l("days"),
    "disputes": _l("disputes"),
    "done": _l("jobs done"),
    "due": _l("files due"),
    "error": _l("error"),
    "expired": _l("expired orders"),
    "export": _l("file"),
    "facts": _l("facts added"),
    "fold_lag_seconds": _l("oldest credit not added"),
    "host": _l("machine"),
    "invariants": _l("invariants"),
    "job_age_seconds": _l("since it last ended well"),
    "keys": _l("old idempotency keys removed"),
    "leads": _l("leads"),
    "merchants": _l("merchants"),
    "orders": _l("orders"),
    "orders_open": _l("open orders"),
    "orders_past_deadline": _l("orders past their deadline"),
    "outbox_oldest_seconds": _l("oldest fact not carried"),
    "outbox_waiting": _l("facts not carried yet"),
    "pid": _l("process number"),
    "prefix": _l("prefix"),
    "process_age_seconds": _l("processes last heard"),
    "queue_jobs": _l("queued"),
    "queued": _l("files queued"),
    "rates": _l("rates read"),
    "redis": _l("Redis"),
    "removed": _l("files removed"),
    "rows": _l("rows"),
    "rules_version": _l("version of the risk rules"),
    "seed": _l("seed"),
    "start": _l("since"),
    "tries": _l("old sign-in tries removed"),
    "usdt_units": _l("USDT"),
    "verify_age_seconds": _l("last check ended"),
    "verify_holds": _l("last check held"),
    "watermark_age_seconds": _l("last moved"),
}
"""What a figure that a run tells is called; one without a name of its own shows the machine's."""
THOUSAND: Final = 10_000
"""Smaller numbers need no separators."""
PLAIN: Final = frozenset({"pid", "seed"})
"""Numbers that are names."""
ELSEWHERE: Final = frozenset({"found"})
"""What has a place of its own on the page."""
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*[+Z]\S*")


def details_of(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a run or a process says of itself: name and value as people read them, what says nothing left out."""
    return [
        (str(SAID.get(name, name.replace("_", " "))), said)
        for name, value in details.items()
        if name not in ELSEWHERE and (said := _said(name, value))
    ]


def seconds(value: float) -> str:
    """Return how long something took, with the reader's decimal sign."""
    return format_decimal(value, "0.00", locale=get_locale() or "en")


def _said(name: str, value: Any) -> str:
    """Return a value in words: lengths of time and USDT in their own, "" for what says nothing."""
    if isinstance(value, dict):
        return ", ".join(f"{_called(key)} {said}" for key, each in value.items() if (said := _said(name, each)))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool) or name == "verify_holds":
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return _figure(name, value)
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return show.when(datetime.fromisoformat(value))
    return "" if value is None else str(value)


def _called(key: str) -> str:
    """Return what one of several figures is of: a state, a pocket, a kind of process by its word, else by its name."""
    if key in KINDS:
        return str(KINDS[key])
    return str(BADGES[key].text) if key in BADGES else key


def _figure(name: str, value: int) -> str:
    if name.endswith("_units"):
        return f"{show.amount(value, USDT.code)} USDT"
    if name.endswith("_seconds"):
        return risk_words.lasting(value)
    return str(value) if name in PLAIN or value < THOUSAND else show.number(value)
