"""Money, time, states and masked data as people see them; words in the languages there are."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask_babel import force_locale

from core import clock
from core.compliance.queries import Counts
from core.money import USDT, Money, fiat
from core.orders.states import State
from portal import format as show
from portal.columns import defused
from portal.counted import counted
from portal.states import BADGES
from portal.views.alerts import figures

ROOT = Path(show.__file__).parents[1]
CATALOGUES = ROOT / "portal" / "translations"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def page(desk):
    with desk.app.test_request_context("/"):
        yield


def test_money_has_separators_its_decimals_and_its_code(page):
    assert show.amount(485_000, "BRL") == "4,850.00"
    assert show.amount(61_200_000, "VND") == "61,200,000"
    assert show.amount(862_989_325, "USDT") == "862.989325"
    assert show.amount(9_412_085_000, "USDT") == "9,412.085000"
    assert show.amount(-1, "USDT") == "-0.000001"
    assert show.amount(10**15 + 1, "USDT") == "1,000,000,000.000001"
    assert "USDT" in show.money(Money(1, USDT))
    assert ">250.00<" in show.money(Money(25_000, fiat("BRL")))


def test_a_time_is_relative_with_the_exact_one_on_hover(page):
    with clock.at(NOON):
        said = show.ago(NOON - timedelta(minutes=2))
        assert "2 min. ago" in said
        assert "2026-11-20 11:58:00 UTC" in said
        assert "Nov 1, 2026" in show.ago(NOON - timedelta(days=19))


def test_a_countdown_says_when_it_is_soon_and_when_it_is_past(page):
    with clock.at(NOON):
        assert "06:12" in show.left(NOON + timedelta(minutes=6, seconds=12))
        assert 'class="clock soon"' in show.left(NOON + timedelta(seconds=30))
        assert "−00:05" in show.left(NOON - timedelta(seconds=5))
        assert "−3d 04h" in show.left(NOON - timedelta(days=3, hours=4))


def test_every_state_of_an_order_has_a_badge_with_text(page):
    for state in State:
        assert state.value in BADGES
        assert str(BADGES[state.value].text) in show.badge(state.value)


def test_names_and_accounts_are_masked(page):
    assert show.mask_name("Joao Santos") == "Joao S•••••"
    assert show.mask_name("Cher") == "C•••••"
    assert show.mask_account("6222 0000 1234 8812") == "•• 8812"
    assert show.mask_account("") == show.mask_account(" ") == show.mask_name(None) == show.mask_name(" ") == "–"
    assert show.mask_account(show.mask_account("6222 0000 1234 8812")) == "•• 8812"
    assert show.mask_name("Bo Li") == "B•••••"


def test_a_reference_is_short_with_the_whole_on_hover_and_a_copy_button(page):
    said = show.ref("ord_01JD3Q8Z7K4M2N5P", "/orders/show/ord_01JD3Q8Z7K4M2N5P")
    assert "ord_…4M2N5P" in said
    assert 'data-copy="ord_01JD3Q8Z7K4M2N5P"' in said


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1", "＝1"])
def test_what_begins_like_a_formula_is_none(text):
    assert defused(text).startswith("'")


def test_plain_text_stays_as_it_is():
    assert defused("Joao =Santos") == "Joao =Santos"


@pytest.mark.parametrize("language", ["zh", "es"])
def test_the_compiled_catalogues_are_those_that_are_written(language):
    folder = CATALOGUES / language / "LC_MESSAGES"
    with (folder / "messages.po").open("rb") as file:
        written = {words(each.id): words(each.string) for each in read_po(file) if each.id and any(words(each.string))}
    with (folder / "messages.mo").open("rb") as file:
        compiled = {words(each.id): words(each.string) for each in read_mo(file) if each.id}
    # A counted thing that has no translation yet is compiled as its English self.
    compiled = {name: text for name, text in compiled.items() if name in written or text[0] != name[0]}
    assert compiled == written
    for name, text in written.items():
        assert {each for form in name for each in placeholders(form)} == {
            each for form in text for each in placeholders(form)
        }, name


def words(said):
    """The forms of a message, one or (counted things) several, as a tuple."""
    return (said,) if isinstance(said, str) else tuple(said)


def placeholders(text):
    import re

    return re.findall(r"%\(\w+\)s", text)


def test_the_chosen_language_time_zone_and_theme_are_kept_per_user(fresh):
    browser = fresh.browser()
    browser.sign_in("finance")
    browser.post("/account/taste", {"language": "zh", "zone": "Asia/Shanghai", "theme": "dark", "density": "compact"})
    page = browser.get("/").text
    assert '<html lang="zh" dir="ltr" data-theme="dark" data-density="compact" ' in page
    assert "退出登录" in page
    with clock.at(NOON):
        assert "2026-11-20 20:00:00" in browser.get("/").text
    other = fresh.browser()
    other.sign_in("auditor")
    assert '<html lang="en"' in other.get("/").text


def test_the_browsers_language_is_used_before_sign_in(desk):
    page = desk.app.test_client().get("/login/", headers={"Accept-Language": "es-MX,es;q=0.9"}).text
    assert "Contraseña" in page
    assert "登录" in desk.app.test_client().get("/login/?lang=zh").text


def test_the_language_of_an_address_goes_on_with_who_asked_for_it_until_a_choice_is_kept(fresh):
    browser = fresh.browser()
    assert "登录" in browser.get("/login/?lang=zh").text
    assert '<html lang="zh"' in browser.get("/login/?lang=xx").text, "no language of ours is no choice"
    browser.sign_in("finance")
    assert '<html lang="zh"' in browser.get("/").text
    assert '<html lang="es"' in browser.get("/orders/list/?lang=es").text
    assert '<html lang="es"' in browser.get("/").text
    browser.post("/account/taste", {"language": "en"})
    assert '<html lang="en"' in browser.get("/?lang=zh").text
    assert '<html lang="en"' in fresh.browser().get("/login/").text


def test_the_terminal_says_one_without_an_s():
    assert [counted(n, "row") for n in (0, 1, 2, 1204)] == ["0 rows", "1 row", "2 rows", "1,204 rows"]
    assert [counted(n, "row was", "rows were") for n in (1, 2)] == ["1 row was", "2 rows were"]


def test_a_sentence_has_its_amounts_and_counts_as_its_reader_writes_them(desk):
    lines = desk.app.jinja_env.from_string("{{ ngettext('%(num)s line', '%(num)s lines', many) }}")
    with desk.app.test_request_context("/"):
        assert show.money_text(Money(1_234_500, fiat("BRL"))) == "12,345.00 BRL"
        assert [lines.render(many=each) for each in (1, 17_621)] == ["1 line", "17,621 lines"]
    with desk.app.test_request_context("/"), force_locale("es"):
        assert show.money_text(Money(21_600, fiat("USD"))) == "216,00 USD"
        assert lines.render(many=17_621) == "17.621 líneas"


def test_the_counted_figures_of_the_review_have_separators(desk):
    held = Money(0, USDT)
    counts = Counts(5_000, 0, 1_204, 0, 0, None, 2_017, held, held, None, None)
    for language, late, holds in (("en", "1,204 past their", "in 2,017 orders"), ("es", "1.204 ", "2.017 ")):
        with desk.app.test_request_context("/"), force_locale(language):
            waiting, kept, *_ = figures(counts)
            assert late in waiting.foot
            assert holds in kept.foot


@pytest.mark.parametrize("room", ["portal", "dashboards"])
def test_no_sentence_counts_with_a_number_that_is_not_formatted(room):
    """`%(num)s` of Flask-Babel is a plain number: our own `n` is a formatted one; seconds and minutes are few."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "ngettext"
        and any("%(num)s" in str(getattr(each, "value", "")) for each in node.args)
        and not any(word in ast.unparse(node) for word in (" second", " minute"))
    ]  # fmt: skip
    assert found == []
