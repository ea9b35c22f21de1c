"""The eleven things Flask-AppBuilder does by itself and must not; most are told in full in the other files here."""

from __future__ import annotations

import re

import pytest
from flask_appbuilder.models.sqla.interface import SQLAInterface

from core.db import reading
from portal.desk import Desk
from portal.security.setup import set_up
from portal.views import VIEWS
from tests import beside
from tests.portal.sample import Parcel, ParcelDesk


def test_1_row_scope_holds_for_whatever_reads_rows_through_the_framework(desk, signed_in):
    view = next(each for each in desk.app.appbuilder.baseviews if isinstance(each, ParcelDesk))
    for name, seen in (("auditor", 120), ("merchant1", 40), ("agent1", 0)):
        browser = signed_in(name)
        cookie = browser.client.get_cookie("desk").value
        with desk.app.test_request_context("/", headers={"Cookie": f"desk={cookie}"}):
            assert view.datamodel.query(view._base_filters)[0] == seen
            foreign = view.datamodel.get("par_000001", view._base_filters)
            assert (foreign is not None) is (name == "auditor")


def test_2_no_get_changes_anything(desk):
    changing = [
        rule.rule
        for rule in desk.app.url_map.iter_rules()
        if "GET" in rule.methods and re.search(r"action|delete|edit|add|logout|activate", rule.rule)
    ]
    assert changing == []


def test_3_and_4_a_desk_has_no_forms_and_says_what_it_lists_and_searches(desk):
    view = next(each for each in desk.app.appbuilder.baseviews if isinstance(each, ParcelDesk))
    assert view.base_permissions == ["can_list", "can_show"]
    assert view.add_columns == view.edit_columns == []
    assert view.search_columns == ["state", "currency", "fiat_units", "created_at", "payer"]
    rules = {rule.rule for rule in desk.app.url_map.iter_rules() if rule.rule.startswith("/parcels")}
    assert rules == {
        "/parcels/list/",
        "/parcels/show/<key>",
        "/parcels/export.csv",
        "/parcels/action/<string:name>/<key>",
        "/parcels/action_post",
    }


def test_5_there_is_one_way_in_and_none_of_the_stock_screens(desk):
    names = {type(view).__name__ for view in desk.app.appbuilder.baseviews}
    ours = {place.partition(":")[2] for place in VIEWS}
    assert names == {"HomeView", "SignInView", "ParcelDesk"} | ours
    assert desk.app.appbuilder.sm.jwt_manager is None


def test_6_rights_come_from_the_table_in_process(desk, signed_in):
    sm = desk.app.appbuilder.sm
    for name, allowed in (("admin", True), ("merchant1", True), ("auditor", True)):
        cookie = signed_in(name).client.get_cookie("desk").value
        with desk.app.test_request_context("/", headers={"Cookie": f"desk={cookie}"}):
            assert sm.has_access("can_list", "ParcelDesk") is allowed
            assert sm.has_access("can_list", "UsersView") is (name == "admin")
            assert sm.has_access("can_list", "Parcel") is False
            assert sm.has_access("menu_access", "Security") is False
    with desk.app.test_request_context("/"):
        assert sm.has_access("can_list", "ParcelDesk") is False


def test_7_a_value_the_database_cannot_read_is_the_callers_fault(desk, signed_in):
    answer = signed_in("admin").post("/users/99999999999999999999/deactivate")
    assert answer.status_code in {400, 404}


def test_8_a_list_asks_for_one_page_and_counts_to_a_limit(desk, signed_in):
    import sqlalchemy as sa

    from core import db

    said = []
    browser = signed_in("auditor")
    sa.event.listen(db.engine(), "before_cursor_execute", lambda *args: said.append((args[2], args[3])))
    browser.get("/parcels/list/?size=20")
    assert "LIMIT" in said[0][0]
    assert 21 in said[0][1].values()
    assert "count" in said[1][0]
    assert 10_001 in said[1][1].values()
    assert not [text for text, _values in said if "OFFSET" in text.upper()]


def test_9_eight_first_boots_at_once_make_one_set_of_roles(database):
    answers = beside.together(8, set_up)
    assert [each for each in answers if isinstance(each, Exception)] == []
    with reading() as tx:
        assert tx.call("select count(*) from ab_role") == 7


def test_9_web_processes_write_no_permissions(desk, signed_in):
    signed_in("admin").get("/")
    with reading() as tx:
        assert tx.call("select count(*) from ab_permission_view") == 0
        assert tx.call("select count(*) from ab_view_menu") == 0


def test_10_core_knows_user_numbers_only():
    from core.db import Base

    assert not [name for name in Base.metadata.tables if name.startswith("ab_")]


@pytest.mark.parametrize("path", ["/", "/users/", "/account/", "/account/password", "/parcels/list/", "/nothing"])
def test_11_pages_say_their_language_and_direction_and_label_their_controls(signed_in, path):
    page = signed_in("admin").get(path).text
    assert '<html lang="en" dir="ltr"' in page
    assert page.count("<h1") == 1
    assert page.count("<main") == 1
    assert "bootstrap" not in page
    for control in re.findall(r"<(?:input|select)[^>]*>", page):
        if 'type="hidden"' in control or 'type="checkbox"' in control:
            continue
        name = re.search(r'id="([^"]+)"', control)
        assert name, control
        assert f'for="{name.group(1)}"' in page, control


def test_a_desk_without_a_scope_rule_shows_parties_nothing(desk, signed_in):
    class Bare(Desk):
        datamodel = SQLAInterface(Parcel)
        route_base = "/bare"

    from core.actor import Actor, Scope

    for scope in (Scope.MERCHANT, Scope.ACCEPTOR, Scope.AGENT, Scope.NONE):
        assert str(Bare().scope(Actor("x", "x", scope=scope, party_id=1))) == "false"
