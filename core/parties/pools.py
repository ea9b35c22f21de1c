"""Pools: groups of acceptors' bank accounts with one currency, payment method, price and matching policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core import audit, clock, ids, outbox
from core.actor import Right
from core.db import transaction
from core.errors import AlreadyDone, BadAmount, BadInput, Conflict, Frozen, NotFound, WrongState, sentence
from core.ledger import accounts
from core.money import USDT, Asset, Money, fiat
from core.parties import acceptors, particulars
from core.parties.policies import POLICIES

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction

LEAST_RESERVE: Final = Money(1_000_000, USDT)
# The lock keeps the version from being withdrawn until the pool is there, for which it then cannot be.
_SCHEDULE: Final = (
    "select 1 from fee_schedule where code = %s and withdrawn_at is null order by version limit 1 for share"
)
_SECONDS = {
    "pay_seconds": (60, 86_400),
    "confirm_seconds": (60, 86_400),
    "quote_seconds": (30, 3_600),
    "silent_seconds": (60, 86_400),
}
SILENCE: Final = _SECONDS["silent_seconds"]
"""The least and the most seconds that an acceptor of a pool may be silent."""
MOST = 1_000_000


def create(
    actor: Actor,
    code: str,
    currency: str,
    method: str,
    fee_code: str,
    policy: str,
    *,
    min_fiat: Money,
    max_fiat: Money,
    min_reserve: Money = LEAST_RESERVE,
    pay_seconds: int = 900,
    confirm_seconds: int = 900,
    quote_seconds: int = 600,
    silent_seconds: int = 600,
) -> str:
    """Open a pool and return its ref.

    `min_fiat` and `max_fiat` bound one order; an acceptor with less reserve than `min_reserve` is not matched, and
    neither is one silent for `silent_seconds`. Raises Forbidden, BadInput with the field, BadAmount, AlreadyDone.
    """
    actor.must(Right.MANAGE_PARTIES)
    asset = fiat(currency)
    must_fit(asset, min_fiat, max_fiat, min_reserve)
    _known(policy)
    times = (pay_seconds, confirm_seconds, quote_seconds, silent_seconds)
    for (field, (least, most)), seconds in zip(_SECONDS.items(), times, strict=True):
        whole(field, seconds, least, most)
    with transaction() as tx:
        if tx.call(_SCHEDULE, (fee_code,)) is None:
            raise BadInput(
                sentence("there is no fee schedule '%(fee_code)s'", fee_code=fee_code[:40]), field="fee_code"
            )
        ref = ids.new("pol")
        added = tx.run(
            "insert into pool (ref, code, currency, method, fee_code, policy, min_fiat_units, max_fiat_units,"
            " min_reserve_units, pay_seconds, confirm_seconds, quote_seconds, silent_seconds, created_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " on conflict on constraint pool_code_once do nothing",
            (
                ref,
                particulars.read_code(code),
                asset.code,
                particulars.read_method(method),
                fee_code,
                policy,
                min_fiat.units,
                max_fiat.units,
                min_reserve.units,
                *times,
                clock.now(),
            ),
        )
        if not added:
            raise AlreadyDone(
                sentence("there is a pool with the code %(code)s already", code=code), field="code", code=code
            )
        audit.write(tx, actor, "pool.create", ref, details={"code": code, "currency": asset.code, "policy": policy})
        outbox.tell(tx, "pool.created", ref, payload={"code": code, "currency": asset.code})
    return ref


def must_fit(asset: Asset, min_fiat: Money, max_fiat: Money, min_reserve: Money) -> None:
    """Refuse with `bad_amount` limits in another currency, or of which the least is above the most."""
    if {min_fiat.asset, max_fiat.asset} != {asset} or min_reserve.asset != USDT:
        raise BadAmount(sentence("limits are in %(asset)s, the least reserve in USDT", asset=asset), field="limits")
    if not 0 < min_fiat.units <= max_fiat.units or min_reserve.units < 0:
        raise BadAmount(sentence("limits are above zero, and the least is not above the most"), field="limits")


def admit(actor: Actor, pool_ref: str, merchant_ref: str) -> None:
    """Let a merchant use a pool. Raises Forbidden, NotFound, AlreadyDone."""
    actor.must(Right.MANAGE_PARTIES)
    with transaction() as tx:
        pool_id, _ = find(tx, pool_ref)
        merchant = particulars.find(tx, merchant_ref, "merchant")
        _in_good_standing(merchant.code, merchant.state, "merchant")
        sql = "insert into pool_merchant (pool_id, merchant_id) values (%s, %s) on conflict do nothing"
        if not tx.run(sql, (pool_id, merchant.id)):
            said = sentence("%(code)s may use this pool already", code=merchant.code)
            raise AlreadyDone(said, field="merchant", pool=pool_ref, merchant=merchant_ref)
        audit.write(tx, actor, "pool.admit", pool_ref, details={"merchant": merchant_ref})
        outbox.tell(tx, "pool.admitted", pool_ref, payload={"merchant": merchant_ref})


def join(
    actor: Actor,
    pool_ref: str,
    bank_account_ref: str,
    *,
    open_limit: int = 20,
    day_limit: Money,
) -> int:
    """Let an acceptor's bank account serve a pool, within limits; return the pool account's number.

    At most `open_limit` orders at a time and `day_limit` a UTC day go to it. Raises Forbidden, NotFound,
    Conflict for another currency or method or for a merchant's account, Frozen, BadAmount, BadInput,
    AlreadyDone when the account serves a pool (it can serve one).
    """
    actor.must(Right.MANAGE_PARTIES)
    whole("open_limit", open_limit, 1, MOST)
    with transaction() as tx:
        pool_id, offers = find(tx, pool_ref, lock=True)
        bank_id, acceptor_id = _bank_account(tx, bank_account_ref, offers)
        if day_limit.asset.code != offers[0] or day_limit.units <= 0:
            raise BadAmount(
                sentence("the day's limit is in %(currency)s, above zero", currency=offers[0]), field="day_limit"
            )
        account_id = accounts.of_party(tx, acceptor_id, lock=True)
        number: int | None = tx.call(
            "insert into pool_account (pool_id, acceptor_id, bank_account_id, account_id, place, open_limit,"
            " day_limit_units) values (%s, %s, %s, %s, pool_place(%s), %s, %s)"
            " on conflict on constraint pool_account_bank_once do update set pool_id = excluded.pool_id,"
            " place = excluded.place, open_limit = excluded.open_limit, day_limit_units = excluded.day_limit_units,"
            " left_at = null where pool_account.left_at is not null returning id",
            (pool_id, acceptor_id, bank_id, account_id, pool_id, open_limit, day_limit.units),
        )
        if number is None:
            raise AlreadyDone(
                sentence("the bank account serves a pool already"), field="bank_account", ref=bank_account_ref
            )
        tx.run("insert into pool_account_load (pool_account_id) values (%s) on conflict do nothing", (number,))
        acceptors.sync(tx, acceptor_id)
        details = {
            "bank_account": bank_account_ref,
            "day_limit_units": day_limit.units,
            "open_limit": open_limit,
        }
        audit.write(tx, actor, "pool.join", pool_ref, details=details)
        outbox.tell(tx, "pool.joined", pool_ref, payload={"bank_account": bank_account_ref})
    return number


def pause(actor: Actor, ref: str, why: str) -> None:
    """Stop quoting and matching in a pool; its open orders go on. Raises Forbidden, NotFound, WrongState."""
    _turn(actor, ref, why, before="open", after="paused")


def reopen(actor: Actor, ref: str, why: str) -> None:
    """Quote and match in a paused pool again. Raises Forbidden, NotFound, WrongState."""
    _turn(actor, ref, why, before="paused", after="open")


def choose_policy(actor: Actor, ref: str, policy: str, why: str) -> int:
    """Match by another policy from now on; return the version of it that orders are matched by.

    Each dispatch keeps the version it went by. Raises Forbidden, NotFound, BadInput for an unknown policy or no
    reason, WrongState when the pool goes by it already.
    """
    actor.must(Right.MANAGE_PARTIES)
    reason = particulars.read_why(why)
    _known(policy)
    with transaction() as tx:
        rows = tx.rows("select id, policy, policy_version from pool where ref = %s for no key update", (ref,))
        if not rows:
            raise NotFound(sentence("there is no pool %(ref)s", ref=ref[:40]), ref=ref[:40])
        number, before, version = rows[0]
        if before == policy:
            raise WrongState(
                sentence("the pool goes by %(policy)s already", policy=policy), field="policy", ref=ref, policy=policy
            )
        after = int(version) + 1
        tx.run("update pool set policy = %s, policy_version = %s where id = %s", (policy, after, number))
        details = {"from": before, "to": policy, "version": after}
        audit.write(tx, actor, "pool.policy", ref, reason=reason, details=details)
        outbox.tell(tx, "pool.policy_chosen", ref, payload={"policy": policy, "version": after})
    return after


def _known(policy: str) -> None:
    if policy not in POLICIES:
        raise BadInput(
            sentence("a policy is one of %(policies)s", policies=list(POLICIES)), field="policy", policy=policy[:40]
        )


def _turn(actor: Actor, ref: str, why: str, *, before: str, after: str) -> None:
    actor.must(Right.MANAGE_PARTIES)
    reason = particulars.read_why(why)
    with transaction() as tx:
        pool_id, _ = find(tx, ref)
        sql = "update pool set state = %s where id = %s and state = %s"
        if not tx.run(sql, (after, pool_id, before)):
            raise WrongState(sentence("the pool is not %(before)s", before=before), ref=ref)
        audit.write(tx, actor, "pool.pause" if after == "paused" else "pool.reopen", ref, reason=reason)
        outbox.tell(tx, "pool.paused" if after == "paused" else "pool.reopened", ref)


def find(tx: Transaction, ref: str, *, lock: bool = False) -> tuple[int, tuple[str, str]]:
    """Return a pool's number, and the currency and method it takes; locked until the end if asked. Raises NotFound."""
    sql = "select id, currency, method from pool where ref = %s"
    rows = tx.rows(f"{sql} for no key update" if lock else sql, (ref,))
    if not rows:
        raise NotFound(sentence("there is no pool %(ref)s", ref=ref[:40]), ref=ref[:40])
    return rows[0][0], (rows[0][1], rows[0][2])


def _bank_account(tx: Transaction, ref: str, offers: tuple[str, str]) -> tuple[int, int]:
    """Return the numbers of an acceptor's active account that fits the pool, and of its owner."""
    rows = tx.rows(
        "select b.id, b.party_id, b.state, b.currency, b.method, p.kind, p.code, p.state"
        " from bank_account b join party p on p.id = b.party_id where b.ref = %s for no key update of b",
        (ref,),
    )
    if not rows:
        raise NotFound(sentence("there is no bank account %(ref)s", ref=ref[:40]), field="bank_account", ref=ref[:40])
    number, owner, state, currency, method, kind, code, standing = rows[0]
    if kind != "acceptor":
        raise Conflict(sentence("only acceptors' bank accounts serve pools"), field="bank_account", ref=ref)
    _in_good_standing(code, standing, "bank_account")
    if state != "active":
        raise Frozen(sentence("the bank account is %(state)s", state=state), field="bank_account", ref=ref, state=state)
    if (currency, method) != offers:
        said = sentence(
            "the pool takes %(takes)s by %(by)s, the account %(currency)s by %(method)s",
            takes=offers[0],
            by=offers[1],
            currency=currency,
            method=method,
        )
        raise Conflict(said, field="bank_account", ref=ref)
    return number, owner


def _in_good_standing(code: str, state: str, field: str) -> None:
    if state in {"suspended", "barred"}:
        raise Frozen(
            sentence("%(code)s is %(state)s: no new business with it", code=code, state=state), field=field, state=state
        )


def whole(field: str, value: int, least: int, most: int) -> None:
    """Refuse with `bad_input` what is no whole number within these bounds."""
    if type(value) is not int or not least <= value <= most:
        raise BadInput(
            sentence(
                "%(field)s must be a whole number from %(least)s to %(most)s", field=field, least=least, most=most
            ),
            field=field,
        )
