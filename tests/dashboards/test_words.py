"""What the dashboards say in three languages: one name for a rule, days in the reader's order, a zone with its name."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import Babel

from core.risk.rules import RULES
from core.risk.verdicts import UNJUDGED
from dashboards import asked, freshness, places, show, theme
from dashboards import series as over_time
from dashboards.pages import risk
from dashboards.parts import Cell, Head, Table, table_of
from portal import risk_words

ROOT = Path(__file__).parents[2]
CODES = (*RULES, UNJUDGED)
SAYS = {"_", "_l", "N_", "gettext", "lazy_gettext", "ngettext"}
SEARCH = "?range=custom&from=2026-10-24&to=2026-11-06&tz=UTC"


@pytest.fixture
def reader():
    """A function that makes a reader of that language."""

    def of(language):
        app = Flask("words")
        app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(ROOT / "portal" / "translations")
        Babel(app, locale_selector=lambda: language)
        return app.test_request_context()

    return of


@pytest.mark.parametrize("language", ["zh", "es"])
def test_every_word_a_function_hands_to_the_catalogue_is_in_it(language):
    # Words inside the braces of an f-string are collected by no tool; this looks at what the code asks for itself.
    path = ROOT / "portal" / "translations" / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        known = {each.id if isinstance(each.id, str) else each.id[0] for each in read_po(file) if each.id}
    asked_for = {
        call.args[0].value
        for file in (ROOT / "dashboards").rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SAYS
        if isinstance(call.args[0], ast.Constant)
    }
    assert "%(rate)s per 1,000 orders" in asked_for
    assert sorted(asked_for - known) == []


@pytest.mark.parametrize("language", ["en", "zh", "es"])
def test_a_rule_has_one_name_in_the_queue_and_on_the_dashboard(reader, language):
    with reader(language):
        names = [risk.rule_name(code) for code in CODES]
        assert names == [risk_words.rule(code) for code in CODES]
        assert language == "en" or risk.rule_name("VEL_CNT") != "Many orders"
    assert len(set(names)) == len(CODES)


def test_a_gate_has_one_name_in_spanish():
    text = (ROOT / "portal" / "translations" / "es" / "LC_MESSAGES" / "messages.po").read_text(encoding="utf-8")
    assert "puerta" not in text.casefold()


def test_no_two_rules_are_drawn_alike_and_each_keeps_its_look(reader, monkeypatch):
    found = []
    monkeypatch.setattr(over_time, "drawn", lambda _frame, _question, _bucket, series, **_more: found.append(series))
    zeros = risk.risk.Counts(1, 0, 0, 0, 0)

    def looks(codes):
        rows = [risk.risk.DayRow(datetime(2026, 10, 24, tzinfo=UTC).date(), code, zeros) for code in codes]
        monkeypatch.setattr(risk.risk, "by_day", lambda *_asked: rows)
        risk.by_rule_and_day(SimpleNamespace(), asked.read(SEARCH))
        return {each.key: (each.color, each.pattern) for each in found.pop()}

    with reader("en"):
        every = looks(CODES)
        assert len(set(every.values())) == len(CODES) > len(theme.COLORS)
        assert looks(CODES[3:]) == {code: every[code] for code in CODES[3:]}


@pytest.mark.parametrize(
    ("language", "day", "long", "month"),
    [
        ("en", "Oct 24", "Oct 24, 2026", "Oct 2026"),
        ("zh", "10月24日", "2026年10月24日", "2026年10月"),
        ("es", "24 oct", "24 oct 2026", "oct 2026"),
    ],
)
def test_days_are_in_the_readers_order_and_in_files_as_iso_has_them(reader, language, day, long, month):
    with reader(language):
        question = asked.read(SEARCH)
        first = places.of(question, "day")[0]
        assert (first.short, first.long, first.plain) == (day, long, "2026-10-24")
        hour = places.of(question, "hour")[9]
        assert (hour.short, hour.long, hour.plain) == (f"{day} 09:00", f"{long} 09:00", "2026-10-24 09:00")
        found = places.of(question, "month")[0]
        assert (found.short, found.long, found.plain) == (month, month, "2026-10")
        assert long[:4] in places.of(question, "week")[0].long or "2026" in places.of(question, "week")[0].long
        every = [each.long for each in places.of(question, "hour")]
        assert all(one != other for one, other in pairwise(every))
        assert show.day(question.first) == day


def test_the_moment_of_the_figures_names_the_zone_it_is_told_in(reader):
    moment = datetime(2026, 11, 22, 4, 14, 23, tzinfo=UTC)
    with reader("en"):
        (said,) = freshness.line(freshness.rollup.Mark(moment, 0), moment, ZoneInfo("Asia/Shanghai"))
    assert said.children[0] == "as of 2026-11-22 12:14:23 Asia/Shanghai"


def test_a_table_is_one_part_of_the_page_however_many_rows_it_has(reader):
    rows = [(Cell(f"shop-{n}", "", f"/orders/list/?{n}"), Cell(str(n))) for n in range(300)]
    with reader("en"):
        table = table_of("Shops", Table((Head("Shop"), Head("Orders", numeric=True)), rows, rows[0]))
    assert list(table._traverse()) == []
    assert table.to_plotly_json()["props"]["rows"][7] == [["shop-7", "/orders/list/?7"], ["7", ""]]
