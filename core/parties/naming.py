"""Parties, pools and plans as people name them: by ref or by code, with what a form offers to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from core import words
from core.actor import Right
from core.db import reading
from core.errors import BadInput, NotFound, sentence
from core.parties import particulars

if TYPE_CHECKING:
    from core.actor import Actor

MOST: Final = 200
"""So many choices a form offers; whoever is not among them is typed."""
PLANS: Final = """
select p.code from plan p where exists (select 1 from plan_version v where v.plan_id = p.id and v.withdrawn_at is null)
 order by p.code
"""
"""The plans an agent can be given: those that pay or will."""
_LONGEST: Final = 60

_PARTY = "select ref from party where kind = any (%s) and (ref = %s or code = %s)"
_POOLS = """
select l.ref, l.code, l.currency, l.method, l.fee_code, l.policy, l.policy_version, l.state,
       (select count(*) from pool_merchant x where x.pool_id = l.id),
       (select count(*) from pool_account a where a.pool_id = l.id and a.left_at is null)
  from pool l order by l.code
"""
_POOL = "select ref from pool where ref = %s or code = %s"


class Known(NamedTuple):
    """A party as a form offers it."""

    code: str
    name: str


class Listed(NamedTuple):
    """A party as a list at the terminal tells it."""

    kind: str
    ref: str
    code: str
    name: str
    state: str


class ListedPool(NamedTuple):
    """A pool as a list at the terminal tells it."""

    ref: str
    code: str
    currency: str
    method: str
    fee_code: str
    policy: str
    policy_version: int
    state: str
    merchants: int
    accounts: int


def party(actor: Actor, named: str, *kinds: str, field: str = "party") -> str:
    """Return the ref of the party of these kinds that has this ref or code.

    Raises Forbidden, BadInput when nobody is named or two kinds share the code, NotFound; both name `field`.
    """
    if not actor.may(Right.MOVE_AGENTS):
        actor.must(Right.MANAGE_PARTIES)
    said = words.exact(named, field, longest=_LONGEST)
    with reading() as tx:
        found = tx.rows(_PARTY, (list(kinds), said, said))
    if not found:
        raise NotFound(
            sentence("there is no %(kinds)s %(said)s", kinds=list(kinds), said=said), field=field, party=said
        )
    if len(found) > 1:
        raise BadInput(
            sentence("%(said)s is the code of more than one party; name it by its ref", said=said),
            field=field,
            party=said,
        )
    ref: str = found[0][0]
    return ref


def pool(actor: Actor, named: str) -> str:
    """Return the ref of the pool that has this ref or code. Raises Forbidden, BadInput, NotFound."""
    actor.must(Right.MANAGE_PARTIES)
    said = words.exact(named, "pool", longest=_LONGEST)
    with reading() as tx:
        ref: str | None = tx.call(_POOL, (said, said))
    if ref is None:
        raise NotFound(sentence("there is no pool %(said)s", said=said), field="pool", pool=said)
    return ref


def known(actor: Actor, kind: str) -> list[Known]:
    """Return parties of a kind that are not barred, by code, for a form to offer. Raises Forbidden."""
    if not actor.may(Right.MOVE_AGENTS):
        actor.must(Right.MANAGE_PARTIES)
    sql = "select code, name from party where kind = %s and state in ('active', 'imported') order by code limit %s"
    with reading() as tx:
        return [Known(*row) for row in tx.rows(sql, (kind, MOST))]


def plans(actor: Actor) -> list[str]:
    """Return the codes of the commission plans. Raises Forbidden."""
    actor.must(Right.MANAGE_PARTIES)
    with reading() as tx:
        return [row[0] for row in tx.rows(PLANS)]


def parties(actor: Actor, *kinds: str) -> list[Listed]:
    """Return every party of these kinds, by kind and code. Raises Forbidden."""
    actor.must(Right.MANAGE_PARTIES)
    with reading() as tx:
        rows = tx.rows(
            "select kind, ref, code, name, state from party where kind = any (%s) order by kind, code", (list(kinds),)
        )
    return [Listed(*row) for row in rows]


def name_of(actor: Actor, ref: str) -> str:
    """Return the verified name of a party. Raises Forbidden, NotFound."""
    actor.must(Right.MANAGE_PARTIES)
    with reading() as tx:
        return particulars.find(tx, ref).name


def pools(actor: Actor) -> list[ListedPool]:
    """Return every pool, by code. Raises Forbidden."""
    actor.must(Right.MANAGE_PARTIES)
    with reading() as tx:
        return [ListedPool(*row) for row in tx.rows(_POOLS)]


def currency_of(actor: Actor, pool_ref: str) -> str:
    """Return what a pool is paid in. Raises Forbidden, NotFound."""
    actor.must(Right.MANAGE_PARTIES)
    with reading() as tx:
        code: str | None = tx.call("select currency from pool where ref = %s", (pool_ref,))
    if code is None:
        raise NotFound(sentence("there is no pool %(pool_ref)s", pool_ref=pool_ref[:40]), ref=pool_ref[:40])
    return code
