"""A ruleset: the versioned parameters of every rule, the bands of the score, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from core import countries
from core.errors import BadInput

Gate = Literal["G1", "G3"]
Outcome = Literal["score", "alert", "review", "hold", "refuse"]

GATES: Final[tuple[Gate, ...]] = ("G1", "G3")
OUTCOMES: Final[tuple[Outcome, ...]] = ("score", "alert", "review", "hold", "refuse")
"""What a rule does when it fires, mildest first: `score` only adds up, `alert` also tells an officer."""

_DAY: Final = 86_400
_USDT: Final = 1_000_000
_MOST: Final = 10**15
_MOST_MILLI: Final = 100_000

# The order of rules is the order in which reasons are listed. Contributions are log-odds in thousandths.
_DEFAULT_RULES: Final[dict[str, dict[str, Any]]] = {
    # A hard fact: the outcome counts, whatever the score. The starting list are the two countries against which
    # the FATF calls for countermeasures; who runs the desk adds what its own law bars.
    "GEO": {"gates": ["G1"], "outcome": "refuse", "weight_milli": 6000, "barred_countries": ["IR", "KP"]},
    "VEL_CNT": {
        "gates": ["G1"],
        "outcome": "refuse",
        "weight_milli": 2500,
        "most_10m": 5,
        "most_1h": 12,
        "most_1d": 30,
    },
    "VEL_AMT": {
        "gates": ["G1"],
        "outcome": "review",
        "cap_outcome": "refuse",
        "weight_milli": 2000,
        # By KYC level; a level without a row of its own counts as the next lower one.
        "cap_24h_units": {
            "0": 1_000 * _USDT,
            "1": 20_000 * _USDT,
            "2": 100_000 * _USDT,
            "3": 500_000 * _USDT,
        },
        "cap_30d_units": {
            "0": 3_000 * _USDT,
            "1": 100_000 * _USDT,
            "2": 1_000_000 * _USDT,
            "3": 5_000_000 * _USDT,
        },
        "usual_times_milli": 4000,
        "usual_least_orders": 8,
    },
    "NEW_LARGE": {
        "gates": ["G1"],
        "outcome": "review",
        "weight_milli": 2200,
        "young_seconds": 7 * _DAY,
        "large_units": 2_000 * _USDT,
        "cohort_times_milli": 5000,
    },
    "CANCEL_PROBE": {"gates": ["G1"], "outcome": "refuse", "weight_milli": 3000, "least_expired": 4},
    "NAME_MISMATCH": {
        "gates": ["G3"],
        "outcome": "hold",
        "soft_outcome": "review",
        "missing_outcome": "alert",
        "weight_milli": 3500,
        "soft_weight_milli": 1500,
        "hold_below_milli": 750,
        "review_below_milli": 880,
    },
    "SHARED_PAYER": {
        "gates": ["G3"],
        "outcome": "hold",
        "weight_milli": 3000,
        "least_users": 3,
        "least_users_new": 2,
        "new_seconds": 7 * _DAY,
    },
    "PAYER_HIT": {"gates": ["G1", "G3"], "outcome": "hold", "weight_milli": 6000},
    "M_CONFIRM": {
        "gates": ["G3"],
        "outcome": "alert",
        "weight_milli": 1200,
        "fast_seconds": 20,
        "hold_without_bank_line": False,
        "disputed_bps": 300,
        "disputed_least_orders": 20,
    },
}
_DEFAULT_BANDS: Final[dict[str, dict[str, int]]] = {
    "G1": {"review": -1000, "refuse": 3000},
    "G3": {"review": -1000, "hold": 1000},
}
_DEFAULT_CAPS: Final = {"geography": 7000, "velocity": 3500, "profile": 4400, "payer": 7000, "acceptor": 2500}
_DEFAULT_PRIOR: Final = -4000
_FIELDS: Final = frozenset({"version", "params", "bands", "family_caps_milli", "prior_milli"})


@dataclass(frozen=True, slots=True)
class Ruleset:
    """One version of all parameters; `params` has one entry for each active rule.

    The score starts at `prior_milli` (the log-odds of an order nothing is known about) and gains what each
    fired rule contributes, up to a cap for its family, so that velocity counts once.
    """

    version: int
    params: Mapping[str, Mapping[str, Any]]
    bands: Mapping[str, Mapping[str, int]]
    family_caps_milli: Mapping[str, int]
    prior_milli: int

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Self:
        """Return the ruleset written as JSON, else refuse with `bad_input` that names the parameter.

        `params` left out means all rules; a rule's parameters left out are the defaults; a rule that is null
        is switched off.
        """
        _known(given, _FIELDS, "ruleset")
        rules = _object(given.get("params", {}), "params")
        _known(rules, _DEFAULT_RULES.keys(), "params")
        bands = _object(given.get("bands", {}), "bands")
        _known(bands, GATES, "bands")
        caps = _object(given.get("family_caps_milli", {}), "family_caps_milli")
        return cls(
            version=_whole(given.get("version"), "version", least=1, most=2**31 - 1),
            params={
                code: _rule(code, defaults, rules.get(code, {}))
                for code, defaults in _DEFAULT_RULES.items()
                if rules.get(code, {}) is not None
            },
            bands={gate: _band(gate, defaults, bands.get(gate, {})) for gate, defaults in _DEFAULT_BANDS.items()},
            family_caps_milli=_numbers(_DEFAULT_CAPS, caps, "family_caps_milli", least=0, most=_MOST_MILLI),
            prior_milli=_whole(
                given.get("prior_milli", _DEFAULT_PRIOR), "prior_milli", least=-_MOST_MILLI, most=_MOST_MILLI
            ),
        )

    @classmethod
    def stored(cls, given: Mapping[str, Any]) -> Self:
        """Return a version as it was stored: a rule that was written later is not part of it."""
        return cls.read({**given, "params": dict.fromkeys(_DEFAULT_RULES) | given["params"]})

    def to_json(self) -> dict[str, Any]:
        """Return the whole ruleset as `read` takes it, switched-off rules as null."""
        return {
            "version": self.version,
            "params": {code: dict(self.params[code]) if code in self.params else None for code in _DEFAULT_RULES},
            "bands": {gate: dict(band) for gate, band in self.bands.items()},
            "family_caps_milli": dict(self.family_caps_milli),
            "prior_milli": self.prior_milli,
        }


def _rule(code: str, defaults: Mapping[str, Any], given: object) -> dict[str, Any]:
    chosen = _object(given, code)
    _known(chosen, defaults.keys(), code)
    read: dict[str, Any] = {
        name: _value(name, value, chosen.get(name, value), f"{code}.{name}") for name, value in defaults.items()
    }
    if code == "NAME_MISMATCH" and read["hold_below_milli"] > read["review_below_milli"]:
        raise BadInput(f"{code}: hold_below_milli must not be above review_below_milli", parameter=code)
    return read


def _value(name: str, default: object, given: object, path: str) -> object:
    """Return a parameter of the same shape as its default."""
    if isinstance(default, bool):
        if type(given) is not bool:
            raise BadInput(f"{path} must be true or false", parameter=path)
        return given
    if name == "gates":
        if not isinstance(given, list | tuple) or not all(gate in GATES for gate in given):
            raise BadInput(f"{path} must be a list of {', '.join(GATES)}", parameter=path)
        return list(given)
    if name.endswith("outcome"):
        if given not in OUTCOMES:
            raise BadInput(f"{path} must be one of {', '.join(OUTCOMES)}", parameter=path)
        return given
    if name == "barred_countries":
        return _countries(given, path)
    if isinstance(default, dict):
        return _levels(given, path)
    least = 0 if name.endswith(("weight_milli", "below_milli")) else 1
    return _whole(given, path, least=least, most=1000 if name.endswith("below_milli") else _MOST)


def _countries(given: object, path: str) -> list[str]:
    """Return countries by their capital letters, each once, in the order of the alphabet; none is a list too."""
    if not isinstance(given, list | tuple):
        raise BadInput(f"{path} must be a list of countries' two letters", parameter=path)
    for each in given:
        if not isinstance(each, str) or not countries.known(each):
            raise BadInput(f"{path}: '{str(each)[:8]}' is not a country's two capital letters", parameter=path)
    return sorted(set(given))


def _levels(given: object, path: str) -> dict[str, int]:
    """Return a limit by KYC level ("0", "1", …), each in units; level 0 must be there."""
    levels = _object(given, path)
    if "0" not in levels or not all(level.isdecimal() and level.isascii() for level in levels):
        raise BadInput(f"{path} needs a limit for KYC level 0, and levels are whole numbers", parameter=path)
    return {level: _whole(limit, f"{path}.{level}", least=0, most=_MOST) for level, limit in levels.items()}


def _band(gate: str, defaults: Mapping[str, int], given: object) -> dict[str, int]:
    band = _numbers(defaults, _object(given, f"bands.{gate}"), f"bands.{gate}", least=-_MOST_MILLI, most=_MOST_MILLI)
    stop = next(name for name in defaults if name != "review")
    if band["review"] > band[stop]:
        raise BadInput(f"bands.{gate}: review must not start above {stop}", parameter=f"bands.{gate}")
    return band


def _numbers(
    defaults: Mapping[str, int], given: Mapping[str, object], path: str, *, least: int, most: int
) -> dict[str, int]:
    _known(given, defaults.keys(), path)
    return {
        name: _whole(given.get(name, value), f"{path}.{name}", least=least, most=most)
        for name, value in defaults.items()
    }


def _known(given: Mapping[str, object], names: Any, path: str) -> None:
    for name in given:
        if name not in names:
            raise BadInput(
                f"{path}: '{name[:40]}' is not known; known: {', '.join(sorted(names))}", parameter=name[:40]
            )


def _object(given: object, path: str) -> Mapping[str, object]:
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise BadInput(f"{path} must be an object", parameter=path)
    return given


def _whole(given: object, path: str, *, least: int, most: int) -> int:
    if type(given) is not int or not least <= given <= most:
        raise BadInput(f"{path} must be a whole number from {least:,} to {most:,}", parameter=path)
    return given


DEFAULT_RULESET: Final = Ruleset.read({"version": 1})
"""The first version: the starting values of the rule catalogue."""
DEFAULTS: Final = DEFAULT_RULESET.to_json()
"""The same, ready for JSON."""
