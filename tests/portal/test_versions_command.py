"""`desk fees`, `desk plans`, `desk rules`: a version is proposed by one and approved by another before it counts."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner

from core import clock
from core.db import reading
from core.errors import Refusal
from core.money import Money, fiat
from core.pricing import quotes
from core.verify import run as verify
from portal import cli
from tests import make
from tests.portal import market
from tests.portal.market import PASSWORD, opened

TERMS = {"platform_bps": 120, "min_fee_units": 0}


@pytest.fixture
def desk(database):
    made = market.built()
    made.paid = lambda: quotes.quote(made.trade.merchant, "deposit", "BRL", Money.parse("5420", fiat("BRL")))
    return made


def run(*arguments, password=PASSWORD):
    name, *rest = arguments
    done = CliRunner().invoke(cli.desk.get_command(None, name), rest, input=f"{password}\n")
    if isinstance(done.exception, Refusal):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def refused(code, *arguments, **more):
    with pytest.raises(Refusal) as caught:
        run(*arguments, **more)
    assert caught.value.code == code
    return caught.value


def file(tmp_path, terms):
    path = tmp_path / "terms.json"
    path.write_text(terms if isinstance(terms, str) else json.dumps(terms), encoding="utf-8")
    return str(path)


def proposed(path, *more, group="fees", code="standard", who="admin"):
    return run(group, "propose", code, path, "--why", "the board decided", "--as", who, *more).splitlines()[0]


def yes(ref, group="fees", who="finance"):
    return run(group, "approve", ref, "--why", "as decided", "--as", who)


def begin(told):
    """The moment that an approval names."""
    return datetime.fromisoformat(re.search(r"from (\S+) on", told)[1])


def rows(sql):
    with reading() as tx:
        return tx.rows(sql)


def test_who_proposes_twice_is_told_at_the_terminal_which_request_waits(desk, tmp_path, monkeypatch, capsys):
    ref = proposed(file(tmp_path, TERMS))
    twice = refused(
        "already_done", "fees", "propose", "standard", file(tmp_path, TERMS), "--why", "again", "--as", "admin"
    )

    def again(*_arguments, **_more):
        raise twice

    monkeypatch.setattr(cli.desk, "main", again)
    with pytest.raises(SystemExit):
        cli.main([])
    said = capsys.readouterr().err
    assert said == f"desk: a request for this is waiting for a decision already; it is {ref} [already_done]\n"
    run("fees", "approve", ref, "--refuse", "--why", "not this time", "--as", "finance")


def test_a_schedule_is_priced_by_when_another_has_approved_it_and_it_has_begun(desk, tmp_path):
    before = desk.paid()
    ref = proposed(file(tmp_path, TERMS))
    assert desk.paid().fee == before.fee
    assert "waits for approval" in run("fees", "list")
    own = refused("forbidden", "fees", "approve", ref, "--why", "my own", "--as", "admin")
    assert own.facts["rule"] == "four_eyes"
    told = yes(ref)
    assert "standard v2 is in force from" in told
    assert desk.paid().fee == before.fee, "it begins some seconds after"
    with clock.at(begin(told)):
        after = desk.paid()
        listed = [json.loads(line) for line in run("fees", "list", "--json").splitlines()]
    assert after.fee.units == 2 * before.fee.units
    assert rows(f"select fee_units from quote where ref = '{before.ref}'") == [(before.fee.units,)]
    refused("wrong_state", "fees", "approve", ref, "--why", "twice", "--as", "finance")
    assert [each["version"] for each in listed if each["code"] == "standard" and each["in_force"]] == [2]
    ((asked, agreed),) = rows(
        "select requested_by, approved_by from fee_schedule where code = 'standard' and version = 2"
    )
    assert asked != agreed
    assert rows("select action, actor from audit where action like 'fee_schedule.%%' order by at") == [
        ("fee_schedule.propose", "admin"),
        ("fee_schedule.approve", "finance"),
    ]
    assert [each.invariant for each in verify() if not each.holds] == []


def test_a_version_with_a_date_waits_for_it(desk, tmp_path):
    before = desk.paid()
    start = clock.now() + timedelta(days=3)
    yes(proposed(file(tmp_path, TERMS), "--from", start.isoformat()))
    assert desk.paid().fee == before.fee
    assert rows("select version from fee_schedule where code = 'standard' order by version") == [(1,), (2,)]
    path = file(tmp_path, TERMS)
    earlier = (clock.now() + timedelta(days=1)).isoformat()
    for wrong in ("2020-01-01", "soon", earlier):
        refused("bad_input", "fees", "propose", "standard", path, "--why", "agreed", "--as", "admin", "--from", wrong)


def test_a_plan_splits_new_orders_and_leaves_old_ones(desk, tmp_path):
    old = opened(desk.trade)
    frozen = rows(f"select split from orders where ref = '{old}'")
    code = rows(f"select l.code from agent g join plan l on l.id = g.plan_id join party p on p.id = g.party_id"
                f" where p.ref = '{desk.trade.agents[0]}'")[0][0]  # fmt: skip
    terms = {"rates": {"deposit": 15, "withdrawal": 15}, "tiers": [], "tier_mode": "slab"}
    with clock.at(begin(yes(proposed(file(tmp_path, terms), group="plans", code=code), group="plans"))):
        new = opened(desk.trade)
    assert rows(f"select split from orders where ref = '{old}'") == frozen
    share = rows(f"select split from orders where ref = '{new}'")[0][0][0]
    assert (share["own_bps"], share["plan_version"]) == (15, 2)
    yes(proposed(file(tmp_path, terms), group="plans", code="brand-new"), group="plans")
    assert rows("select count(*) from plan where code = 'brand-new'") == [(1,)]


def test_what_is_wrong_or_turned_down_changes_nothing(desk, tmp_path):
    def stand():
        return rows("select (select count(*) from fee_schedule), (select count(*) from plan_version)")

    before = stand()
    good = file(tmp_path, TERMS)
    for name, password, code in (
        ("admin", "wrong", "not_signed_in"),
        ("nobody", PASSWORD, "not_signed_in"),
        ("compliance", PASSWORD, "forbidden"),
        ("merchant1", PASSWORD, "forbidden"),
    ):
        refused(code, "fees", "propose", "standard", good, "--why", "agreed", "--as", name, password=password)
    ref = proposed(good)
    refused("already_done", "fees", "propose", "standard", good, "--why", "agreed", "--as", "admin")
    refused("not_found", "plans", "approve", ref, "--why", "agreed", "--as", "finance")
    refused("forbidden", "fees", "approve", ref, "--why", "agreed", "--as", "compliance")
    assert "turned down" in run("fees", "approve", ref, "--refuse", "--why", "too dear", "--as", "finance")
    refused("not_found", "fees", "approve", "apr_none", "--why", "agreed", "--as", "finance")
    for terms in ({"platform_bps": 5000}, {"platform": 5}, {}, "no json", "[1]"):
        path = file(tmp_path, terms)
        refused("bad_input", "fees", "propose", "standard", path, "--why", "agreed", "--as", "admin")
    assert stand() == before


def test_rules_are_drafted_by_one_officer_and_put_in_force_by_another(desk, tmp_path):
    path = file(tmp_path, {"params": {"CANCEL_PROBE": {"least_expired": 9}}})
    ref = run("rules", "draft", path, "--why", "too many alerts", "--as", "compliance").splitlines()[0]
    refused("forbidden", "rules", "activate", ref, "--why", "it is mine", "--as", "compliance")
    refused("forbidden", "rules", "activate", ref, "--why", "not mine", "--as", "finance")
    assert "version 2 is in force" in run("rules", "activate", ref, "--why", "agreed", "--as", "compliance2")
    listed = [json.loads(line) for line in run("rules", "list", "--json").splitlines()]
    assert [(each["version"], each["state"]) for each in listed] == [(1, "retired"), (2, "active")]
    assert listed[1]["approved_by"] == "compliance2"


def test_a_version_is_withdrawn_at_the_terminal_by_one_of_its_two(desk, tmp_path):
    before, path = desk.paid(), file(tmp_path, TERMS)
    start = clock.now() + timedelta(days=3)
    yes(proposed(path, "--from", start.isoformat()))
    said = ("fees", "withdraw", "standard", "2", "--why", "the board changed its mind", "--as")
    assert refused("forbidden", *said, "finance2").facts["rule"] == "one_of_its_two"
    refused("forbidden", *said, "compliance")
    refused("not_signed_in", *said, "admin", password="wrong")
    refused("not_found", "plans", *said[1:], "admin")
    refused("bad_input", *said[:-2], "no", "--as", "admin")
    assert run(*said, "finance") == "standard v2 is withdrawn: it never comes into force\n"
    refused("wrong_state", *said, "admin")
    assert re.search(r"standard +v2 .+  withdrawn\n", run("fees", "list"))
    (listed,) = [json.loads(line) for line in run("fees", "list", "--json").splitlines() if '"version": 2' in line]
    assert (listed["in_force"], bool(listed["withdrawn_at"])) == (False, True)
    with clock.at(start):
        make.rate("BRL")
        assert desk.paid().fee == before.fee
    rates = file(tmp_path, {"rates": {"deposit": 15}})
    told = yes(proposed(rates, group="plans", code="brand-new"), group="plans")
    refused("too_late", "plans", "withdraw", "brand-new", "1", *said[4:], "admin")
    assert "brand-new v1 is in force" in told
