"""What a pool was given, taken back or changed: an admission, an account, limits; open orders go on through all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import audit, clock, outbox
from core.actor import Right
from core.db import transaction
from core.errors import BadAmount, NotFound, WrongState, sentence
from core.money import USDT, Money, fiat
from core.parties import acceptors, particulars, pools

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction

_SERVING = """
select a.id, a.acceptor_id, a.open_limit, a.day_limit_units, l.currency
  from pool_account a join bank_account b on b.id = a.bank_account_id join pool l on l.id = a.pool_id
 where a.pool_id = %s and b.ref = %s and a.left_at is null for no key update of a
"""


def withdraw_admission(actor: Actor, pool_ref: str, merchant_ref: str, why: str) -> int:
    """Let a merchant use a pool no more; return how many of its unused quotes end with it. Open orders go on.

    Raises Forbidden, NotFound, WrongState when it may not use the pool, BadInput without a reason.
    """
    actor.must(Right.MANAGE_PARTIES)
    reason = particulars.read_why(why)
    with transaction() as tx:
        pool_id, _ = pools.find(tx, pool_ref)
        merchant = particulars.find(tx, merchant_ref, "merchant", lock=True)
        gone = tx.run("delete from pool_merchant where pool_id = %s and merchant_id = %s", (pool_id, merchant.id))
        if not gone:
            said = sentence("%(code)s may not use this pool anyway", code=merchant.code)
            raise WrongState(said, field="merchant", pool=pool_ref, merchant=merchant_ref)
        now = clock.now()
        ended = tx.run(
            "update quote q set expires_at = %s where q.merchant_id = %s and q.pool_id = %s and q.expires_at > %s"
            # One that became an order was kept: what it promised, and until when, is told beside that order.
            " and not exists (select from orders o where o.quote_id = q.id)",
            (now, merchant.id, pool_id, now),
        )
        details = {"merchant": merchant_ref, "quotes_ended": ended}
        audit.write(tx, actor, "pool.withdraw_admission", pool_ref, reason=reason, details=details)
        outbox.tell(tx, "pool.admission_withdrawn", pool_ref, payload={"merchant": merchant_ref})
    return ended


def leave(actor: Actor, pool_ref: str, bank_account_ref: str, why: str) -> int:
    """Take an acceptor's bank account out of a pool; return how many open orders go on with it.

    It may join this pool or another again. Raises Forbidden, NotFound, WrongState when it does not serve the pool,
    BadInput without a reason.
    """
    actor.must(Right.MANAGE_PARTIES)
    reason = particulars.read_why(why)
    with transaction() as tx:
        pool_id, _ = pools.find(tx, pool_ref, lock=True)
        _lock_reserve(tx, bank_account_ref)
        number, acceptor_id, *_ = _serving(tx, pool_id, bank_account_ref)
        tx.call("select pool_account_leave(%s, %s)", (number, clock.now()))
        acceptors.sync(tx, acceptor_id)
        left: int = tx.call("select open_orders from pool_account_load where pool_account_id = %s", (number,))
        details = {"bank_account": bank_account_ref, "open_orders": left}
        audit.write(tx, actor, "pool.leave", pool_ref, reason=reason, details=details)
        outbox.tell(tx, "pool.left", pool_ref, payload={"bank_account": bank_account_ref})
    return left


def limit_account(
    actor: Actor,
    pool_ref: str,
    bank_account_ref: str,
    why: str,
    *,
    day_limit: Money | None = None,
    open_limit: int | None = None,
) -> None:
    """Change what an account takes, a day and at a time; what is not named stays.

    It counts from the next order on: below what it has now, it gets none until orders end. Raises Forbidden, NotFound,
    WrongState when it does not serve the pool or nothing would change, BadAmount, BadInput that names the field.
    """
    actor.must(Right.MANAGE_PARTIES)
    reason = particulars.read_why(why)
    if open_limit is not None:
        pools.whole("open_limit", open_limit, 1, pools.MOST)
    with transaction() as tx:
        pool_id, _ = pools.find(tx, pool_ref)
        number, _, *before, code = _serving(tx, pool_id, bank_account_ref)
        if day_limit is not None and (day_limit.asset.code != code or day_limit.units <= 0):
            raise BadAmount(sentence("the day's limit is in %(asset)s, above zero", asset=code), field="day_limit")
        asked = (open_limit, day_limit.units if day_limit else None)
        after = [old if new is None else new for old, new in zip(before, asked, strict=True)]
        if after == before:
            raise WrongState(sentence("nothing would change"), field="day_limit", ref=bank_account_ref)
        tx.run(
            "update pool_account set open_limit = %s, day_limit_units = %s where id = %s",
            (*after, number),
        )
        names = ("open_limit", "day_limit_units")
        details = {"bank_account": bank_account_ref} | _changed(names, before, after)
        audit.write(tx, actor, "pool.limit_account", pool_ref, reason=reason, details=details)
        outbox.tell(tx, "pool.account_limited", pool_ref, payload=details)


def limit(
    actor: Actor,
    pool_ref: str,
    why: str,
    *,
    min_fiat: Money | None = None,
    max_fiat: Money | None = None,
    min_reserve: Money | None = None,
    silent_seconds: int | None = None,
) -> None:
    """Change the bounds of an order of a pool, the least reserve of who serves it and how long that may be silent.

    What is not named stays. Acceptors below the new least reserve leave matching at once, those above it come back;
    one that has been silent for longer leaves with the next look at it, one that is out comes back when it is heard;
    quotes made before keep their price. Raises Forbidden, NotFound, WrongState for a pool of imported orders or when
    nothing would change, BadAmount, BadInput that names the field or without a reason.
    """
    actor.must(Right.MANAGE_PARTIES)
    reason = particulars.read_why(why)
    if silent_seconds is not None:
        pools.whole("silent_seconds", silent_seconds, *pools.SILENCE)
    with transaction() as tx:
        rows = tx.rows(
            "select id, state, currency, min_fiat_units, max_fiat_units, min_reserve_units, silent_seconds from pool"
            " where ref = %s for no key update",
            (pool_ref,),
        )
        if not rows:
            raise NotFound(sentence("there is no pool %(ref)s", ref=pool_ref[:40]), ref=pool_ref[:40])
        pool_id, state, currency, *before = rows[0]
        if state == "imported":
            raise WrongState(sentence("the pool holds imported orders only"), ref=pool_ref, state=state)
        asset = fiat(currency)
        least, most = min_fiat or Money(before[0], asset), max_fiat or Money(before[1], asset)
        reserve = Money(before[2], USDT) if min_reserve is None else min_reserve
        pools.must_fit(asset, least, most, reserve)
        silence = before[3] if silent_seconds is None else silent_seconds
        after = [least.units, most.units, reserve.units, silence]
        if after == before:
            raise WrongState(sentence("nothing would change"), field="min_fiat", ref=pool_ref)
        tx.run(
            "update pool set min_fiat_units = %s, max_fiat_units = %s, min_reserve_units = %s, silent_seconds = %s"
            " where id = %s",
            (*after, pool_id),
        )
        if reserve.units != before[2]:
            tx.call("select pool_sync(%s)", (pool_id,))
        names = ("min_fiat_units", "max_fiat_units", "min_reserve_units", "silent_seconds")
        details = _changed(names, before, after)
        audit.write(tx, actor, "pool.limit", pool_ref, reason=reason, details=details)
        outbox.tell(tx, "pool.limited", pool_ref, payload=details)


def _lock_reserve(tx: Transaction, bank_account_ref: str) -> None:
    """Lock the reserve behind a bank account before the account itself: in the order in which a freeze does."""
    tx.rows(
        "select a.id from ledger_account a join bank_account b on b.party_id = a.party_id"
        " where b.ref = %s and a.asset = 'USDT' for no key update of a",
        (bank_account_ref,),
    )


def _serving(tx: Transaction, pool_id: int, bank_account_ref: str) -> tuple[int, int, int, int, str]:
    rows = tx.rows(_SERVING, (pool_id, bank_account_ref))
    if not rows:
        known = tx.call("select 1 from bank_account where ref = %s", (bank_account_ref,))
        if known is None:
            said = sentence("there is no bank account %(ref)s", ref=bank_account_ref[:40])
            raise NotFound(said, field="bank_account", ref=bank_account_ref[:40])
        said = sentence("the bank account does not serve this pool")
        raise WrongState(said, field="bank_account", ref=bank_account_ref)
    number, acceptor, slots, day, code = rows[0]
    return number, acceptor, slots, day, code


def _changed(names: tuple[str, ...], before: list[int], after: list[int]) -> dict[str, object]:
    """Return what is another now, each with what it was."""
    found = zip(names, before, after, strict=True)
    return {name: {"from": old, "to": new} for name, old, new in found if old != new}
