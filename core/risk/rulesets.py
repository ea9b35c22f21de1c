"""Versions of the rules' parameters: one is active, none is ever edited in place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from core import clock, ids
from core.db import remembered
from core.risk.rules import DEFAULTS, Ruleset
from core.steps import once

if TYPE_CHECKING:
    from core.db import Transaction


def ensure_default(tx: Transaction) -> None:
    """Insert the product's default rules as version 1, active, when there is none yet."""
    tx.run(
        "insert into ruleset (ref, version, state, params, requested_by, effective_from, created_at)"
        " select %s, 1, 'active', %s, 'system', '1970-01-01T00:00:00Z', %s where not exists (select 1 from ruleset)",
        (ids.new("rul"), json.dumps(DEFAULTS), clock.now()),
    )


def ruleset(ruleset_id: int) -> Ruleset:
    """Return a version by its id; versions never change, so each process reads one once."""
    memory = remembered()
    known: Ruleset | None = memory.get(("ruleset", ruleset_id))
    if known is None:
        known = Ruleset.read(
            once(
                "select params || jsonb_build_object('version', version) from ruleset where id = %s",
                (ruleset_id,),
            )
        )
        memory["ruleset", ruleset_id] = known
    return known
