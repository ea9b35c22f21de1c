"""Nobody sees a dashboard, or calls one of its callbacks, without the right; nothing is open by being forgotten."""

from __future__ import annotations

import pytest
from dash import Dash, Input, Output

from core.actor import Right
from dashboards.gate import PAGE_RIGHTS, guarded
from portal.roles import ROLES as TABLE
from tests.dashboards.conftest import ROLES, served

MAY = {
    "volume": {"admin", "compliance", "finance", "auditor", "agent", "acceptor", "merchant"},
    "risk": {"admin", "compliance", "auditor"},
    "commissions": {"admin", "finance", "auditor", "agent"},
}
"""Which role sees which page, written down a second time on purpose."""


def unguarded(dash):
    return [output for output, kept in served(dash).items() if not hasattr(kept["callback"], "guard")]


def test_every_callback_asks_who_calls(boards):
    assert served(boards.dash)
    assert unguarded(boards.dash) == []


def test_a_callback_that_forgets_to_ask_is_found():
    careless = Dash("careless", server=True)

    @careless.callback(Output("a", "children"), Input("b", "data"))
    def open_to_all(value):
        return value

    @careless.callback(Output("c", "children"), Input("b", "data"))
    @guarded(Right.SEE_VOLUME)
    def asks(_actor, value):
        return value

    assert unguarded(careless) == ["a.children"]


def test_each_tile_asks_for_the_right_of_its_page_and_each_file_for_the_right_to_export(boards):
    for output, kept in served(boards.dash).items():
        if output == "board.children":
            continue  # asks for the right of the page in the address
        page = output.strip(".").split("-", 1)[0]
        rights = kept["callback"].guard.rights
        assert PAGE_RIGHTS[page] in rights, output
        assert (Right.EXPORT in rights) == output.endswith("-file.data"), output


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_pages_and_no_other(visit, role):
    visitor = visit(role)
    for page, roles in MAY.items():
        answer = visitor.page(page)
        assert answer.status_code == (200 if role in roles else 403), page


@pytest.mark.parametrize("role", ROLES)
def test_each_role_calls_its_callbacks_and_no_other(boards, visit, role):
    visitor = visit(role)
    home = next(page for page, roles in MAY.items() if role in roles)
    visitor.page(home)
    for output in served(boards.dash):
        page = "volume" if output == "board.children" else output.strip(".").split("-", 1)[0]
        answer = visitor.ask(boards.dash, output, n_clicks=0)
        allowed = role in MAY[page] and (not output.endswith("-file.data") or Right.EXPORT in TABLE[role].rights)
        assert (answer.status_code < 300) == allowed, (output, answer.status_code)
        if not allowed:
            assert answer.status_code == 403
            assert answer.json["code"] == "forbidden"


def test_nobody_is_sent_to_the_sign_in_page_and_told_so_in_callbacks(boards, visit):
    visitor = visit("")
    for page in MAY:
        answer = visitor.page(page)
        assert answer.status_code == 302
        assert "/login/" in answer.location
    visitor.get("/login/")
    for output in served(boards.dash):
        assert visitor.ask(boards.dash, output, token=visitor.token).status_code == 401
    for machinery in ("_dash-layout", "_dash-dependencies"):
        answer = visitor.client.get(f"/dashboards/{machinery}", headers={"Accept": "application/json"})
        assert answer.status_code == 401


def test_a_page_of_another_right_cannot_be_fetched_through_the_page_callback(boards, visit):
    visitor = visit("merchant")
    visitor.page("volume")
    assert visitor.ask(boards.dash, "board.children", pathname="/dashboards/volume").status_code == 200
    assert visitor.ask(boards.dash, "board.children", pathname="/dashboards/risk").status_code == 403
    assert visitor.ask(boards.dash, "board.children", pathname="/dashboards/none").status_code == 404


def test_a_callback_without_the_token_of_the_page_is_refused(boards, visit):
    visitor = visit("admin")
    visitor.page("volume")
    answer = visitor.ask(boards.dash, "volume-opened.children", token="forged")
    assert answer.status_code == 400
    assert answer.json["code"] == "form_expired"


def test_addresses_nobody_has_named_are_shut(visit):
    visitor = visit("admin")
    for rest in ("settlement", "volume/more", "_mcp", "_reload-hash", "_favicon.ico", "volume.csv"):
        assert visitor.get(f"/dashboards/{rest}").status_code == 404, rest


def test_the_room_itself_leads_to_the_first_page_one_may_see(visit):
    answer = visit("agent").get("/dashboards/")
    assert answer.status_code == 302
    assert answer.location == "/dashboards/volume"
