"""What belongs to whom: accounts bear their party's name, releases pay the order's own parties, lines their month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import vault
from core.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.db import Transaction
    from core.verify.finding import Check


def accounts_are_named(check: Check) -> None:
    """Add accounts (I2) whose kind, name and party do not agree: their whole history would be another's."""
    check.none(
        "select a.id, format('account #%s: it is called %s, of kind %s, and belongs to %s', a.id, a.name, a.kind,"
        " coalesce(p.kind || ' ' || p.code, case when a.party_id is null then 'nobody' else '#' || a.party_id end))"
        " from ledger_account a left join party p on p.id = a.party_id"
        " where case when a.kind = 'house' then a.party_id is not null or a.name not like 'house:%'"
        "            else p.id is null or p.kind <> a.kind or a.name <> a.kind || ':' || p.code end",
    )
    check.none(
        "select min(a.id), format('%s accounts are called %s', count(*), a.name) from ledger_account a"
        " group by a.name, a.asset having count(*) > 1",
    )


def releases_pay_the_parties(check: Check) -> None:
    """Add releases (I10) with a leg on an account of another merchant or acceptor than the order's.

    An agent's leg is compared with its commission line, which names the agent.
    """
    check.none(
        "select o.id, format('order %s (entry %s): %s units are on %s, the order''s %s is #%s', o.ref, e.ref, l.units,"
        " a.name, a.kind, case a.kind when 'merchant' then o.merchant_id else o.acceptor_id end)"
        " from journal_entry e join orders o on o.id = e.order_id join journal_leg l on l.entry_id = e.id"
        " join ledger_account a on a.id = l.account_id"
        " where e.reason = 'escrow_release' and a.kind in ('merchant', 'acceptor')"
        " and a.party_id is distinct from case a.kind when 'merchant' then o.merchant_id else o.acceptor_id end",
    )


def lines_stand_where_booked(check: Check) -> None:
    """Add commission lines (I10) that stand in another month than they were booked in, or have moved without a posting.

    A line accrues with the release, in the month of its moment (UTC). Nothing pays, approves or reverses lines yet:
    whatever does will bring the posting that this asks for.
    """
    check.none(
        "select c.id, format('commission line %s stands in %s, it was accrued %s, with entry %s of %s', c.ref,"
        " c.period, to_char(c.accrued_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), e.ref,"
        " to_char(e.happened_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'))"
        " from commission_line c join journal_entry e on e.order_id = c.order_id and e.reason = 'escrow_release'"
        " where c.period <> to_char(e.happened_at at time zone 'UTC', 'YYYY-MM') or c.accrued_at <> e.happened_at",
    )
    check.none(
        "select c.id, format('commission line %s is %s, and no posting made it so', c.ref, c.state)"
        " from commission_line c where c.state <> 'pending'",
    )


def bank_accounts_are_as_added(check: Check) -> None:
    """Add bank accounts (I11) that are not those that were added: customers are sent there with their money.

    The trail, which is sealed, says of each whose it was and how it looked; number, index and mask belong together.
    """
    check.none(
        "select b.id, format('bank account %s is %s of %s; the audit trail says %s', b.ref, b.masked, p.ref,"
        " coalesce(t.said, 'nothing'))"
        " from bank_account b join party p on p.id = b.party_id left join lateral (select count(*) as told,"
        "        string_agg(format('%s of %s', a.details ->> 'account', a.details ->> 'party'), ', ') as said,"
        "        bool_and(a.details ->> 'account' = b.masked and a.details ->> 'party' = p.ref"
        "                 and coalesce(a.details ->> 'currency', b.currency) = b.currency"
        "                 and coalesce(a.details ->> 'method', b.method) = b.method) as same"
        "   from audit a where a.subject = b.ref and a.to_state is null and a.action = 'bank_account.add') t on true"
        " where t.told <> 1 or not coalesce(t.same, false)",
    )
    check.each(_not_what_is_sealed(check.tx))


def _not_what_is_sealed(tx: Transaction) -> Iterator[str]:
    for ref, sealed, blind, masked in tx.rows("select ref, sealed, blind, masked from bank_account order by id"):
        try:
            number = vault.open_(bytes(sealed))
        except Refusal as refusal:
            yield f"bank account {ref}: its number cannot be read ({refusal.code})"
            continue
        if vault.blind(number) != bytes(blind) or vault.mask_account(number) != masked:
            yield f"bank account {ref}: its sealed number is not the one that {masked} and its index stand for"
