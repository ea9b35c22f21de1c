"""The sidebar: sections and items, each shown to who holds its right, with badges that count what waits."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import current_app, g, request
from flask_babel import lazy_gettext as _l

from core.actor import Actor, Right
from portal import format as show
from portal.logs import log
from portal.roles import current_actor
from portal.security.gate import SIGNED_IN

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask_babel import LazyString

BADGE_SECONDS = 10
"""A badge's count may be this old; counting at every page would cost more than the page."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the menu: where it leads and who sees it."""

    name: str
    label: LazyString
    icon: str
    href: str
    right: Right | str
    roles: frozenset[str] = field(default_factory=frozenset)
    """Only these roles see it; empty: whoever holds the right."""


class Count(NamedTuple):
    """What a badge says: how many, and whether that is urgent."""

    number: int
    hot: bool = False


class Line(NamedTuple):
    """One line as the template draws it."""

    item: Item
    count: Count | None
    here: bool


SECTIONS: tuple[tuple[LazyString | str, tuple[Item, ...]], ...] = (
    ("", (Item("home", _l("Home"), "house", "/", SIGNED_IN),)),
    (
        _l("Review"),
        (Item("alerts", _l("Review queue"), "shield-alert", "/alerts/list/", Right.SEE_ALERTS),),
    ),
    (
        _l("Operations"),
        (
            Item("desk", _l("My desk"), "timer", "/desk/", Right.CONFIRM_RECEIPT),
            Item("orders", _l("Orders"), "arrow-left-right", "/orders/list/", Right.SEE_ORDERS),
            Item("acceptors", _l("Acceptors"), "handshake", "/acceptors/list/", Right.SEE_ACCEPTORS),
            Item("merchants", _l("Merchants"), "store", "/merchants/list/", Right.SEE_MERCHANTS),
            Item(
                "bank_accounts",
                _l("Bank accounts"),
                "landmark",
                "/bank-accounts/list/",
                Right.SEE_BANK_ACCOUNTS,
            ),
            Item("pools", _l("Pools"), "list-checks", "/pools/list/", Right.SEE_POOLS),
            Item("agents", _l("Agents"), "network", "/agents/list/", Right.SEE_AGENTS),
        ),
    ),
    (
        _l("Finance"),
        (
            Item("commissions", _l("Commissions"), "percent", "/commissions/list/", Right.SEE_COMMISSIONS),
            Item("versions", _l("Fees and plans"), "scroll-text", "/versions/", Right.SEE_PRICING),
            Item("approvals", _l("Approvals"), "circle-check", "/approvals/list/", Right.SEE_APPROVALS),
            Item("exports", _l("My files"), "download", "/exports/", Right.EXPORT),
        ),
    ),
    (
        _l("Insight"),
        (
            Item("volume", _l("Volume"), "chart-column", "/dashboards/volume", Right.SEE_VOLUME),
            Item("risk", _l("Risk"), "activity", "/dashboards/risk", Right.SEE_RISK),
            Item(
                "commission_board",
                _l("Commission trend"),
                "chart-no-axes-combined",
                "/dashboards/commissions",
                Right.SEE_COMMISSIONS,
            ),
        ),
    ),
    (
        _l("System"),
        (
            Item("audit", _l("Audit"), "scroll-text", "/audit/list/", Right.SEE_AUDIT),
            Item("jobs", _l("Jobs"), "cog", "/jobs/list/", Right.SEE_JOBS),
            Item("users", _l("Users"), "users", "/users/", Right.MANAGE_USERS),
        ),
    ),
)

_counters: dict[str, Callable[[Actor], Count | None]] = {}
_kept: dict[tuple[str, int | None], tuple[float, Count | None]] = {}


def badge(name: str) -> Callable[[Callable[[Actor], Count | None]], Callable[[Actor], Count | None]]:
    """Register a function as the counter of a menu item: it takes the actor and returns a Count or None."""

    def register(counter: Callable[[Actor], Count | None]) -> Callable[[Actor], Count | None]:
        _counters[name] = counter
        return counter

    return register


def sections() -> list[tuple[LazyString | str, list[Line]]]:
    """Return what the signed-in person sees: only pages that exist and that its rights open."""
    if g.get("person") is None:
        return []
    actor = current_actor()
    drawn = []
    for title, items in SECTIONS:
        lines = [Line(item, _count(item, actor), _here(item)) for item in items if _shown(item, actor)]
        if lines:
            drawn.append((title, lines))
    return drawn


def _shown(item: Item, actor: Actor) -> bool:
    if item.roles and actor.role not in item.roles:
        return False
    if not (item.right == SIGNED_IN or (isinstance(item.right, Right) and actor.may(item.right))):
        return False
    return item.href in _pages()


def _pages() -> frozenset[str]:
    """Return the addresses that exist, so that the menu never leads nowhere."""
    pages: frozenset[str] | None = current_app.extensions.get("desk_pages")
    if pages is None:
        rules = {rule.rule for rule in current_app.url_map.iter_rules()}
        boards = any(rule.startswith("/dashboards/") for rule in rules)
        listed = {item.href for _title, items in SECTIONS for item in items if item.href.startswith("/dashboards/")}
        pages = current_app.extensions["desk_pages"] = frozenset(rules | (listed if boards else set()))
    return pages


def _here(item: Item) -> bool:
    if item.href == "/":
        return request.path == "/"
    base = item.href.removesuffix("list/")
    return request.path.startswith(base)


def _count(item: Item, actor: Actor) -> Count | None:
    counter = _counters.get(item.name)
    if counter is None:
        return None
    kept = _kept.get((item.name, actor.user_id))
    if kept is not None and time.monotonic() - kept[0] < BADGE_SECONDS:
        return kept[1]
    return _keep(item.name, actor, _counted(item.name, counter, actor))


def _counted(name: str, counter: Callable[[Actor], Count | None], actor: Actor) -> Count | None:
    try:
        return counter(actor)
    except Exception:  # noqa: BLE001 - a badge that cannot be counted must not take the page with it
        log.warning("badge", item=name, exc_info=True)
        return None


def _keep(name: str, actor: Actor, count: Count | None) -> Count | None:
    if len(_kept) > 10_000:  # noqa: PLR2004 - a bound, so that many users do not fill the memory
        _kept.clear()
    _kept[name, actor.user_id] = (time.monotonic(), count)
    return count


def news(name: str, actor: Actor, *known: Count | None) -> dict[str, dict[str, Any]]:
    """Return a badge as the script of a page that asks for news draws it anew.

    It is what the page has just counted (`known`), else counted now; pages opened from now on show the same.
    """
    count = _keep(name, actor, known[0] if known else _counted(name, _counters[name], actor))
    return {name: {"text": show.number(count.number) if count else "", "hot": bool(count and count.hot)}}
