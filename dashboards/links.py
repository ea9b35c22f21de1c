"""Where a mark leads: the portal's lists, filtered to the very rows behind the figure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

ORDERS = "/orders/list/"
ALERTS = "/alerts/list/"
COMMISSIONS = "/commissions/list/"
HELD = f"{ORDERS}?hold=open"
"""The orders whose USDT is held now: one hold each."""


def orders(start: datetime, end: datetime, **filters: str) -> str:
    """Return the orders opened from `start` up to (not with) `end`."""
    return _address(ORDERS, {"from": _rfc(start), "to": _rfc(end), **filters})


def ended(start: datetime, end: datetime, state: str | tuple[str, ...], **filters: str) -> str:
    """Return the orders that came to `state` (or any of several) from `start` up to (not with) `end`."""
    return _address(ORDERS, {"state": state, "ended_from": _rfc(start), "ended_to": _rfc(end), **filters})


def alerts(first: date, last: date, **filters: str | tuple[str, ...]) -> str:
    """Return the alerts raised on those UTC days; a filter of several values takes any of them."""
    return _address(ALERTS, {**_days(first, last), **filters})


def commissions(first: date, last: date, **filters: str) -> str:
    """Return the commission lines earned on those UTC days."""
    return _address(COMMISSIONS, {**_days(first, last), **filters})


def _days(first: date, last: date) -> dict[str, str]:
    return {"from": f"{first}T00:00:00Z", "to": f"{last + timedelta(days=1)}T00:00:00Z"}


def _address(path: str, args: Mapping[str, str | tuple[str, ...]]) -> str:
    return f"{path}?{urlencode({name: value for name, value in args.items() if value}, doseq=True)}"


def _rfc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
