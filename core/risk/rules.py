"""The rules of the gates: pure functions of features and parameters, and the verdict they add up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from core.errors import BadInput
from core.money import USDT, Money
from core.risk.names import similarity
from core.risk.parameters import DEFAULT_RULESET, DEFAULTS, GATES, Gate, Outcome, Ruleset
from core.risk.verdicts import ANSWERS, Answer, Features, Reason, Verdict, unjudged

__all__ = ["DEFAULTS", "DEFAULT_RULESET", "RULES", "Features", "Reason", "Ruleset", "Verdict", "evaluate"]

Params = Mapping[str, Any]


class Hit(NamedTuple):
    """A rule that fired; `strength` in thousandths scales its weight (1000: just over the threshold)."""

    key: str
    value: str
    threshold: str
    window: str
    outcome: Outcome
    weight_milli: int
    strength: int
    args: dict[str, str]
    evidence: tuple[str, ...]


class Rule(NamedTuple):
    """One rule of the catalogue: its number there, the family its score counts in, and its check."""

    number: int
    family: str
    check: Callable[[Features, Params], Hit | None]


def _strength(value: int, threshold: int) -> int:
    """Return value against threshold in thousandths, between once and twice the threshold."""
    return max(1000, min(2000, 1000 * value // max(threshold, 1)))


def _usdt(units: int) -> str:
    """Return units of USDT as a decimal with no needless zeros."""
    return Money(max(units, 0), USDT).text().rstrip("0").rstrip(".")


def _milli(value: int) -> str:
    """Return thousandths as a decimal with no needless zeros."""
    return f"{value // 1000}.{value % 1000:03d}".rstrip("0").rstrip(".")


def _barred_country(f: Features, p: Params) -> Hit | None:
    for key, feature in (
        ("GEO.customer", "customer_country"),
        ("GEO.declared", "declared_country"),
        ("GEO.merchant", "merchant_country"),
    ):
        country = getattr(f, feature)
        if country in p["barred_countries"]:
            barred = ", ".join(p["barred_countries"])
            args = {"country": country, "barred": barred}
            return Hit(key, country, barred, "", p["outcome"], p["weight_milli"], 1000, args, (feature,))
    return None


def _too_many_orders(f: Features, p: Params) -> Hit | None:
    for feature, limit, window in (
        ("orders_10m", p["most_10m"], "10 minutes"),
        ("orders_1h", p["most_1h"], "1 hour"),
        ("orders_1d", p["most_1d"], "1 day"),
    ):
        count = getattr(f, feature) + 1  # with the order that is judged
        if count > limit:
            args = {"count": str(count), "limit": str(limit), "window": window}
            strength = _strength(count, limit)
            return Hit(
                "VEL_CNT",
                str(count),
                str(limit),
                window,
                p["outcome"],
                p["weight_milli"],
                strength,
                args,
                (feature,),
            )
    return None


def _cap(limits: Mapping[str, int], level: int) -> int:
    """Return the limit of the highest level that is not above `level`."""
    for known in range(level, -1, -1):
        limit = limits.get(str(known))
        if limit is not None:
            return limit
    return limits["0"]


def _too_much_money(f: Features, p: Params) -> Hit | None:
    for feature, limits, window in (
        ("usdt_24h_units", p["cap_24h_units"], "24 hours"),
        ("usdt_30d_units", p["cap_30d_units"], "30 days"),
    ):
        before, limit = getattr(f, feature), _cap(limits, f.kyc_level)
        total = before + f.usdt_units
        if total > limit:
            args = {"sum": _usdt(total), "limit": _usdt(limit), "room": _usdt(limit - before)}
            args |= {"window": window, "level": str(f.kyc_level)}
            return Hit(
                "VEL_AMT.cap", args["sum"], args["limit"], window, p["cap_outcome"], p["weight_milli"],
                _strength(total, limit), args, (feature, "usdt_units", "kyc_level"),
            )  # fmt: skip
    return _unusual_day(f, p)


def _unusual_day(f: Features, p: Params) -> Hit | None:
    if not f.p95_90d_units or f.prior_completed < p["usual_least_orders"]:
        return None
    limit = f.p95_90d_units * p["usual_times_milli"] // 1000
    total = f.usdt_24h_units + f.usdt_units
    if total <= limit:
        return None
    times = _milli(p["usual_times_milli"])
    args = {"sum": _usdt(total), "usual": _usdt(f.p95_90d_units), "times": times, "window": "24 hours"}
    args["room"] = _usdt(limit - f.usdt_24h_units)
    return Hit(
        "VEL_AMT.profile", args["sum"], _usdt(limit), "24 hours", p["outcome"], p["weight_milli"],
        _strength(total, limit), args, ("usdt_24h_units", "usdt_units", "p95_90d_units"),
    )  # fmt: skip


def _new_and_large(f: Features, p: Params) -> Hit | None:
    first = f.prior_orders == 0
    if not first and f.account_age_seconds >= p["young_seconds"]:
        return None
    limit = p["large_units"]
    if f.cohort_median_units:
        limit = min(limit, f.cohort_median_units * p["cohort_times_milli"] // 1000)
    if f.usdt_units <= limit:
        return None
    args = {
        "amount": _usdt(f.usdt_units),
        "limit": _usdt(limit),
        "days": str(f.account_age_seconds // 86_400),
    }
    return Hit(
        "NEW_LARGE.first" if first else "NEW_LARGE.young", args["amount"], args["limit"], "", p["outcome"],
        p["weight_milli"], _strength(f.usdt_units, limit), args,
        ("usdt_units", "prior_orders", "account_age_seconds", "cohort_median_units"),
    )  # fmt: skip


def _other_name(f: Features, p: Params) -> Hit | None:
    if not f.verified_name:
        return None
    evidence = ("payer_name", "verified_name")
    if not f.payer_name:
        return Hit(
            "NAME_MISMATCH.missing",
            "",
            "",
            "",
            p["missing_outcome"],
            p["soft_weight_milli"],
            1000,
            {},
            evidence,
        )
    score = similarity(f.payer_name, f.verified_name).score_milli
    if score >= p["review_below_milli"]:
        return None
    hard = score < p["hold_below_milli"]
    limit = str(p["hold_below_milli"] if hard else p["review_below_milli"])
    args = {"score": str(score), "limit": limit}
    if hard:
        return Hit("NAME_MISMATCH.hard", str(score), limit, "", p["outcome"], p["weight_milli"], 1000, args, evidence)
    return Hit(
        "NAME_MISMATCH.soft",
        str(score),
        limit,
        "",
        p["soft_outcome"],
        p["soft_weight_milli"],
        1000,
        args,
        evidence,
    )


def _shared_account(f: Features, p: Params) -> Hit | None:
    for key, users, age in (
        ("SHARED_PAYER", "payer_users_30d", "payer_age_seconds"),
        ("SHARED_PAYER.declared", "declared_users_30d", "declared_age_seconds"),
    ):
        limit = p["least_users_new"] if getattr(f, age) < p["new_seconds"] else p["least_users"]
        count = getattr(f, users)
        if count >= limit:
            args = {"users": str(count), "limit": str(limit), "window": "30 days"}
            strength = _strength(count, limit)
            return Hit(
                key, args["users"], args["limit"], "30 days", p["outcome"], p["weight_milli"], strength, args,
                (users, age),
            )  # fmt: skip
    return None


def _listed_account(f: Features, p: Params) -> Hit | None:
    for key, feature in (("PAYER_HIT", "payer_listed"), ("PAYER_HIT.declared", "declared_listed")):
        listed = getattr(f, feature)
        if listed:
            args = {"listed": listed}
            return Hit(key, listed, "", "", p["outcome"], p["weight_milli"], 1000, args, (feature,))
    return None


def _odd_confirmation(f: Features, p: Params) -> Hit | None:
    seconds, limit = f.confirm_seconds, p["fast_seconds"]
    seen = ("confirm_seconds", "bank_line_seen")
    if seconds is not None and f.bank_line_seen is False and p["hold_without_bank_line"]:
        return Hit("M_CONFIRM.unseen", "0", "1", "", "hold", p["weight_milli"], 2000, {}, seen)
    if seconds is not None and seconds < limit and not f.bank_line_seen:
        args = {"seconds": str(seconds), "limit": str(limit)}
        return Hit(
            "M_CONFIRM.fast",
            args["seconds"],
            args["limit"],
            "",
            p["outcome"],
            p["weight_milli"],
            1000,
            args,
            seen,
        )
    orders = f.acceptor_confirmed_30d + f.acceptor_disputed_30d
    most = orders * p["disputed_bps"] // 10_000
    if orders < p["disputed_least_orders"] or f.acceptor_disputed_30d <= most:
        return None
    args = {"disputed": str(f.acceptor_disputed_30d), "orders": str(orders), "limit": str(most)}
    args["window"] = "30 days"
    # An acceptor's record says little about one order: it adds to the score and asks nobody to look.
    return Hit(
        "M_CONFIRM.disputed", args["disputed"], args["limit"], "30 days", "score", p["weight_milli"] // 2,
        _strength(f.acceptor_disputed_30d, most), args, ("acceptor_disputed_30d", "acceptor_confirmed_30d"),
    )  # fmt: skip


def _probing(f: Features, p: Params) -> Hit | None:
    limit = p["least_expired"]
    if f.expired_unpaid_24h < limit:
        return None
    args = {"count": str(f.expired_unpaid_24h), "limit": str(limit), "window": "24 hours"}
    return Hit(
        "CANCEL_PROBE", args["count"], args["limit"], "24 hours", p["outcome"], p["weight_milli"],
        _strength(f.expired_unpaid_24h, limit), args, ("expired_unpaid_24h",),
    )  # fmt: skip


RULES: Final[Mapping[str, Rule]] = {
    "GEO": Rule(19, "geography", _barred_country),
    "VEL_CNT": Rule(2, "velocity", _too_many_orders),
    "VEL_AMT": Rule(3, "velocity", _too_much_money),
    "NEW_LARGE": Rule(5, "profile", _new_and_large),
    "CANCEL_PROBE": Rule(30, "velocity", _probing),
    "NAME_MISMATCH": Rule(9, "payer", _other_name),
    "SHARED_PAYER": Rule(10, "payer", _shared_account),
    "PAYER_HIT": Rule(12, "payer", _listed_account),
    "M_CONFIRM": Rule(25, "acceptor", _odd_confirmation),
}
"""The rules by code; the numbers are those of the rule catalogue."""


def evaluate(gate: str, features: Features, ruleset: Ruleset | None) -> Verdict:
    """Return the gate's verdict on the features under the ruleset: the same input, the same verdict, always.

    The score adds up the contributions (capped by family) to the prior; its band and the outcomes of the
    fired rules each name an answer, and the strictest counts. Without a ruleset the answer is `unjudged`. An unknown
    gate is refused with `bad_input`.
    """
    if gate not in GATES:
        raise BadInput(f"'{gate[:10]}' is not a gate; gates: {', '.join(GATES)}", gate=gate[:10])
    at: Gate = "G1" if gate == "G1" else "G3"
    if ruleset is None:
        return unjudged(at)
    room = dict(ruleset.family_caps_milli)
    score = ruleset.prior_milli
    worst = 0
    reasons: list[Reason] = []
    for code, params in ruleset.params.items():
        if at not in params["gates"]:
            continue
        rule = RULES[code]
        hit = rule.check(features, params)
        if hit is None:
            continue
        counted = min(hit.weight_milli * hit.strength // 1000, room[rule.family])
        room[rule.family] -= counted
        score += counted
        worst = max(worst, _strictness(at, hit.outcome))
        reasons.append(_reason(code, rule, hit, counted, features, ruleset.version))
    for answer, start in ruleset.bands[at].items():
        if score >= start:
            worst = max(worst, _strictness(at, answer))
    return Verdict(at, ANSWERS[worst], score, tuple(reasons), ruleset.version)


def _strictness(gate: Gate, outcome: str) -> int:
    """Return the place in ANSWERS that an outcome asks for at this gate.

    Before the match nothing can be held yet, so a hold is a review there; before the release the fiat has
    been paid, so nothing can be refused without an officer: a refusal is a hold there.
    """
    answer: Answer = "allow"
    if outcome in {"hold", "refuse"}:
        answer = ("refuse" if outcome == "refuse" else "review") if gate == "G1" else "hold"
    elif outcome == "review":
        answer = "review"
    return ANSWERS.index(answer)


def _reason(code: str, rule: Rule, hit: Hit, counted: int, features: Features, version: int) -> Reason:
    return Reason(
        code=code,
        version=version,
        value=hit.value,
        threshold=hit.threshold,
        window=hit.window,
        contribution=counted,
        family=rule.family,
        outcome=hit.outcome,
        text_key=hit.key,
        args=hit.args,
        evidence={name: getattr(features, name) for name in hit.evidence},
    )
