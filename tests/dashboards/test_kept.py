"""Tiles share a question for a moment; nobody is ever answered with another's rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.actor import Right, Scope, system
from core.errors import Forbidden
from dashboards import kept
from tests import beside


@pytest.fixture(autouse=True)
def a_moment_that_lasts(monkeypatch):
    """However slow the machine: what is kept for a moment is still kept when the test asks again."""
    monkeypatch.setattr(kept, "KEEP_SECONDS", 3600)


class Counter:
    """Answers how often it has been asked."""

    def __init__(self):
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return self.asked


def test_the_same_question_is_asked_once(database):
    ask = Counter()
    assert [kept.asked_once(system(), "how many", ask) for _ in range(3)] == [1, 1, 1]


def test_many_threads_ask_once(database):
    ask = Counter()
    assert beside.together(8, lambda: kept.asked_once(system(), "at once", ask)) == [1] * 8
    assert ask.asked == 1


def test_another_party_scope_or_right_is_another_question(database):
    ask = Counter()
    actors = [
        system(),
        replace(system(), scope=Scope.MERCHANT, party_id=1),
        replace(system(), scope=Scope.MERCHANT, party_id=2),
        replace(system(), rights=frozenset({Right.SEE_VOLUME})),
    ]
    assert len({kept.asked_once(actor, "mine", ask) for actor in actors}) == len(actors)


def test_a_refusal_is_not_kept(database):
    def refuse():
        raise Forbidden("no")

    with pytest.raises(Forbidden):
        kept.asked_once(system(), "may I", refuse)
    assert kept.asked_once(system(), "may I", lambda: "yes") == "yes"


def test_an_old_answer_is_asked_anew(database, monkeypatch):
    ask = Counter()
    kept.asked_once(system(), "still", ask)
    monkeypatch.setattr(kept, "KEEP_SECONDS", -1)
    assert kept.asked_once(system(), "still", ask) == 2
