"""Invariant of seals: no row was changed, removed, swapped, slipped in or cut off after it was sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Unavailable
from core.ledger import seal
from core.verify.finding import Check, Finding

if TYPE_CHECKING:
    from core.db import Transaction

_WHAT = {"journal": "journal entry", "audit": "audit row"}


def heads() -> list[seal.Head] | Unavailable:
    """Return the heads anchored by now, or why they cannot be read."""
    try:
        return list(seal.anchored())
    except Unavailable as refusal:
        return refusal


def seals(tx: Transaction, known: list[seal.Head] | Unavailable | None = None) -> Finding:
    """I8: journal and audit are what was sealed, without a gap, up to the anchored head or later.

    `known` are heads read before the transaction began: a block that is sealed and anchored meanwhile is in the file
    and not in what the transaction sees. Without it they are read now.
    """
    check = Check(tx, "I8", "seals of journal and audit intact, no gap, head = anchored or its successor")
    for chain, what in _WHAT.items():
        check.counted(f"select count(*) from seal_row where chain = '{chain}'")  # noqa: S608 - our own words
        _rows(check, chain, what)
        _positions(check, chain)
        _blocks(check, chain)
    known = heads() if known is None else known
    check.broken([known.detail] if isinstance(known, Unavailable) else _anchors(tx, known))
    return check.finding()


def _rows(check: Check, chain: str, what: str) -> None:
    """Every sealed row has the hash it was sealed with; none is missing, none came in behind the seal."""
    check.none(
        f"select r.pos, format('{what} #%s (%s), position %s: it is not what was sealed', r.row_id, s.ref,"  # noqa: S608 - our own words
        " r.pos)"
        f" from seal_row r join seal_source_{chain} s on s.row_id = r.row_id"
        f" where r.chain = '{chain}' and r.hash <> sha256(convert_to(s.text, 'UTF8'))",
    )
    table = "journal_entry" if chain == "journal" else "audit"
    check.none(
        f"select r.pos, format('{what} #%s, position %s: it was removed', r.row_id, r.pos) from seal_row"  # noqa: S608 - our own words
        " r"
        f" where r.chain = '{chain}' and not exists (select 1 from {table} t where t.id = r.row_id)",
    )
    check.none(
        f"select t.id, format('{what} #%s (%s): it was slipped in behind the seal', t.id, s.ref) from"  # noqa: S608 - our own words
        f" {table} t"
        f" join seal_source_{chain} s on s.row_id = t.id"
        f" where t.xid < (select done_to from watermark where name = 'seal_{chain}')"
        f" and not exists (select 1 from seal_row r where r.chain = '{chain}' and r.row_id = t.id)",
    )


def _positions(check: Check, chain: str) -> None:
    """Positions count 1, 2, 3 … and the blocks cover them without gap or overlap."""
    check.none(
        "select pos, format('seal of the %s: position %s follows %s', chain, pos,"  # noqa: S608 - our own words
        " before)"
        " from (select chain, pos, coalesce(lag(pos) over (order by pos), 0) as before from seal_row"
        f"       where chain = '{chain}') p where pos <> before + 1",
    )
    check.none(
        "select no, format('seal of the %s: block %s (positions %s-%s) does not follow block %s (to"  # noqa: S608 - our own words
        " position %s)',"
        "        chain, no, first_pos, last_pos, before, reached)"
        " from (select *, coalesce(lag(no) over (order by no), 0) as before,"
        "              coalesce(lag(last_pos) over (order by no), 0) as reached"
        f"        from seal_block where chain = '{chain}') b"
        " where no <> before + 1 or first_pos <> reached + 1 or last_pos < first_pos",
    )
    check.none(
        "select 0, format('seal of the %s: rows are sealed to position %s, blocks to %s',"  # noqa: S608 - our own words
        " '"
        f"{chain}', r.pos, b.pos) from (select coalesce(max(pos), 0) as pos from seal_row where chain ="
        f" '{chain}') r,"
        f" (select coalesce(max(last_pos), 0) as pos from seal_block where chain = '{chain}') b where r.pos"
        " <> b.pos",
    )


def _blocks(check: Check, chain: str) -> None:
    """Each block's hash is that of its rows, and names the block before it."""
    check.none(
        "select no, format('seal of the %s: block %s (positions %s-%s) %s', chain, no, first_pos, last_pos,"  # noqa: S608 - our own words
        " fault)"
        " from (select b.*, case"
        "         when prev_hash <> coalesce(lag(hash) over (order by no), decode(repeat('00', 32), 'hex'))"
        "           then 'does not name the hash of the block before it'"
        "         when hash <> seal_block_hash(chain, no, first_pos, last_pos, prev_hash)"
        "           then 'does not have the hash of its rows' end as fault"
        f"        from seal_block b where chain = '{chain}') x where fault is not null",
    )


def _anchors(tx: Transaction, known: list[seal.Head]) -> list[str]:
    """Every head we anchored is still a block of its chain, with the same hash."""
    blocks = {
        (chain, no): (last, digest)
        for chain, no, last, digest in tx.rows("select chain, no, last_pos, encode(hash, 'hex') from seal_block")
    }
    broken: list[str] = []
    newest: dict[str, int] = {}
    for kept in known:
        newest[kept.chain] = max(newest.get(kept.chain, 0), kept.no)
        found = blocks.get((kept.chain, kept.no))
        if found is None:
            broken.append(
                f"{kept.chain}: block {kept.no}, anchored {kept.sealed_at} at position {kept.position}"
                f" ({kept.last_row}), is gone: the tail was cut off",
            )
        elif found != (kept.position, kept.hash):
            broken.append(
                f"{kept.chain}: block {kept.no} is not the one anchored {kept.sealed_at} at position"
                f" {kept.position} ({kept.last_row}): the chain was rewritten",
            )
    return broken
