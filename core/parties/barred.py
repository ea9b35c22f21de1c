"""Countries with which no business is done: what the rules in force say of a party that is to be enrolled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.errors import Barred, sentence

if TYPE_CHECKING:
    from core.db import Transaction

_POLICY: Final = (
    "select r.params #> '{params,GEO,barred_countries}', r.params #>> '{params,GEO,outcome}' from ruleset r"
    " where r.state = 'active'"
)
REFUSES: Final = frozenset({"refuse", "hold"})
"""Outcomes of the country rule for which nobody is enrolled; with a milder one the country is only noted."""


def noted(tx: Transaction, country: str) -> bool:
    """Return whether a country is to be noted beside a new party, where the rules bar it and yet refuse nobody.

    Raises Barred where they refuse. Without rules in force nothing is barred here: gate G1 flags each order then.
    """
    rows = tx.rows(_POLICY) if country else []
    countries, outcome = rows[0] if rows else (None, None)
    if not countries or country not in countries:
        return False
    if outcome in REFUSES:
        raise Barred(
            sentence(
                "no business is done with %(country)s by the rules in force, so nobody is enrolled", country=country
            ),
            field="country",
            country=country,
        )
    return True
