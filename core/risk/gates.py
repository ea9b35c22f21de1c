"""The gates of an order: features from one query, the rules' verdict, and what is stored of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import compress
from operator import ne
from typing import TYPE_CHECKING, Any, Final

from core import ids
from core.errors import BadInput
from core.risk import cohorts
from core.risk.rules import Features, Verdict, evaluate
from core.risk.rulesets import ruleset
from core.steps import as_json

if TYPE_CHECKING:
    from core.steps import Row

_log: Final = logging.getLogger(__name__)

SLA_SECONDS: Final = {"refuse": 4 * 3600, "hold": 2 * 3600, "review": 8 * 3600, "allow": 24 * 3600}
"""How soon an alert wants an officer, by the verdict that raised it."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One evaluation: what was known, what the rules said, under which version (None: there were none)."""

    ruleset_id: int | None
    features: Features
    verdict: Verdict

    @property
    def refused(self) -> bool:
        """Return whether the order may not be opened at all."""
        return self.verdict.verdict == "refuse"

    @property
    def stops(self) -> bool:
        """Return whether the release waits for a person."""
        return not self.verdict.passes

    @property
    def holds(self) -> bool:
        """Return whether the escrow moves to held until two persons have decided."""
        return self.verdict.verdict in {"hold", "refuse"}

    @property
    def risk_state(self) -> str:
        """Return the order's risk state by this verdict."""
        if self.verdict.gate == "G3" and self.holds:
            return "held"
        if self.refused:
            return "refused"
        return "flagged" if self.verdict.verdict != "allow" or self.verdict.alerts else "clear"

    def facts(self) -> dict[str, object]:
        """Return the evaluation and its alerts as the steps store them; figures at their defaults are left out."""
        told = {reason.code: reason.to_json() for reason in self.verdict.reasons}
        alerts = [
            {
                "ref": ids.new("alr"),
                "rule": reason.code,
                "reason": told[reason.code],
                "due_seconds": SLA_SECONDS[self.verdict.verdict],
            }
            for reason in self.verdict.alerts
        ]
        return {
            "gate": self.verdict.gate,
            "ruleset": self.ruleset_id,
            "verdict": self.verdict.verdict,
            "score": self.verdict.score,
            "features": as_json(_told(self.features)),
            "reasons": as_json(list(told.values())) if told else "[]",
            "alerts": as_json(alerts) if alerts else None,
        }


def _told(features: Features) -> dict[str, int | str | bool | None]:
    """Return the features that `Features.from_json` would not give by itself: 0 seconds is not "unknown"."""
    return dict(compress(zip(Features._fields, features, strict=True), map(ne, features, _USUAL)))


_USUAL: Final = tuple(Features._field_defaults.get(name, ...) for name in Features._fields)


VECTOR: Final = (
    "orders_10m", "orders_1h", "orders_1d", "orders_30d", "usdt_24h_units", "usdt_30d_units", "p95_90d_units",
    "prior_orders", "prior_completed", "expired_unpaid_24h", "payer_users_30d", "payer_age_seconds",
    "acceptor_disputed_30d", "acceptor_confirmed_30d",
)  # fmt: skip
"""What the places of `risk_vector` mean."""


def _named(vector: list[int]) -> dict[str, Any]:
    return dict(zip(VECTOR, vector, strict=True))


def opening(row: Row, *, payer_name: str, customer_name: str, country: str) -> Gate:
    """Return gate G1's answer: may this order be opened? `row` is what `order_open_look` returned.

    `country` is what was declared for the customer; what its file says comes first, and both are looked at.
    """
    on_file = row["customer_country"] or country
    features = Features(
        **_named(row["vector"]),
        usdt_units=row["usdt_units"],
        kyc_level=1 if row["customer_level"] is None else row["customer_level"],
        customer_country=on_file,
        declared_country=country if country != on_file else "",
        merchant_country=row["merchant_country"] or "",
        account_age_seconds=row["customer_age"] or 0,
        cohort_median_units=cohorts.median(on_file),
        payer_listed=row["payer_listed"] or "",
        payer_name=payer_name,
        verified_name=row["customer_name"] or customer_name,
    )
    return _judged("G1", row["ruleset_id"], features)


def release(row: Row, *, payer_name: str, ruled: bool = False) -> Gate:
    """Return gate G3's answer: may the escrow go out? `row` is what `order_release_look` returned.

    Where the claim named another account than was declared at the opening, both are looked at. Where officers have
    `ruled` in the acceptor's place, there is no confirmation whose time could be odd.
    """
    users, age = row["declared"] or (0, 0)
    features = Features(
        **_named(row["vector"]),
        usdt_units=row["usdt_units"],
        kyc_level=row["customer_level"],
        account_age_seconds=row["customer_age"] or 0,
        payer_listed=row["payer_listed"] or "",
        declared_users_30d=users,
        declared_age_seconds=age,
        declared_listed=row["declared_listed"] or "",
        payer_name=payer_name,
        verified_name=row["customer_name"] or "",
        confirm_seconds=None if ruled else row["claimed_seconds_ago"] or 0,
    )
    return _judged("G3", row["ruleset_id"], features)


def _judged(gate: str, ruleset_id: int | None, features: Features) -> Gate:
    """Return what the rules say; where none are in force, or those in force cannot be used, it is `verdicts.unjudged`.

    A gate that fails does not stop the desk: G1 lets pass with a flag, G3 holds, and officers are told on each order.
    """
    if ruleset_id is not None:
        try:
            return Gate(ruleset_id, features, evaluate(gate, features, ruleset(ruleset_id)))
        except (BadInput, LookupError, TypeError, ValueError, ArithmeticError):
            _log.exception("the rules in force (%s) cannot be used at gate %s", ruleset_id, gate)
    return Gate(None, features, evaluate(gate, features, None))
