"""Callbacks asked by hand: what no page of ours sends is refused with a code, never a fault of the server."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboards.pages import BOARDS
from tests.dashboards.conftest import served

ADDRESS = "/dashboards/_dash-update-component"
OUTPUT = {"id": "board", "property": "children"}
PAGE = {"id": "url", "property": "pathname", "value": "/dashboards/volume"}
WHOLE = {"output": "board.children", "outputs": OUTPUT, "inputs": [PAGE], "changedPropIds": ["url.pathname"]}


def asked(visitor, body):
    visitor.page("volume")
    return visitor.client.post(
        ADDRESS, json=body, headers={"X-CSRFToken": visitor.spoken, "Accept": "application/json"}
    )


def test_the_whole_question_is_answered(visit):
    assert asked(visit("admin"), WHOLE).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        [], None, 5, "x", [[[]]], {}, {"output": 5},
        {**WHOLE, "output": "nobody.children"},
        {**WHOLE, "outputs": None},
        {**WHOLE, "outputs": [5]},
        {**WHOLE, "inputs": None},
        {**WHOLE, "inputs": []},
        {**WHOLE, "inputs": [{**PAGE, "value": 5}]},
        {**WHOLE, "inputs": [{**PAGE, "value": ["/dashboards/volume"]}]},
        {**WHOLE, "state": [5]},
        {**WHOLE, "state": [PAGE]},
        {**WHOLE, "changedPropIds": "url.pathname"},
        {**WHOLE, "changedPropIds": [5]},
    ],
)  # fmt: skip
def test_a_question_no_page_asks_is_refused(visit, body):
    answer = asked(visit("admin"), body)
    assert 400 <= answer.status_code < 500, answer.text[:200]


def test_what_runs_in_the_browser_is_not_asked_of_the_server(boards, visit):
    visitor = visit("admin")
    visitor.page("volume")
    for output, kept in boards.dash.callback_map.items():
        if "callback" not in kept:
            assert 400 <= visitor.ask(boards.dash, output).status_code < 500, output


def test_a_callback_is_not_read_like_a_page(visit):
    visitor = visit("admin")
    assert 400 <= visitor.get(ADDRESS).status_code < 500


ADDRESSES = (
    "?range=custom&from=9999-12-31&to=9999-12-31",
    "?range=custom&from=0001-01-01&to=0001-01-01",
    "?range=custom&from=2026-10-07&to=2026-10-01",
    "?range=custom&from=2999-01-01",
    "?range=custom&from=no&to=never",
    "?tz=Europe/Nowhere",
    "?tz=Asia/Kathmandu",
    "?bucket=century",
    "?merchant=%27%3B--",
    "?whose=everybody",
    "?by=luck",
    "?" + "&".join(f"a{n}=1" for n in range(60)),
)


@pytest.mark.parametrize("page", sorted(BOARDS))
@pytest.mark.parametrize("search", ADDRESSES)
def test_an_address_that_asks_for_nonsense_is_refused_in_words_by_every_tile(boards, visit, page, search):
    visitor = visit("admin")
    assert visitor.page(page, search).status_code == 200
    for output in served(boards.dash):
        if not output.strip(".").startswith(f"{page}-"):
            continue
        answer = visitor.ask(boards.dash, output, search, n_clicks=1)
        if output.endswith("-file.data"):
            assert answer.status_code == 422
            assert answer.json["code"] == "bad_input"
        else:
            assert answer.status_code == 200
            assert "could not be drawn" not in answer.text
            assert "cannot be shown" in answer.text or output.endswith("-asof.children"), (output, answer.text[:200])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(search=st.one_of(st.text(max_size=60), st.none()), value=st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=9)), st.lists, max_leaves=4))  # fmt: skip
def test_whatever_a_callback_is_handed_is_answered_or_refused(boards, shared, search, value):
    for output in ("volume-opened.children", "volume-asof.children", "volume-failures-file.data", "board.children"):
        answer = shared.ask(boards.dash, output, search, n_clicks=value, pathname=value)
        assert answer.status_code < 500, answer.text[:300]
        assert "could not be drawn" not in answer.text


@pytest.fixture
def shared(visit):
    visitor = visit("admin")
    visitor.page("volume")
    return visitor
