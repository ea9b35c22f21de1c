"""Versions of the rules' parameters: one is active, none is ever edited in place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from core import audit, clock, ids, outbox, words
from core.actor import Right
from core.db import reading, remembered, transaction
from core.errors import BadInput, Forbidden, NotFound, WrongState, sentence
from core.risk.rules import DEFAULTS, Ruleset
from core.steps import once

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.actor import Actor
    from core.db import Transaction

LONGEST_WHY: Final = 500


class Known(NamedTuple):
    """A version as a list tells it."""

    ref: str
    version: int
    state: str
    requested_by: str
    approved_by: str | None
    effective_from: datetime


def known(actor: Actor) -> list[Known]:
    """Return every version of the rules, oldest first. Raises Forbidden."""
    actor.must(Right.SEE_RISK)
    with reading() as tx:
        rows = tx.rows(
            "select ref, version, state, requested_by, approved_by, effective_from from ruleset order by version"
        )
    return [Known(*row) for row in rows]


IN_FORCE: Final = "select version from ruleset where state = 'active'"
"""The version the gates judge by, as SQL; no row while there is none."""
NONE_IN_FORCE: Final = "none in force: orders go on with a flag, every release is held"


def in_force(actor: Actor) -> int | None:
    """Return the version the gates judge by, None while there is none. Raises Forbidden."""
    actor.must(Right.SEE_ALERTS)
    with reading() as tx:
        version: int | None = tx.call(IN_FORCE)
    return version


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
        known = Ruleset.stored(
            once(
                "select params || jsonb_build_object('version', version) from ruleset where id = %s",
                (ruleset_id,),
            )
        )
        memory["ruleset", ruleset_id] = known
    return known


def draft(actor: Actor, given: Mapping[str, Any], why: str) -> str:
    """Store a new version of the rules as a draft and return its ref; nothing is judged by it yet.

    `given` is what differs from the defaults, as `Ruleset.read` takes it; the next number is its version.
    Refuses with forbidden, and with bad_input that names the parameter or asks for a reason.
    """
    actor.must(Right.MANAGE_RULES)
    said = _said(why)
    with transaction() as tx:
        tx.run("lock table ruleset in share row exclusive mode")
        version: int = tx.call("select coalesce(max(version), 0) + 1 from ruleset")
        params = Ruleset.read({**given, "version": version}).to_json()
        _must_have_its_data(params)
        ref = ids.new("rul")
        now = clock.now()
        tx.run(
            "insert into ruleset (ref, version, state, params, requested_by, effective_from, created_at)"
            " values (%s, %s, 'draft', %s::jsonb, %s, %s, %s)",
            (ref, version, json.dumps(params), actor.name, now, now),
        )
        details = {"version": version, "digest": audit.digest(tx, params)}
        audit.write(tx, actor, "ruleset.draft", ref, reason=said, details=details)
    return ref


_JUDGES_AT: Final = {
    "GEO": {"G1"}, "VEL_CNT": {"G1"}, "VEL_AMT": {"G1"}, "NEW_LARGE": {"G1"}, "CANCEL_PROBE": {"G1"},
    "NAME_MISMATCH": {"G1", "G3"}, "SHARED_PAYER": {"G1", "G3"}, "PAYER_HIT": {"G1", "G3"}, "M_CONFIRM": {"G3"},
}  # fmt: skip
"""The gates whose look asks for a rule's figures: elsewhere it would be silent, or take everybody for a newcomer."""


def _must_have_its_data(params: Mapping[str, Any]) -> None:
    """Refuse what would stand in the rules and judge nothing: no lines of bank statements are read yet."""
    for code, rule in params["params"].items():
        if rule and not _JUDGES_AT[code].issuperset(rule["gates"]):
            where = " and ".join(sorted(_JUDGES_AT[code]))
            raise BadInput(
                f"{code} can be judged at {where} only: no other gate asks for its figures", parameter=f"{code}.gates"
            )
    if (params["params"]["M_CONFIRM"] or {}).get("hold_without_bank_line"):
        raise BadInput(
            sentence("no lines of bank statements are read yet, so a release cannot wait for one; leave it false"),
            parameter="M_CONFIRM.hold_without_bank_line",
        )


def activate(actor: Actor, ref: str, why: str) -> int:
    """Put another person's draft in force from now on and retire the version before it; return its number.

    Refuses with forbidden (fact `rule` = `four_eyes` for the one who drafted it), not_found, bad_input without a
    reason, and wrong_state for what is no draft.
    """
    actor.must(Right.MANAGE_RULES)
    said = _said(why)
    with transaction() as tx:
        tx.run("lock table ruleset in share row exclusive mode")
        rows = tx.rows("select version, state, requested_by from ruleset where ref = %s", (ids.check(ref, "rul"),))
        if not rows:
            raise NotFound(f"there is no ruleset {ref}", ref=ref)
        version, state, drafted_by = rows[0]
        if state != "draft":
            raise WrongState(f"version {version} is {state}; only a draft is put in force", ref=ref, state=state)
        if drafted_by == actor.name:
            raise Forbidden("you drafted this; somebody else must put it in force", rule="four_eyes", ref=ref)
        tx.run("update ruleset set state = 'retired' where state = 'active'")
        tx.run(
            "update ruleset set state = 'active', approved_by = %s, effective_from = %s where ref = %s",
            (actor.name, clock.now(), ref),
        )
        audit.write(
            tx, actor, "ruleset.activate", ref, reason=said, details={"version": version, "drafted_by": drafted_by}
        )
        outbox.tell(tx, "ruleset.activated", ref, payload={"version": version})
    return int(version)


def _said(why: str) -> str:
    return words.reason(why, longest=LONGEST_WHY)
