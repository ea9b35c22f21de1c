"""What a step's SQL function answers arrives as it was: words of any script, empty ones, nulls, lists, or nothing."""

from __future__ import annotations

import pytest

from core import db
from core.steps import step
from tests import beside

TOLD = """
create type told as (
    word text, empty text, nothing text, units bigint, lot int, yes boolean, list bigint[], words text[]);
create function tell(p_word text, p_units bigint) returns told language plpgsql as $$
begin
    if p_word is null then return null; end if;
    return (p_word, ''::text, null::text, p_units, -1, true,
        array[array[1, null], array[p_units, 2]], array['', p_word, null]);
end $$;
create function tell_nothing(p_word text) returns void language plpgsql as $$ begin end $$;
"""
LARGE = 2**63 - 1


@pytest.fixture
def telling(database):
    with db.transaction() as tx:
        tx.run(TOLD)


@pytest.mark.parametrize("word", ["Joao", "João 李 محمد 𝄞", "", " ", 'a,"b"\\(c)\n'])
def test_a_row_arrives_as_it_was(telling, word):
    told = step("tell", {"word": word, "units": LARGE})
    assert told == {
        "word": word, "empty": "", "nothing": None, "units": LARGE, "lot": -1, "yes": True,
        "list": [[1, None], [LARGE, 2]], "words": ["", word, None],
    }  # fmt: skip


def test_no_row_and_no_answer_are_none(telling):
    assert step("tell", {"word": None, "units": 1}) is None
    assert step("tell_nothing", {"word": "x"}) is None


def test_every_thread_reads_it(telling):
    deeds = [beside.Deed(lambda n=n: step("tell", {"word": "x", "units": n})["units"]) for n in range(3)]
    assert [each.answer() for each in deeds] == [0, 1, 2]
