"""Callbacks asked by hand: what no page of ours sends is refused with a code, never a fault of the server."""

from __future__ import annotations

import pytest

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
