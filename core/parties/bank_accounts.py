"""Bank accounts of parties: each its owner's own, numbers sealed, exactly one designated for withdrawals."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from core import audit, clock, ids, outbox, vault
from core.actor import Right
from core.db import transaction
from core.errors import AlreadyDone, Barred, Changed, Conflict, Frozen, NotFound, WrongState, sentence
from core.money import fiat
from core.names import similarity
from core.parties import acceptors, account_numbers, particulars

if TYPE_CHECKING:
    from core.actor import Actor
    from core.db import Transaction

SAME_NAME_MILLI = 880
"""From this similarity on a holder's name counts as the verified name written otherwise."""


class _Row(NamedTuple):
    id: int
    ref: str
    state: str
    masked: str
    party: particulars.PartyRow


def add(actor: Actor, party_ref: str, bank: str, holder: str, number: str, currency: str, method: str) -> str:
    """Add a bank account to a merchant or acceptor and return its ref; its first is its withdrawal account.

    Who manages parties adds to any; a party that may designate adds its own. The holder must bear the party's
    verified name: nobody works with other people's accounts. Raises Forbidden, NotFound (a foreign party too),
    BadInput for a number or currency that cannot be, Conflict for a foreign holder or when another party has
    that number, AlreadyDone when the party has it, Barred.
    """
    if not actor.may(Right.MANAGE_PARTIES):
        actor.must(Right.DESIGNATE_BANK_ACCOUNT)
    plain = account_numbers.read(number)
    code = fiat(currency).code
    words = (particulars.read_words(bank, "bank"), particulars.read_words(holder, "holder"))
    kind = particulars.read_method(method)
    with transaction() as tx:
        party = particulars.find(tx, party_ref, "merchant", "acceptor")
        if not particulars.owns(actor, party):
            raise NotFound(
                sentence("there is no merchant or acceptor %(party_ref)s", party_ref=party_ref[:40]), ref=party_ref[:40]
            )
        _must_be_in_business(party)
        _must_be_theirs(party, words[1])
        index = vault.blind(plain)
        _must_be_new(tx, actor, party, plain)
        ref, at = ids.new("bnk"), clock.now()
        account_id = tx.call(
            "insert into bank_account (ref, party_id, bank, holder, currency, method, blind, sealed, masked,"
            " created_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id",
            (ref, party.id, *words, code, kind, index, vault.seal(plain), vault.mask_account(plain), at),
        )
        tx.run(
            "insert into withdrawal_account (party_id, bank_account_id, designated_at) values (%s, %s, %s)"
            " on conflict (party_id) do nothing",
            (party.id, account_id, at),
        )
        details = {"party": party_ref, "account": vault.mask_account(plain), "currency": code, "method": kind}
        audit.write(tx, actor, "bank_account.add", ref, details=details)
        outbox.tell(tx, "bank_account.added", ref, payload={"party": party_ref})
    return ref


def designate(actor: Actor, ref: str, why: str) -> None:
    """Make this the one account its party is paid out to; the trail keeps both accounts, masked, and the reason.

    Of two at once one wins. Raises Forbidden, NotFound (a foreign account too), Barred for a barred party's, Frozen
    for an account that is not active, WrongState when it is designated already, Changed when somebody else was
    quicker, BadInput without a reason.
    """
    actor.must(Right.DESIGNATE_BANK_ACCOUNT)
    reason = particulars.read_why(why)
    with transaction() as tx:
        account = _locked(tx, actor, ref)
        _must_be_in_business(account.party)
        if account.state != "active":
            raise Frozen(
                sentence(
                    "%(masked)s is %(state)s; designate an active account", masked=account.masked, state=account.state
                ),
                ref=ref,
            )
        before = tx.call("select bank_account_id from withdrawal_account where party_id = %s", (account.party.id,))
        if before == account.id:
            raise WrongState(sentence("%(masked)s is the withdrawal account already", masked=account.masked), ref=ref)
        moved = tx.run(
            "update withdrawal_account set bank_account_id = %s, designated_at = %s"
            " where party_id = %s and bank_account_id = %s",
            (account.id, clock.now(), account.party.id, before),
        )
        if not moved:
            raise Changed(sentence("somebody else has just designated another account; look again"), ref=ref)
        was, masked = tx.rows("select ref, masked from bank_account where id = %s", (before,))[0]
        details = {"party": account.party.ref, "before": was, "account_before": masked, "account": account.masked}
        audit.write(tx, actor, "bank_account.designate", ref, reason=reason, details=details)
        outbox.tell(tx, "bank_account.designated", ref, payload={"party": account.party.ref, "before": was})


def freeze(actor: Actor, ref: str, why: str) -> None:
    """Take the account out of use: no new order is sent to it, nothing is paid out to it.

    Raises Forbidden, NotFound, WrongState when it is not active, BadInput without a reason.
    """
    _turn(actor, ref, why, before="active", after="frozen")


def unfreeze(actor: Actor, ref: str, why: str) -> None:
    """Put a frozen account back into use. Raises as `freeze` does."""
    _turn(actor, ref, why, before="frozen", after="active")


def _turn(actor: Actor, ref: str, why: str, *, before: str, after: str) -> None:
    actor.must(Right.FREEZE_BANK_ACCOUNT)
    reason = particulars.read_why(why)
    with transaction() as tx:
        account = _locked(tx, actor, ref)
        if account.state != before:
            raise WrongState(
                sentence(
                    "%(masked)s is %(state)s, not %(before)s", masked=account.masked, state=account.state, before=before
                ),
                ref=ref,
                state=account.state,
            )
        tx.run(
            "update bank_account set state = %s, frozen_why = %s where id = %s",
            (after, reason if after == "frozen" else "", account.id),
        )
        if account.party.kind == "acceptor":
            acceptors.sync(tx, account.party.id)
        word = "freeze" if after == "frozen" else "unfreeze"
        audit.write(tx, actor, f"bank_account.{word}", ref, reason=reason, details={"party": account.party.ref})
        outbox.tell(tx, f"bank_account.{word}", ref, payload={"party": account.party.ref})


def _locked(tx: Transaction, actor: Actor, ref: str) -> _Row:
    rows = tx.rows(
        "select b.id, b.ref, b.state, b.masked, p.id, p.ref, p.kind, p.code, p.name, p.state"
        " from bank_account b join party p on p.id = b.party_id where b.ref = %s for no key update of b",
        (ref,),
    )
    if rows:
        number, stored, state, masked, *owner = rows[0]
        found = _Row(number, stored, state, masked, particulars.PartyRow(*owner))
        if particulars.owns(actor, found.party):
            return found
    raise NotFound(sentence("there is no bank account %(ref)s", ref=ref[:40]), ref=ref[:40])


def _must_be_in_business(party: particulars.PartyRow) -> None:
    if party.state == "barred":
        raise Barred(sentence("%(code)s is barred", code=party.code), ref=party.ref)


def _must_be_theirs(party: particulars.PartyRow, holder: str) -> None:
    likeness = similarity(holder, party.name).score_milli
    if likeness < SAME_NAME_MILLI:
        raise Conflict(
            sentence(
                "the account's holder must be %(name)s, the verified name of %(code)s", name=party.name, code=party.code
            ),
            field="holder",
            likeness_milli=likeness,
            needed_milli=SAME_NAME_MILLI,
        )


def _must_be_new(tx: Transaction, actor: Actor, party: particulars.PartyRow, plain: str) -> None:
    """Refuse a number that somebody has; additions of one number wait for each other.

    Who is told that another party has it has learnt something, so that is written down though nothing is added.
    """
    index = vault.blind(plain)
    tx.call("select pg_advisory_xact_lock(hashtextextended(encode(%s, 'hex'), 0))", (index,))
    owners = [row[0] for row in tx.rows("select party_id from bank_account where blind = %s", (index,))]
    if party.id in owners:
        raise AlreadyDone(sentence("%(code)s has this account already", code=party.code), field="number")
    if owners:
        with transaction() as own:
            details = {"account": vault.mask_account(plain)}
            audit.write(own, actor, "bank_account.taken", party.ref, details=details)
        raise Conflict(sentence("another party has this account: an account has one owner"), field="number")
