"""Every tile of every page for every role: no name, code or figure of parties that are none of the reader's."""

from __future__ import annotations

import pytest

from core import clock
from core.actor import Scope
from core.analytics.boards import choices
from core.db import reading
from core.errors import Forbidden
from dashboards import asked
from dashboards.pages import BOARDS
from portal.roles import ROLES as TABLE
from tests import make
from tests.dashboards.conftest import DAYS, NOW, ROLES, busiest, text_of
from tests.dashboards.test_gate import MAY


@pytest.fixture(autouse=True)
def the_day_after():
    with clock.at(NOW):
        yield


def actor(boards, role):
    table = TABLE[role]
    party = boards.owners.get(role) if table.scope is not Scope.ALL else None
    return make.Actor(name=role, role=role, scope=table.scope, party_id=party, rights=table.rights)


def words(boards, page, tile, who):
    """All that a tile tells its reader: values, tables, what marks say and where they lead."""
    with boards.app.test_request_context():
        try:
            found = tile.draw(who, asked.read(DAYS))
        except Forbidden:
            assert not tile.shown(who), f"{page.name}-{tile.name} refuses whom it is shown to"
            return ""
    if hasattr(found, "table"):
        rows = [[head.label for head in found.table.heads], *([each.text, each.plain, each.href] for row in
                [*found.table.rows, found.table.total] for each in row)]  # fmt: skip
        return text_of([rows, found.figure.to_json() if found.figure else "", found.note])
    return text_of([*found])


def everything(boards, page, who):
    return "\n".join(words(boards, page, tile, who) for tile in (*page.numbers, *page.charts))


def names_and_codes(condition, *args):
    with reading() as tx:
        return tx.rows(f"select p.name, p.code from party p where {condition}", args)


def told_others(boards, role):
    """Names this reader must not meet: all but its own and, for an agent, those it or its subtree refers."""
    owner = boards.owners[role]
    mine = {
        "agent": "p.id in (select descendant_id from agent_closure where ancestor_id = %s)"
        " or p.id in (select m.party_id from merchant m"
        " join agent_closure x on x.descendant_id = m.agent_id where x.ancestor_id = %s)",
        "acceptor": "p.id = %s or p.id = %s",
        "merchant": "p.id = %s or p.id = %s",
    }[role]
    return [name for name, _code in names_and_codes(f"not ({mine})", owner, owner)]


@pytest.mark.parametrize("role", ["agent", "acceptor", "merchant"])
def test_no_tile_tells_a_party_the_name_of_another(boards, role):
    who = actor(boards, role)
    own = [name for name, _ in names_and_codes("p.id = %s", who.party_id)]
    foreign = [name for name in told_others(boards, role) if name not in own]
    assert foreign
    for page in BOARDS.values():
        if role in MAY[page.name]:
            told = everything(boards, page, who)
            assert [name for name in foreign if f'"{name}' in told or f"· {name}" in told] == []
    for what in ("merchant", "acceptor"):
        offered = [each.name for each in choices.offered(who, what)]
        assert [name for name in foreign if name in offered] == []


@pytest.mark.parametrize("role", ["agent", "acceptor", "merchant"])
def test_no_tile_tells_a_party_of_a_market_it_has_no_part_in(boards, role):
    who = actor(boards, role)
    with reading() as tx:
        agents = [row[0] for row in tx.rows("select code from party where ref = any(%s)", (boards.second.agents,))]
    strange = [boards.second.merchant_code, *(each.code for each in boards.second.acceptors), *agents]
    for page in BOARDS.values():
        if role in MAY[page.name]:
            told = everything(boards, page, who)
            assert [code for code in strange if f'"{code}' in told or f"={code}" in told] == []
            assert "EUR" not in told


def test_an_agent_is_told_nothing_of_the_agents_above_it(boards):
    who = actor(boards, "agent")
    with reading() as tx:
        above = tx.rows("select code, name from party where ref = any(%s)", (boards.first.agents[1:],))
    told = "\n".join(everything(boards, BOARDS[name], who) for name in ("volume", "commissions"))
    assert not any(code in told or name in told for code, name in above)
    assert {each.code for each in choices.offered(who, "agent")}.isdisjoint({code for code, _name in above})


@pytest.mark.parametrize("role", ROLES)
def test_fees_are_told_to_those_who_see_all_and_to_the_merchant_who_pays_them(boards, role):
    told = everything(boards, BOARDS["volume"], actor(boards, role))
    assert ("Fees USDT" in told) == (role not in {"agent", "acceptor"})


@pytest.mark.parametrize("role", ["admin", "compliance", "finance", "auditor"])
def test_who_sees_all_parties_reads_their_names(boards, role):
    told = everything(boards, BOARDS["volume"], actor(boards, role))
    assert f"{boards.second.merchant_code} · Shop {boards.second.merchant_code}" in told
    names = {each.id: each.name for each in boards.second.acceptors}
    assert names[busiest(boards.second)] in told
