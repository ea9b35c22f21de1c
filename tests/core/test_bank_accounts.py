"""Bank accounts: their owner's own, sealed, exactly one for withdrawals, out of matching when frozen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from core import db
from core.actor import Right
from core.compliance import reveals
from core.errors import (
    AlreadyDone,
    BadInput,
    Barred,
    Changed,
    Conflict,
    Forbidden,
    Frozen,
    NotFound,
    Refusal,
    WrongState,
)
from core.parties import acceptors, account_numbers, bank_accounts, merchants, standing
from tests import make
from tests.beside import Deed, other, waits_for_a_lock

ADMIN = make.person("admin", Right.MANAGE_PARTIES, Right.DESIGNATE_BANK_ACCOUNT, Right.FREEZE_BANK_ACCOUNT)
WHY = "the old bank closes its branch"
OFFICER = make.person("compliance", Right.REVEAL, Right.FREEZE_BANK_ACCOUNT)


def one(sql, *args):
    with db.reading() as tx:
        return tx.call(sql, args)


def designated(party_ref):
    """The refs of the party's withdrawal accounts: one, or none when it has no account."""
    with db.reading() as tx:
        rows = tx.rows(
            "select b.ref from withdrawal_account w join bank_account b on b.id = w.bank_account_id"
            " join party p on p.id = w.party_id where p.ref = %s",
            (party_ref,),
        )
    return [row[0] for row in rows]


@pytest.fixture
def joao(database):
    return acceptors.create(ADMIN, "joao", "João Silva", country="BR")


def add(party, number, holder="Joao Silva"):
    return bank_accounts.add(ADMIN, party, "Banco Um", holder, number, "BRL", "pix")


def test_the_first_account_is_the_withdrawal_account_and_later_ones_are_not(joao):
    assert designated(joao) == []
    first = add(joao, "0001-22")
    add(joao, "0001-33")
    assert designated(joao) == [first]


def test_the_number_is_stored_sealed_and_shown_masked(joao):
    ref = add(joao, "12.345-678 8812")
    with db.reading() as tx:
        sealed, masked = tx.rows("select sealed, masked from bank_account where ref = %s", (ref,))[0]
        everything = tx.rows("select a::text from audit a union all select o::text from outbox o")
    assert masked == "•• 8812"
    assert b"123456788812" not in sealed
    assert not any("123456788812" in row[0] for row in everything)


def test_a_look_at_the_number_needs_the_right_and_leaves_a_row(joao):
    ref = add(joao, "12.345-678 8812")
    assert reveals.reveal(OFFICER, "bank_account", ref, "bank asked for it", ref) == "123456788812"
    said = "select reason from audit where action = 'reveal.bank_account' and subject = %s"
    assert one(said, ref) == "bank asked for it"
    for bad, error in (
        ((ADMIN, ref, "bank asked"), Forbidden),
        ((OFFICER, ref, ""), BadInput),
        ((OFFICER, "bnk_0000000000000000", "bank asked"), NotFound),
    ):
        with pytest.raises(error):
            reveals.reveal(bad[0], "bank_account", bad[1], bad[2], bad[1])
    assert one("select count(*) from audit where action = 'reveal.bank_account'") == 1


def test_an_acceptor_works_with_its_own_accounts_only(joao):
    with pytest.raises(Conflict, match="João Silva"):
        add(joao, "12345678", holder="Pedro Alvares")
    add(joao, "12345678", holder="SILVA, Joao")
    assert one("select count(*) from bank_account") == 1


def test_an_account_has_one_owner_and_is_added_once(joao):
    add(joao, "12345678")
    with pytest.raises(AlreadyDone):
        add(joao, "1234-5678")
    twin = acceptors.create(ADMIN, "joao2", "João Silva", country="BR")
    with pytest.raises(Conflict):
        add(twin, "12345678")


@pytest.mark.parametrize(
    "number",
    ["", "123", "1" * 35, "12 34;56", "GB33BUKB20201555555556", "BR0000000000000000000000000", "12345\n6_8"],
)
def test_numbers_that_cannot_be_are_refused(number):
    with pytest.raises(BadInput):
        account_numbers.read(number)


def test_numbers_are_read_however_they_are_written():
    assert account_numbers.read("GB33 BUKB 2020 1555 5555 55") == "GB33BUKB20201555555555"
    assert account_numbers.read("de89-3704.0044 0532 0130 00") == "DE89370400440532013000"
    assert account_numbers.read("00123/4-5") == "0012345"


def test_strange_parties_currencies_and_methods_are_refused(joao):
    for args, error in (
        (("acc_nobody", "B", "Joao Silva", "12345678", "BRL", "pix"), NotFound),
        ((joao, "B", "Joao Silva", "12345678", "XXX", "pix"), BadInput),
        ((joao, "B", "Joao Silva", "12345678", "BRL", "by hand!"), BadInput),
        ((joao, "", "Joao Silva", "12345678", "BRL", "pix"), BadInput),
    ):
        with pytest.raises(error):
            bank_accounts.add(ADMIN, *args)
    standing.bar(ADMIN, joao, "forged papers")
    with pytest.raises(Barred):
        add(joao, "12345678")
    assert one("select count(*) from bank_account") == 0


def test_designation_moves_to_another_of_ones_own(joao):
    first = add(joao, "0001-22")
    second = add(joao, "0001-33")
    with pytest.raises(BadInput):
        bank_accounts.designate(ADMIN, second, "")
    bank_accounts.designate(ADMIN, second, WHY)
    assert designated(joao) == [second]
    masks = [one("select masked from bank_account where ref = %s", each) for each in (first, second)]
    with db.reading() as tx:
        told = tx.rows("select reason, details from audit where action = 'bank_account.designate'")
    kept = {"party": joao, "before": first, "account_before": masks[0], "account": masks[1]}
    assert told == [(WHY, kept)]
    with pytest.raises(WrongState):
        bank_accounts.designate(ADMIN, second, WHY)
    assert one("select count(*) from audit where action = 'bank_account.designate'") == 1


def test_a_barred_party_s_withdrawal_account_stays_as_it_is(joao):
    first, second = add(joao, "0001-22"), add(joao, "0001-33")
    standing.bar(ADMIN, joao, "forged papers")
    with pytest.raises(Barred):
        bank_accounts.designate(ADMIN, second, WHY)
    assert designated(joao) == [first]
    assert one("select count(*) from audit where action = 'bank_account.designate'") == 0


def test_a_party_designates_its_own_accounts_and_nobody_elses(joao):
    shop = merchants.create(ADMIN, "shop", "Shop Ltda", country="BR")
    add(joao, "0001-22")
    theirs = add(joao, "0001-33")
    owner = make.merchant_actor(shop)
    mine = [add(shop, number, holder="Shop Ltda") for number in ("0009-11", "0009-22")]
    allowed = owner.__class__(
        name="m1", role="merchant", scope=owner.scope, party_id=owner.party_id, rights=ADMIN.rights
    )
    bank_accounts.designate(allowed, mine[1], WHY)
    with pytest.raises(NotFound):
        bank_accounts.designate(allowed, theirs, WHY)
    with pytest.raises(Forbidden):
        bank_accounts.designate(owner, mine[0], WHY)
    assert designated(shop) == [mine[1]]


def test_of_many_designations_at_once_exactly_one_account_is_left(joao):
    add(joao, "0001-22")
    others = [add(joao, f"0002-{number}0") for number in range(6)]

    def attempt(ref):
        try:
            bank_accounts.designate(ADMIN, ref, WHY)
        except Changed:
            return 0
        return 1

    with ThreadPoolExecutor(6) as crowd:
        won = sum(crowd.map(attempt, others))
    assert won >= 1
    assert len(designated(joao)) == 1
    assert designated(joao)[0] in others
    assert one("select count(*) from audit where action = 'bank_account.designate'") == won


def test_the_quicker_of_two_that_saw_the_same_wins(joao):
    first = add(joao, "0001-22")
    second, third = add(joao, "0001-33"), add(joao, "0001-44")
    with db.transaction() as tx, other() as looker:
        tx.call("select 1 from withdrawal_account for update")
        slower = Deed(lambda: bank_accounts.designate(ADMIN, third, WHY))
        waits_for_a_lock(looker, slower)
        tx.run(
            "update withdrawal_account set bank_account_id = (select id from bank_account where ref = %s)"
            " where bank_account_id = (select id from bank_account where ref = %s)",
            (second, first),
        )
    assert isinstance(slower.answer(), Changed)
    assert designated(joao) == [second]


def test_the_database_itself_refuses_a_foreign_or_missing_withdrawal_account(joao):
    add(joao, "0001-22")
    shop = merchants.create(ADMIN, "shop", "Shop Ltda", country="BR")
    add(shop, "0009-11", holder="Shop Ltda")
    with pytest.raises(Conflict, match="own"), db.transaction() as tx:
        tx.run(
            "update withdrawal_account w set bank_account_id = b.id from bank_account b, party p"
            " where b.party_id <> w.party_id and p.id = w.party_id and p.ref = %s",
            (joao,),
        )
    with pytest.raises(psycopg.errors.ForeignKeyViolation), db.transaction() as tx:
        tx.run("delete from withdrawal_account")


def test_a_frozen_account_is_neither_matched_nor_designated(database):
    acceptor = make.market(1).acceptors[0]
    second = make.bank_account(acceptor.ref, acceptor.name)
    matchable = "select matchable from pool_account where id = %s"
    assert one(matchable, acceptor.pool_account)
    bank_accounts.freeze(OFFICER, acceptor.bank_account, "the bank called")
    assert not one(matchable, acceptor.pool_account)
    bank_accounts.designate(ADMIN, second, WHY)
    with pytest.raises(Frozen):
        bank_accounts.designate(ADMIN, acceptor.bank_account, WHY)
    with pytest.raises(WrongState):
        bank_accounts.freeze(OFFICER, acceptor.bank_account, "again")
    bank_accounts.unfreeze(OFFICER, acceptor.bank_account, "the bank called back")
    assert one(matchable, acceptor.pool_account)
    with pytest.raises(WrongState):
        bank_accounts.unfreeze(OFFICER, acceptor.bank_account, "again")


def test_freezing_needs_the_right_and_a_reason(database):
    acceptor = make.market(1).acceptors[0]
    with pytest.raises(Forbidden):
        bank_accounts.freeze(acceptor.actor, acceptor.bank_account, "it is mine")
    with pytest.raises(BadInput):
        bank_accounts.freeze(OFFICER, acceptor.bank_account, "\n")
    with pytest.raises(Refusal):
        bank_accounts.freeze(OFFICER, "bnk_nothing", "as agreed")
    assert one("select state from bank_account where ref = %s", acceptor.bank_account) == "active"
