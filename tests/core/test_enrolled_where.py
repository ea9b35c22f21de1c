"""Who may be enrolled: nobody from a barred country, and no agent on a higher plan than the one above it."""

from __future__ import annotations

import json

import pytest

from core.actor import system
from core.db import transaction
from core.errors import Barred, Conflict
from core.parties import acceptors, agents, merchants
from tests import make
from tests.core import review


@pytest.fixture
def market(database):
    return make.market(1)


def rules(**geo):
    with transaction() as tx:
        for name, value in geo.items():
            tx.run(
                f"update ruleset set params = jsonb_set(params, '{{params,GEO,{name}}}', %s::jsonb)",
                (json.dumps(value),),
            )


def parties():
    return review.one("select count(*) from party")


@pytest.mark.parametrize(
    "enrol",
    [
        lambda code, country: merchants.create(system(), code, "Shop", country=country),
        lambda code, country: acceptors.create(system(), code, "Joao Silva", country=country),
        lambda code, country: agents.create(system(), code, "Agent", plan="regional", country=country),
    ],
)
def test_nobody_is_enrolled_from_a_country_the_rules_bar(market, enrol):
    before = parties()
    with pytest.raises(Barred) as refused:
        enrol("p1", "ir")
    assert refused.value.facts == {"field": "country", "country": "IR"}
    assert parties() == before
    enrol("p2", "BR")
    rules(barred_countries=["BR"])
    with pytest.raises(Barred):
        enrol("p3", "BR")
    assert parties() == before + 1


def test_rules_that_refuse_nobody_only_note_the_country(market):
    rules(outcome="review")
    ref = merchants.create(system(), "p1", "Shop", country="KP")
    noted = review.rows("select details from audit where subject = %s and action = 'party.barred_country'", ref)
    assert noted == [({"country": "KP"},)]


def test_without_rules_in_force_nobody_is_barred_here(market):
    with transaction() as tx:
        tx.run("update ruleset set state = 'retired'")
    assert merchants.create(system(), "p1", "Shop", country="KP")


def test_an_agent_does_not_stand_above_one_that_earns_more(market):
    low = agents.create(system(), "low", "Low", plan="direct")
    before = parties()
    with pytest.raises(Conflict) as refused:
        agents.create(system(), "high", "High", plan="country", parent_ref=low)
    assert refused.value.facts["field"] == "plan"
    assert "the parent would earn nothing" in refused.value.detail
    assert parties() == before
    same = agents.create(system(), "same", "Same", plan="direct", parent_ref=low)
    high = agents.create(system(), "high", "High", plan="country")
    with pytest.raises(Conflict):
        agents.reparent(system(), high, low, "a new office")
    agents.reparent(system(), same, high, "a new office")


def test_the_top_of_the_tiers_counts_too(market):
    parent = agents.create(system(), "parent", "Parent", plan="regional")
    with transaction() as tx:
        tx.run(
            "insert into plan (code) values ('climber')",
        )
        tx.run(
            "insert into plan_version (plan_id, version, terms, effective_from, created_at)"
            " select p.id, 1, %s::jsonb, '1970-01-01T00:00:00Z', now() from plan p where p.code = 'climber'",
            (json.dumps({"rates": {"deposit": 1}, "tiers": {"deposit": [[1_000_000, 900]]}}),),
        )
    with pytest.raises(Conflict, match="up to 900 basis points"):
        agents.create(system(), "child", "Child", plan="climber", parent_ref=parent)
