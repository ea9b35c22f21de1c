"""The gates of an order: features from one query, the rules' verdict, and what is stored of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core import ids
from core.risk.rules import Features, Verdict, evaluate
from core.risk.rulesets import ruleset

if TYPE_CHECKING:
    from core.db import Transaction

SLA_SECONDS: Final = {"refuse": 4 * 3600, "hold": 2 * 3600, "review": 8 * 3600, "allow": 24 * 3600}
"""How soon an alert wants an officer, by the verdict that raised it."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One evaluation: what was known, what the rules said, under which version."""

    ruleset_id: int
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

    def facts(self) -> dict[str, Any]:
        """Return the evaluation and its alerts as the SQL functions store them."""
        due = SLA_SECONDS[self.verdict.verdict]
        told = {reason.code: reason.to_json() for reason in self.verdict.reasons}
        return {
            "gate": self.verdict.gate,
            "ruleset_id": self.ruleset_id,
            "verdict": self.verdict.verdict,
            "score": self.verdict.score,
            "features": self.features.to_json(),
            "reasons": list(told.values()),
            "alerts": [
                {"ref": ids.new("alr"), "rule": reason.code, "reason": told[reason.code], "due_seconds": due}
                for reason in self.verdict.alerts
            ],
        }


def opening(tx: Transaction, seen: dict[str, Any], *, units: int, payer_name: str, customer_name: str) -> Gate:
    """Return gate G1's answer: may this order be opened? `seen` is what `order_open_context` returned."""
    customer = seen["customer"] or {"kyc_level": 1, "age_seconds": 0, "name": customer_name}
    features = Features(
        **seen["features"],
        usdt_units=units,
        kyc_level=customer["kyc_level"],
        account_age_seconds=customer["age_seconds"],
        payer_listed=(seen["payer"] or {"listed": ""})["listed"],
        payer_name=payer_name,
        verified_name=customer["name"],
    )
    return _judged(tx, "G1", seen["ruleset_id"], features)


def release(tx: Transaction, order: dict[str, Any], *, payer_name: str) -> Gate:
    """Return gate G3's answer: may the escrow go out? `order` is what `order_lock` returned with its gate."""
    customer = order["customer"]
    features = Features(
        **order["features"],
        usdt_units=order["usdt_units"],
        kyc_level=customer["kyc_level"],
        account_age_seconds=customer["age_seconds"],
        payer_listed=order["payer_listed"],
        payer_name=payer_name,
        verified_name=customer["name"],
        confirm_seconds=order["claimed_seconds_ago"],
    )
    return _judged(tx, "G3", order["ruleset_id"], features)


def _judged(tx: Transaction, gate: str, ruleset_id: int, features: Features) -> Gate:
    return Gate(ruleset_id, features, evaluate(gate, features, ruleset(tx, ruleset_id)))
