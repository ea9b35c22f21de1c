"""The controls above a page: days, time zone, bucket, filters; plain form fields whose state is the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.actor import Scope
from core.errors import BadInput
from dashboards import asked, choices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask_babel import LazyString

    from core.actor import Actor
    from dashboards.board import Board

ZONES = (
    "UTC",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Moscow",
    "Africa/Lagos",
    "Asia/Dubai",
    "Asia/Ho_Chi_Minh",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
)
"""The zones on offer beside the reader's own; the address takes any of whole hours."""

RANGES: dict[str, LazyString] = {
    "7d": _l("7 days with today"),
    "30d": _l("30 days with today"),
    "90d": _l("90 days with today"),
    "month": _l("This month"),
    "last_month": _l("Last month"),
    "custom": _l("Other days…"),
}
BUCKETS: dict[str, LazyString] = {
    "hour": _l("By hour"),
    "day": _l("By day"),
    "week": _l("By week"),
    "month": _l("By month"),
}
SPLITS: dict[str, LazyString] = {"state": _l("Split by outcome"), "currency": _l("Split by currency")}
FILTERS: dict[str, tuple[LazyString, LazyString]] = {
    "merchant": (_l("Merchant"), _l("All merchants")),
    "acceptor": (_l("Acceptor"), _l("All acceptors")),
    "pool": (_l("Pool"), _l("All pools")),
    "currency": (_l("Currency"), _l("All currencies")),
    "agent": (_l("Agent"), _l("All agents")),
    "rule": (_l("Rule"), _l("All rules")),
}


WHOSE: dict[str, LazyString] = {
    "own": _l("Your own"),
    "below": _l("Agents below you"),
    "all": _l("You and the agents below"),
}


class Control(NamedTuple):
    """One choice: the address's argument, its label for the ear, its options and the chosen one."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    chosen: str
    usual: str = ""


class Bar(NamedTuple):
    """What the template draws."""

    controls: list[Control]
    first: str
    last: str
    today: str


def bar_of(board: Board, actor: Actor, search: str) -> Bar:
    """Return the page's controls as the address sets them; filters offer what the actor may see, no more."""
    try:
        question = asked.read(search)
    except BadInput:
        search = ""  # the tiles say what is wrong; the controls start afresh
        question = asked.read(search)
    today = asked.read("").last.isoformat()
    controls = [_control("range", _("Days"), RANGES, asked.RANGES, question.range, "30d")]
    controls.append(_zone(question.zone.key))
    if board.buckets:
        controls.append(_bucket(board, search))
    if board.splits:
        controls.append(_control("by", _("Split"), SPLITS, board.splits, question.by, board.splits[0]))
    if board.whose and actor.scope is Scope.AGENT:
        controls.append(_control("whose", _("Whose"), WHOSE, asked.WHOSE, question.whose, asked.WHOSE[0]))
    offered = choices.offered(actor, board.filters)
    for name in board.filters:
        label, every = FILTERS[name]
        chosen = getattr(question, name)
        options = [("", str(every)), *offered[name]]
        if chosen and chosen not in {value for value, _label in options}:
            options.append((chosen, chosen))
        controls.append(Control(name, str(label), options, chosen))
    return Bar(controls, question.first.isoformat(), question.last.isoformat(), today)


def _control(
    name: str,
    label: str,
    labels: dict[str, LazyString],
    values: Sequence[str],
    chosen: str,
    usual: str,
) -> Control:
    return Control(name, label, [(value, str(labels[value])) for value in values], chosen, usual)


def _bucket(board: Board, search: str) -> Control:
    """Return the choice of buckets; the first fits itself to the days."""
    chosen = asked.arguments(search).get("bucket", "")
    options = [("", _("Bucket: automatic")), *((value, str(BUCKETS[value])) for value in board.buckets)]
    return Control("bucket", _("Bucket"), options, chosen if chosen in board.buckets else "")


def _zone(chosen: str) -> Control:
    names = list(dict.fromkeys([asked.own_zone(), *ZONES, chosen]))
    return Control("tz", _("Time zone"), [(name, name.replace("_", " ")) for name in names], chosen, asked.own_zone())
