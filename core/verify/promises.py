"""Invariants of promises: one key one effect, withdrawal accounts, locks, four eyes, answers given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.verify.evidence import deciders_are_told, facts_are_known, gates_have_looked
from core.verify.finding import Check, Finding
from core.verify.owners import bank_accounts_are_as_added
from core.verify.told import alerts_are_as_told, belonging_as_told, designated_as_told, requests_are_as_told
from core.verify.withdrawn import one_of_its_two_said_so, what_was_approved_is_the_same, what_was_approved_is_there

if TYPE_CHECKING:
    from core.db import Transaction


def one_effect(tx: Transaction) -> Finding:
    """I7: a key of the journal, a quote, a merchant's order number, a commission share: each was used once.

    The database's unique constraints see to it; this looks at the rows themselves, should one be gone.
    """
    check = Check(tx, "I7", "one idempotency key, one effect").counted("select count(*) from journal_entry")
    check.none(
        "select min(id), format('key %s is on %s journal entries', key, count(*))"
        " from journal_entry group by key having count(*) > 1",
    )
    check.none(
        "select min(id), format('%s orders were made of quote #%s: %s', count(*), quote_id, string_agg(ref,"
        " ', '))"
        " from orders where quote_id is not null group by quote_id having count(*) > 1",
    )
    check.none(
        "select min(id), format('order number %s of merchant #%s is on %s orders: %s', external_ref,"
        " merchant_id,"
        "        count(*), string_agg(ref, ', ')) from orders group by merchant_id, external_ref having"
        " count(*) > 1",
    )
    check.none(
        "select min(id), format('order #%s pays agent #%s at level %s by %s lines: %s', order_id, agent_id,"
        " level,"
        "        count(*), string_agg(ref, ', '))"
        " from commission_line group by order_id, agent_id, level having count(*) > 1",
    )
    check.none(
        "select 0, format('idempotency key %s of party #%s is stored %s times', key, party_id, count(*))"
        " from idempotency_key group by party_id, key having count(*) > 1",
    )
    return check.finding()


def withdrawal_accounts(tx: Transaction) -> Finding:
    """I11: each party with bank accounts has exactly one withdrawal account, one of its own."""
    check = Check(tx, "I11", "exactly one withdrawal account per party that has any, and it is theirs")
    check.counted("select count(distinct party_id) from bank_account")
    check.none(
        "select p.id, format('%s %s has %s bank accounts and %s withdrawal accounts of its own', p.kind,"
        " p.code,"
        "        b.accounts, b.designated)"
        " from (select b.party_id, count(*) as accounts, count(w.party_id) as designated from bank_account b"
        "         left join withdrawal_account w on w.bank_account_id = b.id and w.party_id = b.party_id"
        "        group by b.party_id) b join party p on p.id = b.party_id where b.designated <> 1",
    )
    check.none(
        "select w.party_id, format('party #%s has designated bank account #%s, which is not its own',"
        " w.party_id,"
        "        w.bank_account_id)"
        " from withdrawal_account w where not exists"
        "  (select 1 from bank_account b where b.id = w.bank_account_id and b.party_id = w.party_id)",
    )
    bank_accounts_are_as_added(check)
    designated_as_told(check)
    return check.finding()


def locked_periods(tx: Transaction) -> Finding:
    """I14: nothing was posted into a locked period after its lock, unless it was unlocked by then."""
    check = Check(tx, "I14", "no posting is dated inside a locked period after its lock")
    check.counted("select count(*) from period_lock")
    check.none(
        "select e.id, format('entry %s (%s), dated %s, was booked %s, after the period was locked %s',"
        "        e.ref, e.key, e.happened_at, e.booked_at, l.locked_at)"
        " from period_lock l join journal_entry e on e.happened_at >= l.starts_at and e.happened_at <"
        " l.ends_at"
        " where e.booked_at > l.locked_at and (l.unlocked_at is null or e.booked_at < l.unlocked_at)",
    )
    return check.finding()


_BY_TWO = "select a.subject from approval a where a.state = 'approved' and a.decided_by <> a.requested_by"


def four_eyes(tx: Transaction) -> Finding:
    """I15: no request was decided by the one who made it, and what takes two was not done by one."""
    check = Check(tx, "I15", "nobody approved their own request").counted("select count(*) from approval")
    check.none(
        "select id, format('approval %s (%s): %s asked and decided', ref, kind, decided_by)"
        " from approval where state in ('approved', 'refused') and decided_by = requested_by",
    )
    check.none(
        "select id, format('approval %s is %s, but nobody decided it', ref, state)"
        " from approval where state in ('approved', 'refused') and decided_by is null",
    )
    check.none(
        "select x.id, format('%s #%s was asked for and approved by the same person', x.what, x.id)"
        " from (select 'ruleset' as what, id from ruleset where approved_by = requested_by"
        "       union all select 'fee schedule', id from fee_schedule where approved_by = requested_by"
        "       union all select 'plan version', id from plan_version where approved_by = requested_by) x",
    )
    check.none(
        "select h.id, format('hold %s on order %s was ended, and no second person agreed', h.ref, o.ref)"  # noqa: S608 - our own words
        " from hold h join orders o on o.id = h.order_id where h.closed_at is not null"
        f" and o.ref not in ({_BY_TWO} and a.kind in ('hold_decision', 'dispute_decision'))",
    )
    check.none(
        "select e.id, format('entry %s (%s): topped up, and no second person agreed', e.ref, e.key)"  # noqa: S608 - our own words
        " from journal_entry e where e.reason = 'reserve_topup' and e.key like 'topup:%'"
        f" and e.key not in ({_BY_TWO} and a.kind = 'reserve_topup')",
    )
    # A hold that began with the agent's standing ends with it, by one person's deed.
    check.none(
        "select h.id, format('hold %s of an agent''s commission was ended, and no second person agreed', h.ref)"
        " from commission_hold h where h.closed_at is not null and not h.by_standing and h.ref not in (select"
        " a.payload ->> 'hold' from approval a where a.state = 'approved' and a.decided_by <> a.requested_by"
        " and a.kind = 'commission_lift')",
    )
    deciders_are_told(check)
    requests_are_as_told(check)
    one_of_its_two_said_so(check)
    what_was_approved_is_there(check)
    what_was_approved_is_the_same(check)
    return check.finding()


def acknowledged(tx: Transaction) -> Finding:
    """I16: every answer we gave stands: what it names exists, and what was refused left no trace."""
    check = Check(tx, "I16", "what was acknowledged is there, what was refused is not")
    check.counted("select count(*) from idempotency_key where state = 'done'").counted("select count(*) from orders")
    check.none(
        "select 0, format('the answer to key %s of party #%s names %s, which does not exist',"
        "        k.key, k.party_id, k.body ->> 'ref')"
        " from idempotency_key k where k.state = 'done' and k.status between 200 and 299"
        " and ((k.body ->> 'ref' like 'ord\\_%' and not exists (select 1 from orders o where o.ref = k.body"
        " ->> 'ref'))"
        "   or (k.body ->> 'ref' like 'quo\\_%' and not exists (select 1 from quote q where q.ref = k.body"
        " ->> 'ref')))",
    )
    check.none(
        "select o.id, format('order %s was never told: the outbox has no opening of it', o.ref) from orders o"
        " where not exists (select 1 from outbox b where b.order_id = o.id and b.from_state is null"
        "                   and b.to_state is not null)",
    )
    check.none(
        "select o.id, format('order %s was refused, yet %s (%s) was booked', o.ref, e.ref, e.key)"
        " from orders o join journal_entry e on e.order_id = o.id where o.state = 'refused'",
    )
    check.none(
        "select c.id, format('commission line %s belongs to order #%s, which was not completed', c.ref,"
        " c.order_id)"
        " from commission_line c where not exists"
        "  (select 1 from orders o where o.id = c.order_id and o.state in ('completed', 'reversed'))",
    )
    gates_have_looked(check)
    facts_are_known(check)
    alerts_are_as_told(check)
    belonging_as_told(check)
    return check.finding()
