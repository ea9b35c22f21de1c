"""The page of errors is told in the reader's language, with every code at its own place."""

from __future__ import annotations

import re

import pytest

from portal.problem_words import entries
from portal.problems import marked_up
from tests.portal import market
from tests.portal.market import signed_in


@pytest.fixture(scope="module")
def desk(module_database):
    return market.built()


SECTION = re.compile(r'<section[^>]* id="([a-z_]+)">')


def test_who_reads_english_is_sent_to_the_file(desk):
    answer = desk.app.test_client().get("/docs/errors", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/static/docs/errors.html")


@pytest.mark.parametrize(
    ("language", "heading"),
    [("zh", "错误：每一种拒绝及其处理办法"), ("es", "Errores: cada rechazo y qué hacer")],
)
def test_others_read_of_the_same_codes_in_their_own_words(desk, language, heading):
    client = desk.app.test_client()
    english = client.get("/static/docs/errors.html").text
    answer = client.get("/docs/errors", headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert f"<h1>{heading}</h1>" in answer.text
    assert "A refused request has changed nothing" not in answer.text
    assert SECTION.findall(answer.text) == SECTION.findall(english) != []
    assert 'lang="en"' not in answer.text
    with desk.app.test_request_context("/docs/errors", headers={"Accept-Language": language}):
        told = entries()
    assert [
        code
        for _, code, said, advice in told
        if not (marked_up(said) in answer.text and marked_up(advice) in answer.text)
    ] == []
    assert [code for _, code, said, advice in told if marked_up(said) in english or marked_up(advice) in english] == []
    assert "Accept-Language" in answer.headers["Vary"]
    browser = signed_in(desk, "merchant1")
    browser.post("/account/taste", {"language": language, "zone": "UTC"})
    assert heading in browser.get("/docs/errors").text
