"""Agents: referrers in a tree, kept with its closure so that a subtree is one look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import audit, outbox
from core.actor import Right
from core.db import transaction
from core.errors import BadInput, Conflict, Frozen, WrongState, sentence
from core.ledger import accounts
from core.parties import naming, particulars, plan_terms

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction

DEEPEST = 16
"""Levels of the tree: an order's commission is split over at most so many agents."""

# The lock keeps the version from being withdrawn until the agent is there, for which it then cannot be.
_PLAN = """
select p.id from plan p join plan_version v on v.plan_id = p.id
 where p.code = %s and v.withdrawn_at is null order by v.version limit 1 for share of v
"""
# Two moves at once could close a ring that neither sees: the tree is changed by one transaction at a time.
_TREE_LOCK = 0x0A6E27


def create(
    actor: Actor,
    code: str,
    name: str,
    *,
    plan: str,
    parent_ref: str | None = None,
    country: str = "",
    kyc_level: int = 1,
) -> str:
    """Enrol an agent under a parent (or as a root) on a commission plan; return its ref.

    Raises Forbidden, BadInput for an unknown plan or too deep a tree, AlreadyDone for a taken code,
    NotFound for an unknown parent, Conflict for a plan that pays more than the parent's.
    """
    actor.must(Right.MANAGE_PARTIES)
    with transaction() as tx:
        _lock_tree(tx)
        plan_id = _plan(tx, plan)
        parent_id = referrer(tx, parent_ref, field="parent")
        plan_terms.must_not_exceed(tx, plan_id, parent_id)
        depth = 1 + (_depth(tx, parent_id) if parent_id else 0)
        _must_fit(depth)
        number, ref = particulars.enrol(tx, "agent", code, name, country=country, kyc_level=kyc_level)
        tx.run(
            "insert into agent (party_id, parent_id, plan_id, depth) values (%s, %s, %s, %s)",
            (number, parent_id, plan_id, depth),
        )
        tx.run(
            "insert into agent_closure (ancestor_id, descendant_id, distance)"
            " select %s, %s, 0 union all"
            " select ancestor_id, %s, distance + 1 from agent_closure where descendant_id = %s",
            (number, number, number, parent_id),
        )
        accounts.open_account(tx, "agent", number, code)
        audit.write(tx, actor, "agent.create", ref, details={"code": code, "plan": plan, "parent": parent_ref})
        outbox.tell(tx, "agent.created", ref, payload={"code": code, "parent": parent_ref})
    return ref


def reparent(actor: Actor, ref: str, parent_ref: str | None, why: str) -> None:
    """Move an agent and all below it under another parent, or make it a root.

    Orders that are open keep the path they were opened with: only future orders follow the new tree.
    Raises Forbidden, NotFound, Conflict when the new parent stands below the agent or has a lower plan, WrongState when
    it is the parent already, BadInput when the tree would grow too deep or no reason is given.
    """
    if not actor.may(Right.MANAGE_PARTIES):
        actor.must(Right.MOVE_AGENTS)
    reason = particulars.read_why(why)
    with transaction() as tx:
        _lock_tree(tx)
        agent = particulars.find(tx, ref, "agent", lock=True)
        parent_id = referrer(tx, parent_ref, field="parent")
        before = tx.call("select parent_id from agent where party_id = %s", (agent.id,))
        if before == parent_id:
            raise WrongState(
                sentence("%(code)s stands there already", code=agent.code), field="parent", ref=ref, parent=parent_ref
            )
        below = "select 1 from agent_closure where ancestor_id = %s and descendant_id = %s"
        if parent_id is not None and tx.call(below, (agent.id, parent_id)):
            said = sentence("an agent cannot stand below itself or its own sub-agents")
            raise Conflict(said, field="parent", ref=ref, parent=parent_ref)
        plan_terms.must_not_exceed(tx, tx.call("select plan_id from agent where party_id = %s", (agent.id,)), parent_id)
        rise = 1 + (_depth(tx, parent_id) if parent_id else 0) - _depth(tx, agent.id)
        _must_fit(rise + _deepest_below(tx, agent.id))
        _move(tx, agent.id, parent_id, rise)
        audit.write(tx, actor, "agent.reparent", ref, reason=reason, details={"to": parent_ref, "from_id": before})
        outbox.tell(tx, "agent.reparented", ref, payload={"parent": parent_ref})


def referrer(tx: Transaction, ref: str | None, *, field: str = "agent") -> int | None:
    """Return the number of the agent that refers somebody, None for nobody. Raises NotFound, Frozen."""
    if ref is None:
        return None
    agent = particulars.find(tx, ref, "agent")
    if agent.state not in {"active", "imported"}:
        raise Frozen(
            sentence("agent %(code)s is %(state)s", code=agent.code, state=agent.state),
            field=field,
            ref=ref,
            state=agent.state,
        )
    return agent.id


def _move(tx: Transaction, agent_id: int, parent_id: int | None, rise: int) -> None:
    """Cut the subtree from all above it, then join each of it to everybody above the new parent."""
    tx.run(
        "delete from agent_closure c using agent_closure sub where sub.ancestor_id = %s"
        " and c.descendant_id = sub.descendant_id and c.distance > sub.distance",
        (agent_id,),
    )
    tx.run(
        "insert into agent_closure (ancestor_id, descendant_id, distance)"
        " select up.ancestor_id, sub.descendant_id, up.distance + sub.distance + 1"
        " from agent_closure up cross join agent_closure sub"
        " where up.descendant_id = %s and sub.ancestor_id = %s",
        (parent_id, agent_id),
    )
    tx.run("update agent set parent_id = %s where party_id = %s", (parent_id, agent_id))
    tx.run(
        "update agent a set depth = a.depth + %s from agent_closure c"
        " where c.ancestor_id = %s and a.party_id = c.descendant_id",
        (rise, agent_id),
    )


def _lock_tree(tx: Transaction) -> None:
    tx.call("select pg_advisory_xact_lock(%s)", (_TREE_LOCK,))


def _plan(tx: Transaction, code: str) -> int:
    found: int | None = tx.call(_PLAN, (code,))
    if found is None:
        known = ", ".join(row[0] for row in tx.rows(naming.PLANS))
        raise BadInput(
            sentence("there is no commission plan '%(code)s'; there are: %(known)s", code=code[:40], known=known),
            field="plan",
        )
    return found


def _depth(tx: Transaction, agent_id: int) -> int:
    found: int = tx.call("select depth from agent where party_id = %s", (agent_id,))
    return found


def _deepest_below(tx: Transaction, agent_id: int) -> int:
    found: int = tx.call(
        "select max(a.depth) from agent_closure c join agent a on a.party_id = c.descendant_id"
        " where c.ancestor_id = %s",
        (agent_id,),
    )
    return found


def _must_fit(depth: int) -> None:
    if depth > DEEPEST:
        raise BadInput(
            sentence("the tree of agents has at most %(deepest)s levels", deepest=DEEPEST), field="parent", depth=depth
        )
