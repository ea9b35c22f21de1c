"""What a gate answers: features in, reasons and a verdict out, all of it ready for JSON and replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from core.errors import BadInput
from core.risk.wording import WORDINGS, english

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.risk.parameters import Gate, Outcome

Answer = Literal["allow", "review", "hold", "refuse"]
ANSWERS: Final[tuple[Answer, ...]] = ("allow", "review", "hold", "refuse")
"""The answers of a gate, mildest first."""


class Features(NamedTuple):
    """All that the rules see of an order, as known at the moment of the decision.

    History is what was known strictly before that moment: the order that is judged counts in no figure of
    history, and the rules add it where they must. Amounts in units of USDT, times in seconds.
    """

    usdt_units: int
    kyc_level: int = 1
    # ISO 3166-1: the customer's by its file (a new one's: as declared), what was declared now where that differs,
    # the merchant's; "" if unknown
    customer_country: str = ""
    declared_country: str = ""
    merchant_country: str = ""
    # the customer's history; `p95_90d_units` is the 95th percentile of its completed orders, 0 if unknown
    orders_10m: int = 0
    orders_1h: int = 0
    orders_1d: int = 0
    orders_30d: int = 0
    usdt_24h_units: int = 0
    usdt_30d_units: int = 0
    p95_90d_units: int = 0
    prior_orders: int = 0
    prior_completed: int = 0
    expired_unpaid_24h: int = 0
    account_age_seconds: int = 0
    # the median first order of new customers from the same country, 0 if there are too few
    cohort_median_units: int = 0
    # the payer's account: customers seen with it, this one counted; why it is listed, "" if it is not
    payer_users_30d: int = 0
    payer_age_seconds: int = 0
    payer_listed: str = ""
    # the same of the account declared at the opening, where the claim named another
    declared_users_30d: int = 0
    declared_age_seconds: int = 0
    declared_listed: str = ""
    payer_name: str = ""
    verified_name: str = ""
    # the acceptor: from claim to confirmation; whether its bank's line was seen, None if it sends none
    confirm_seconds: int | None = None
    bank_line_seen: bool | None = None
    # its record of 30 days, the last fifty orders at most; without a dispute there is none, and both are 0
    acceptor_disputed_30d: int = 0
    acceptor_confirmed_30d: int = 0

    def to_json(self) -> dict[str, int | str | bool | None]:
        """Return the features for storage; `from_json` gives the same features again."""
        return self._asdict()

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Features:
        """Return stored features; refuse an unknown name with `bad_input`; a missing one is the default."""
        unknown = sorted(set(given) - set(cls._fields))
        if unknown or "usdt_units" not in given:
            raise BadInput(f"features: {unknown[0] if unknown else 'usdt_units'} does not fit", features=unknown)
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule fired: its value against its threshold, what it added to the score, and the evidence.

    `version` is the ruleset's. `contribution` is in thousandths of log-odds, after the cap of its family.
    `text_key` with `args` is what is stored and translated when shown; `text` and `counterfactual` are the same in
    English.
    """

    code: str
    version: int
    value: str
    threshold: str
    window: str
    contribution: int
    family: str
    outcome: Outcome
    text_key: str
    args: Mapping[str, str]
    evidence: Mapping[str, int | str | bool | None]

    @property
    def text(self) -> str:
        """Return what happened, in English."""
        return english(WORDINGS[self.text_key].text, self.text_key, self.args)

    @property
    def counterfactual(self) -> str:
        """Return what would have kept the rule silent, in English."""
        return english(WORDINGS[self.text_key].unless, self.text_key, self.args)

    def to_json(self) -> dict[str, Any]:
        """Return the reason for storage: facts and the key of its words, no sentence in any language."""
        return {
            "code": self.code,
            "version": self.version,
            "value": self.value,
            "threshold": self.threshold,
            "window": self.window,
            "contribution": self.contribution,
            "family": self.family,
            "outcome": self.outcome,
            "text_key": self.text_key,
            "args": dict(self.args),
            "evidence": dict(self.evidence),
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate answers, the score (thousandths of log-odds) and the reasons that add up to it."""

    gate: Gate
    verdict: Answer
    score: int
    reasons: tuple[Reason, ...]
    ruleset_version: int

    @property
    def passes(self) -> bool:
        """Return whether the order may go on by itself: at G1 a review passes flagged, at G3 it waits."""
        return self.verdict == "allow" or (self.verdict == "review" and self.gate == "G1")

    @property
    def alerts(self) -> tuple[Reason, ...]:
        """Return the reasons an officer must judge; one that only adds to the score counts once it stops."""
        if self.verdict != "allow":
            return self.reasons
        return tuple(reason for reason in self.reasons if reason.outcome != "score")

    def to_json(self) -> dict[str, Any]:
        """Return the verdict for storage."""
        return {
            "gate": self.gate,
            "verdict": self.verdict,
            "score": self.score,
            "ruleset_version": self.ruleset_version,
            "reasons": [reason.to_json() for reason in self.reasons],
        }


UNJUDGED: Final = "NO_RULES"
"""The code of the reason that stands where no rule could judge."""


def unjudged(gate: Gate) -> Verdict:
    """Return the answer of a gate that has no rules to judge by.

    Before the match nothing can be lost yet: the order goes on with a flag. The release is held until officers have
    judged in the rules' place.
    """
    answer: Answer = "review" if gate == "G1" else "hold"
    reason = Reason(
        code=UNJUDGED,
        version=0,
        value="",
        threshold="",
        window="",
        contribution=0,
        family="engine",
        outcome="review" if gate == "G1" else "hold",
        text_key=f"{UNJUDGED}.{gate}",
        args={},
        evidence={},
    )
    return Verdict(gate, answer, 0, (reason,), 0)
