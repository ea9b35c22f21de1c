"""docs/access.md tells who may open which address and call which chart; GOLDEN=write writes it anew."""

from __future__ import annotations

import os
from pathlib import Path

from dashboards.gate import PAGE_RIGHTS
from portal.roles import ROLES as TABLE
from tests.dashboards.conftest import served
from tests.portal.routes import BY_KEY, EVERYBODY, ROLES, ROWS

PAGE = Path(__file__).parents[2] / "docs" / "access.md"
HEAD = """# Who may open what

Made from the app's map of addresses by `make golden`; do not edit. `tests/portal/test_route_roles.py` tries each
address as each role, and `tests/dashboards/test_gate.py` each chart's callback: a new one without its line here fails.
Being let in says nothing about rows yet: each role then sees those that are its own (agents their subtree, merchants,
acceptors and bank accounts their own), and a foreign one is not found.

"""


DEEDS = """An address of deeds above is open to whoever sees the desk; each deed then asks for its own right.
What a role may do still depends on the row: whose it is, where it stands, and who else has had a part in it
(four eyes). That a deed without its right changes nothing is walked by `tests/portal/test_refused_changes_nothing.py`.
"""


def marks(who):
    if who == BY_KEY:
        return ["API key", *[""] * len(ROLES)]
    return ["all" if who == EVERYBODY else "", *("yes" if role in who else "" for role in ROLES)]


def table(title, rows):
    named = [f"| {title} | no sign-in | {' | '.join(ROLES)} |", f"|---|---|{'---|' * len(ROLES)}"]
    return [*named, *(f"| `{name}` | {' | '.join(cells)} |" for name, cells in rows), ""]


def callbacks(boards):
    for output, kept in sorted(served(boards.dash).items()):
        asked = set(kept["callback"].guard.rights) or set(PAGE_RIGHTS.values())
        some = not kept["callback"].guard.rights
        may = {
            role for role in ROLES
            if (asked & TABLE[role].rights if some else asked <= TABLE[role].rights)
        }  # fmt: skip
        yield output, ["", *("yes" if role in may else "" for role in ROLES)]


def deeds(app):
    """Every deed of every desk, and the roles that have its right and may see the desk."""
    for view in sorted(app.appbuilder.baseviews, key=lambda each: str(each.route_base)):
        for name, deed in sorted(getattr(view, "deeds", {}).items()):
            may = {role for role in ROLES if {deed.right, view.right} <= TABLE[role].rights}
            many = " (many rows at once)" if deed.many else ""
            yield f"{view.route_base} {name}{many}", ["", *("yes" if role in may else "" for role in ROLES)]


def test_golden_page_of_who_may_open_what(boards):
    routes = sorted({(f"{row.method} {row.path or row.rule}", tuple(marks(row.who))) for row in ROWS})
    lines = [*table("address", routes), "## Charts (Dash callbacks)", "", *table("what it writes", callbacks(boards))]
    lines += ["## Deeds (what is done to a row)", "", *table("desk and deed", deeds(boards.app)), DEEDS]
    told = HEAD + "\n".join(lines)
    if os.environ.get("GOLDEN") == "write":
        PAGE.write_text(told, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == told
