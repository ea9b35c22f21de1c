"""Commissions held: what an agent has earned and earns is no longer payable while it is shut out or looked into."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core import audit, clock, ids, outbox
from core.actor import Right, Scope, system
from core.db import reading, transaction
from core.errors import AlreadyDone, NotFound, WrongState, sentence
from core.ledger import accounts
from core.ledger.post import Leg, post
from core.ledger.reasons import Reason
from core.money import USDT, Money
from core.parties import particulars

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.actor import Actor
    from core.db import Transaction
    from core.ledger.post import Pocket

OUT = frozenset({"suspended", "barred"})
"""States of an agent in which nothing is payable to it."""


class HeldCommission(NamedTuple):
    """What is held of an agent's commission now, since when and why, and what is payable beside it."""

    ref: str
    held: Money
    payable: Money
    by_standing: bool
    since: datetime
    by: str
    reason: str


class OpenHold(NamedTuple):
    """A hold that has not ended: its rows' numbers, and what has been moved into it."""

    id: int
    ref: str
    account_id: int
    units: int
    by_standing: bool


def hold(actor: Actor, ref: str, why: str) -> None:
    """Hold an agent's commission while something is looked into; the agent goes on working, and earning.

    Raises Forbidden, NotFound, AlreadyDone when it is held already, BadInput without a reason.
    """
    particulars.must_judge(actor)
    reason = particulars.read_why(why)
    with transaction() as tx:
        agent = particulars.find(tx, ref, "agent", lock=True)
        if _held(tx, agent.id) is not None:
            raise AlreadyDone(sentence("the commission of %(code)s is held already", code=agent.code), ref=ref)
        _start(tx, actor, agent, reason, by_standing=False)


def follow(tx: Transaction, actor: Actor, agent: particulars.PartyRow, after: str, reason: str) -> None:
    """Hold or give back as the agent's standing has become; a hold to look into something outlasts it."""
    found = _held(tx, agent.id)
    if after in OUT and found is None:
        _start(tx, actor, agent, reason, by_standing=True)
    elif after not in OUT and found is not None and found.by_standing:
        end(tx, actor, agent, found, reason)


def sweep() -> int:
    """Move what held agents have earned since into what is held; return of how many. Safe to run at any time, twice.

    The release of an order only appends its commissions, so that it never waits for an agent's account; until this
    has run they stand beside the hold, and are payable to nobody who is held.
    """
    with reading() as tx:
        due = tx.rows(
            "select p.ref from commission_hold h join party p on p.id = h.agent_id join ledger_account a"
            " on a.id = h.account_id where h.closed_at is null and (a.available > 0 or exists (select 1"
            " from journal_leg l where l.account_id = a.id and leg_waits(l.xid, a.folded))) order by a.id"
        )
    moved = 0
    for (ref,) in due:
        with transaction() as tx:
            agent = particulars.find(tx, ref, "agent", lock=True)
            found = _held(tx, agent.id)
            moved += found is not None and _keep(tx, system("holds"), found) > 0
    return moved


def of(actor: Actor, ref: str) -> HeldCommission | None:
    """Return what is held of an agent's commission, None when nothing keeps it. Raises Forbidden, NotFound.

    An agent sees its own and its subtree's, without who held it and why.
    """
    actor.must(Right.SEE_AGENTS)
    with reading() as tx:
        agent = particulars.find(tx, ref, "agent")
        below = "select 1 from agent_closure where ancestor_id = %s and descendant_id = %s"
        mine = actor.scope is Scope.AGENT and tx.call(below, (actor.party_id, agent.id))
        if actor.scope is not Scope.ALL and not mine:
            raise NotFound(sentence("there is no agent %(ref)s", ref=ref[:40]), ref=ref[:40])
        rows = tx.rows(
            "select ref, units, by_standing, opened_at, opened_by, reason, account_id from commission_hold"
            " where agent_id = %s and closed_at is null",
            (agent.id,),
        )
        if not rows:
            return None
        number, units, standing, since, by, reason, account = rows[0]
        late = accounts.balance(tx, account).available
    shown = (by, reason) if actor.scope is Scope.ALL else ("", "")
    return HeldCommission(number, Money(units + late, USDT), Money(0, USDT), standing, since, *shown)


def to_lift(tx: Transaction, agent: particulars.PartyRow, hold: str = "") -> OpenHold:
    """Return an agent's open hold, locked with the agent; with `hold`, that one. Raises WrongState when it may not end.

    It may not while the agent is suspended or barred, nor when nothing, or another hold, is open.
    """
    found = _held(tx, agent.id)
    if found is None or (hold and found.ref != hold):
        raise WrongState(sentence("nothing of %(code)s is held", code=agent.code), ref=agent.ref, state=agent.state)
    if agent.state in OUT:
        said = sentence("%(code)s is %(state)s: its commission stays held", code=agent.code, state=agent.state)
        raise WrongState(said, ref=agent.ref, state=agent.state)
    return found


def all_of(tx: Transaction, found: OpenHold) -> int:
    """Return the units a hold keeps from its agent: what was moved, and what was earned since the last sweep."""
    return found.units + accounts.balance(tx, found.account_id).available


def _held(tx: Transaction, agent_id: int) -> OpenHold | None:
    rows = tx.rows(
        "select id, ref, account_id, units, by_standing from commission_hold where agent_id = %s and closed_at is null"
        " for update",
        (agent_id,),
    )
    return OpenHold(*rows[0]) if rows else None


def _start(tx: Transaction, actor: Actor, agent: particulars.PartyRow, reason: str, *, by_standing: bool) -> None:
    ref = ids.new("chd")
    account = accounts.of_party(tx, agent.id)
    number: int = tx.call(
        "insert into commission_hold (ref, agent_id, account_id, by_standing, opened_at, opened_by, reason)"
        " values (%s, %s, %s, %s, %s, %s, %s) returning id",
        (ref, agent.id, account, by_standing, clock.now(), actor.name, reason),
    )
    tx.run("update agent set held = true where party_id = %s", (agent.id,))
    units = _keep(tx, actor, OpenHold(number, ref, account, 0, by_standing))
    details = {"hold": ref, "usdt_units": units, "by_standing": by_standing}
    audit.write(tx, actor, "commission.hold", agent.ref, reason=reason, details=details)
    outbox.tell(tx, "commission.held", agent.ref, payload={"hold": ref, "usdt_units": units})


def end(
    tx: Transaction,
    actor: Actor,
    agent: particulars.PartyRow,
    found: OpenHold,
    reason: str,
    facts: Mapping[str, str] | None = None,
) -> None:
    """Give back all that is held, in one entry; what was earned since the last sweep is payable as it stands."""
    if found.units:
        _move(tx, actor, found, Reason.COMMISSION_HOLD_CLOSE, f"{found.ref}:close", ("held", "available"), found.units)
    tx.run(
        "update commission_hold set closed_at = %s, closed_by = %s, closed_why = %s where id = %s",
        (clock.now(), actor.name, reason, found.id),
    )
    tx.run("update agent set held = false where party_id = %s", (agent.id,))
    details = {"hold": found.ref, "usdt_units": found.units}
    audit.write(tx, actor, "commission.lift", agent.ref, reason=reason, details=details | dict(facts or {}))
    outbox.tell(tx, "commission.lifted", agent.ref, payload=details)


def _keep(tx: Transaction, actor: Actor, found: OpenHold) -> int:
    """Move what the agent's account has available now into what is held; return how much that is."""
    tx.call("select ledger_fold(%s)::text", (found.account_id,))
    units: int = tx.call("select available from ledger_account where id = %s", (found.account_id,))
    if units > 0:
        key = f"{found.ref}:hold:{found.units}"
        _move(tx, actor, found, Reason.COMMISSION_HOLD, key, ("available", "held"), units)
        tx.run("update commission_hold set units = units + %s where id = %s", (units, found.id))
    return units


def _move(
    tx: Transaction, actor: Actor, found: OpenHold, reason: Reason, key: str, pockets: tuple[Pocket, Pocket], units: int
) -> None:
    away, to = pockets
    legs = [Leg(found.account_id, away, -units), Leg(found.account_id, to, units)]
    post(tx, key=key, reason=reason, legs=legs, actor=actor.name)
