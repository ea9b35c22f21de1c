"""Everything that the code writes down has words on the screen of the trail."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from core.compliance import reveals
from portal.views.audit_words import DEEDS
from tests.portal import market
from tests.portal.market import signed_in

ROOT = Path(__file__).parents[2]
ROOMS = ("core", "portal", "dashboards", "jobs")
FAMILIES = {
    "approval.{}": ("approve", "refuse", "withdraw"),
    "acceptor.{}": ("online", "offline"),
    "bank_account.{}": ("freeze", "unfreeze"),
    "customer.{}": ("active", "barred"),
    "dispute.{}": ("agree", "turn_down"),
    "party.{}": ("active", "suspended", "barred"),
    "reveal.{}": reveals.KINDS,
    "{}.propose": ("fee_schedule", "commission_plan"),
    "{}.approve": ("fee_schedule", "commission_plan"),
    "{}.turn_down": ("fee_schedule", "commission_plan"),
    "{}.withdraw": ("fee_schedule", "commission_plan"),
    "{}.withdraw_version": ("fee_schedule", "commission_plan"),
}
"""What fills the gap of an action whose name is put together."""


def names(given):
    """Return the actions that the third argument of `audit.write` can be."""
    if isinstance(given, ast.JoinedStr):
        shape = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in given.values)
        assert shape in FAMILIES, f"say here what {shape} can be"
        return [shape.format(each) for each in FAMILIES[shape]]
    if isinstance(given, ast.IfExp):
        return names(given.body) + names(given.orelse)
    assert isinstance(given, ast.Constant), ast.dump(given)
    return [given.value]


def written():
    found = set()
    for path in (each for room in ROOMS for each in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.write":
                found.update(names(node.args[2]))
    return found


def test_every_action_that_is_written_has_words():
    found = written()
    assert {"reserve.top_up", "fee_schedule.withdraw", "approval.approve", "party.barred"} <= found
    steps = "".join(path.read_text() for path in (ROOT / "core" / "migrations" / "functions").glob("*.sql"))
    found.update(re.findall(r"'(order\.[a-z_]+)'", steps))
    assert sorted(found - set(DEEDS)) == []


def test_the_trail_says_what_was_done_in_the_readers_words(database):
    desk = market.built()
    browser = signed_in(desk, "auditor")
    page = browser.get("/audit/list/?action=reserve&from=2020-01-01").text
    assert "Reserve topped up" in page
    assert "Top-up of a reserve asked for" in page
    assert "Reserve top up" not in page
    number = re.search(r"/audit/show/(\d+)", page)[1]
    own = browser.get(f"/audit/show/{number}").text
    assert re.search(
        r'<h1>[^<]*(Reserve topped up|Top-up of a reserve asked for)</h1><span class="mono muted">reserve\.', own
    )
