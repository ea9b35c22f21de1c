"""The verifier: a market that lived well holds every invariant, and each break is named by its row."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core import clock, verify
from core.actor import Right, system
from core.commissions import versions
from core.compliance import alerts
from core.db import transaction
from core.ledger.reasons import Reason
from core.orders.states import TRANSITIONS
from core.parties import agents, bank_accounts, keys
from core.risk import rulesets
from core.settings import settings
from tests import make
from tests.core import lives, review


class Undone(Exception):  # noqa: N818 - it is no error
    """Ends a transaction that must leave nothing."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder of this module's keys and anchors: its tests share one past."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DESK_HOME", str(tmp_path_factory.mktemp("lived")))
        settings.cache_clear()
        yield
    settings.cache_clear()


@pytest.fixture(autouse=True)
def own_home(home):
    """In place of a folder for each test."""


@pytest.fixture(scope="module")
def lived(home, module_database):
    """A market with every kind of end, rolled up and sealed, one order held, and one that waits for its money."""
    market = make.market(2, levels=2)
    refs = lives.some_days(market, rounds=2)
    with clock.at(clock.now() + timedelta(days=400)):  # its deadline is still to come
        waiting = lives.claimed(market, "80.00", customer="late", account="BR5500112233")
    review.held(market, customer="other-payer", account="BR5500112244")
    governed(market)
    lives.rolled_up()
    lives.sealed()
    return market, refs, waiting


def governed(market):
    """What the desk decides beside orders: a hold by two, keys, an agent's place, an account, rules."""
    held = review.held(market, customer="third", account="BR5500112255")
    alerts.decide(review.officer(), review.alert(held), "release", "explained", "spoke to the customer")
    alerts.second(review.officer(), review.alert(held), approve=True, why="seen the same")
    keys.create(system(), market.merchant_ref, "in use")
    keys.end(system(), keys.create(system(), market.merchant_ref, "lost")[0], "was lost")
    newcomer = agents.create(system(), "newcomer", "Newcomer", plan="direct")
    agents.reparent(system(), newcomer, market.agents[-1], "found by them")
    acceptor = market.acceptors[0]
    bank_accounts.designate(system(), make.bank_account(acceptor.ref, acceptor.name), "the bank was changed")
    rights = (Right.MANAGE_PRICING, Right.APPROVE_PRICING)
    one, two = (replace(make.person("finance", *rights), user_id=n) for n in (1, 2))
    priced = versions.propose(one, versions.FEES, "agreed", {"platform_bps": 30}, "for larger shops")
    versions.decide(two, priced, approve=True, why="as agreed")
    drafted = rulesets.draft(review.officer("rules1"), {}, "the same again")
    rulesets.activate(review.officer("rules2"), drafted, "read by another")


def broken(*statements: str) -> dict[str, verify.Finding]:
    """What the verifier finds after a superuser has done this; nothing of it stays."""
    found: dict[str, verify.Finding] = {}
    with pytest.raises(Undone), transaction() as tx:  # noqa: PT012 - the raise is the point
        tx.run("set local session_replication_role = replica")
        for statement in statements:
            assert tx.run(statement) != 0, "the break must happen"
        for check in verify.CHECKS:
            finding = check(tx)
            if not finding.holds:
                found[finding.invariant] = finding
        raise Undone
    return found


def test_the_published_steps_in_the_database_are_those_of_the_code(module_database):
    with transaction() as tx:
        steps = {((before, event), after) for before, event, after in tx.rows("select * from order_steps()")}
    assert steps == {((before, event), after) for (before, event), after in TRANSITIONS.items()}


def test_every_reason_that_the_money_path_writes_is_in_the_closed_list():
    functions = Path(verify.__file__).parents[1] / "migrations" / "functions"
    written = "".join((functions / name).read_text(encoding="utf-8") for name in ("orders.sql", "history.sql"))
    reasons = set(re.findall(r"'((?:escrow|hold|history)_[a-z_]+)', (?:[pv]_order|o\.id|null),", written))
    assert reasons == {each for each in Reason if not each.startswith(("reserve", "commission"))}


def test_a_market_that_lived_well_holds_every_invariant(lived):
    findings = verify.run()
    assert [finding for finding in findings if not finding.holds] == []
    assert [finding.invariant for finding in findings] == [f"I{n}" for n in (*range(1, 17), 18)]
    seen = {finding.invariant: finding.checked for finding in findings}
    assert all(seen[f"I{n}"] > 0 for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 18))


ONE = "select id from orders where ref = '{completed}'"
RELEASE = "select id from journal_entry where key = '{completed}:release'"


def breaks():
    """The invariant, the statements and the expected words of each block of the file."""
    blocks = (Path(__file__).parents[1] / "golden" / "breaks.txt").read_text(encoding="utf-8").split("\n\n")[1:]
    for block in blocks:
        invariant, *statements, named = block.strip().splitlines()
        yield invariant, "\n".join(statements), named.removeprefix("=> ")


@pytest.mark.parametrize(("invariant", "statement", "named"), list(breaks()))
def test_each_break_is_found_and_its_row_is_named(lived, invariant, statement, named):
    _, refs, waiting = lived
    words = {"completed": refs[0], "waiting": waiting}
    with transaction() as tx:
        key = f"{refs[0]}:release"
        words["release_ref"] = tx.call("select ref from journal_entry where key = %s", (key,))
    words |= {"one": ONE.format(**words), "release": RELEASE.format(**words)}
    found = broken(*statement.format(**words).split(";"))
    assert invariant in found, f"found only {found}"
    assert any(named.format(**words) in each for each in found[invariant].breaks), found[invariant].breaks


def test_an_account_number_or_api_key_in_the_clear_is_found(lived):
    market, _, _ = lived
    _, key = keys.create(system(), market.merchant_ref, "test")
    found = broken(
        "insert into audit (at, actor, role, action, subject, reason) values"
        f" (now(), 'x', 'x', 'note.write', 's', 'call me about BR5500112233, my key is {key}')",
    )
    assert len(found["I18"].breaks) == 2


def test_many_breaks_are_counted_and_twenty_are_shown(lived):
    found = broken(
        "insert into notice (topic, subject, order_id, event, from_state, happened_at)"
        " select 'order.remind', ref, id, 'remind', n, now() from orders cross join generate_series(1, 9) n"
    )
    assert len(found["I12"].breaks) == verify.SHOWN
    assert found["I12"].total > verify.SHOWN


def test_verifying_changes_nothing(lived):
    with transaction() as tx:
        before = tx.rows("select done_to::text from watermark order by name")
    verify.run()
    with transaction() as tx:
        assert tx.rows("select done_to::text from watermark order by name") == before
