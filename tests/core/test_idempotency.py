"""Idempotency keys: one effect, one answer, given again byte by byte."""

from __future__ import annotations

import pytest

from core import idempotency
from core.db import reading, transaction
from core.errors import KeyReused, StillRunning
from core.idempotency import Answer, Turn
from tests import beside, make

ASKED = idempotency.fingerprint("POST /deposits", {"a": 1})
OTHER = idempotency.fingerprint("POST /deposits", {"a": 2})
GIVEN = Answer(201, '{"ref":"ord_01JD3Q8Z7K4M2N5P","pay_to":{"account":"1234567890"},"name":"Łukasz"}'.encode())


@pytest.fixture
def party(database):
    return make.market(0).merchant.party_id


def dies(party: int) -> None:
    with transaction() as tx:
        tx.run(
            "update idempotency_key set created_at = created_at - interval '2 minutes' where party_id = %s", (party,)
        )


def test_the_first_answer_is_given_again(party):
    turn = idempotency.begin(party, "k", ASKED)
    assert turn == Turn(party, "k", 1, again=False)
    idempotency.finish(turn, GIVEN, ref="ord_01JD3Q8Z7K4M2N5P")

    assert idempotency.begin(party, "k", ASKED) == GIVEN
    with pytest.raises(KeyReused):
        idempotency.begin(party, "k", OTHER)


def test_the_stored_answer_tells_a_reader_of_the_database_nothing_but_its_ref(party):
    idempotency.finish(idempotency.begin(party, "k", ASKED), GIVEN, ref="ord_01JD3Q8Z7K4M2N5P")

    with reading() as tx:
        [(row,)] = tx.rows("select to_jsonb(i)::text || encode(answer, 'escape') from idempotency_key i")
    assert "ord_01JD3Q8Z7K4M2N5P" in row
    assert "1234567890" not in row


def test_of_many_at_once_one_begins_and_the_others_are_told_to_wait(party):
    answers = beside.together(8, lambda: idempotency.begin(party, "k", ASKED))

    assert [each for each in answers if isinstance(each, Turn)] == [Turn(party, "k", 1, again=False)]
    assert [each.status for each in answers if isinstance(each, StillRunning)] == [409] * 7


def test_the_turn_of_a_request_that_died_is_taken_over_and_its_late_answer_is_not_stored(party):
    first = idempotency.begin(party, "k", ASKED)
    with pytest.raises(StillRunning):
        idempotency.begin(party, "k", ASKED)
    dies(party)
    second = idempotency.begin(party, "k", ASKED)
    assert second == Turn(party, "k", 2, again=True)

    idempotency.finish(first, Answer(500, b"late"))
    idempotency.forget(first)
    with pytest.raises(StillRunning):
        idempotency.begin(party, "k", ASKED)
    idempotency.finish(second, GIVEN)

    assert idempotency.begin(party, "k", ASKED) == GIVEN


def test_what_was_refused_for_its_form_gives_the_key_back(party):
    idempotency.forget(idempotency.begin(party, "k", ASKED))
    assert idempotency.begin(party, "k", OTHER) == Turn(party, "k", 1, again=False)


def test_after_a_break_the_same_request_goes_on_and_another_one_is_refused(party):
    idempotency.give_back(idempotency.begin(party, "k", ASKED))
    with pytest.raises(KeyReused):
        idempotency.begin(party, "k", OTHER)
    assert idempotency.begin(party, "k", ASKED) == Turn(party, "k", 2, again=True)


def test_a_turn_given_back_late_is_no_other_turns(party):
    first = idempotency.begin(party, "k", ASKED)
    dies(party)
    idempotency.forget(idempotency.begin(party, "k", ASKED))
    assert idempotency.begin(party, "k", ASKED) == first, "the same number, yet another request, and it runs"
    idempotency.give_back(first)
    with pytest.raises(StillRunning):
        idempotency.begin(party, "k", ASKED)


def test_what_broke_is_still_known_after_the_hourly_cleaning(party):
    idempotency.give_back(idempotency.begin(party, "k", ASKED))
    assert idempotency.clean() == 0, "its change may have been stored: the same request must go on, not begin anew"
    turn = idempotency.begin(party, "k", ASKED)
    assert turn == Turn(party, "k", 2, again=True)
    with pytest.raises(KeyReused):
        idempotency.begin(party, "k", OTHER)
    idempotency.finish(turn, GIVEN, ref="ord_01JD3Q8Z7K4M2N5P")
    assert idempotency.begin(party, "k", ASKED) == GIVEN


def test_two_parties_may_use_the_same_key(party):
    idempotency.finish(idempotency.begin(party, "k", ASKED), GIVEN)
    assert isinstance(idempotency.begin(make.market(0).merchant.party_id, "k", OTHER), Turn)


def test_answers_are_kept_for_a_day_at_least(party):
    idempotency.finish(idempotency.begin(party, "k", ASKED), GIVEN)
    with transaction() as tx:
        tx.run("update idempotency_key set created_at = created_at - interval '25 hours'")
    assert idempotency.clean() == 0
    with transaction() as tx:
        tx.run("update idempotency_key set created_at = created_at - interval '24 hours'")
    assert idempotency.clean() == 1
