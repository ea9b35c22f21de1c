"""The page around the charts: the portal's own frame, under its content security policy."""

from __future__ import annotations

import json
import re
from pathlib import Path

from dashboards import theme
from tests.dashboards.conftest import DAYS

TOKENS = (Path(__file__).parents[2] / "portal/static/css/tokens.css").read_text()
SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>")


def test_every_script_carries_the_nonce_of_its_request(visit):
    page = visit("admin").page("volume")
    nonce = re.search(r"'nonce-([^']+)'", page.headers["Content-Security-Policy"]).group(1)
    scripts = SCRIPT.findall(page.text)
    assert len(scripts) > 5
    assert all(f'nonce="{nonce}"' in attributes for attributes in scripts)


def test_nothing_is_fetched_from_elsewhere(visit):
    page = visit("admin").page("volume")
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []


def test_the_page_has_the_portals_sidebar_title_and_language(visit):
    page = visit("compliance").page("risk").text
    assert 'aria-label="Main"' in page
    assert "<h1>Risk</h1>" in page
    assert '<html lang="en" dir="ltr"' in page


def test_page_and_tiles_speak_the_language_of_the_address(boards, visit):
    visitor = visit("admin")
    assert '<html lang="es"' in visitor.page("volume", DAYS + "&lang=es").text
    for search in (DAYS + "&lang=es", DAYS):  # a control that is changed leaves the language out of the address
        told = json.dumps(visitor.said(boards.dash, "volume-opened.children", search), ensure_ascii=False)
        assert ("Órdenes abiertas" in told, "Orders opened" in told) == (True, False), told
    assert '<html lang="es"' in visitor.page("volume").text
    assert '<html lang="es"' in visitor.page("volume", DAYS + "&lang=xx").text


def test_the_token_cookie_is_for_this_room_and_this_site_only(visit):
    page = visit("admin").page("volume")
    cookie = next(each for each in page.headers.getlist("Set-Cookie") if each.startswith("_csrf_token="))
    assert "Path=/dashboards/" in cookie
    assert "SameSite=Strict" in cookie


def test_a_signed_in_page_is_not_kept_by_the_browser(visit):
    assert visit("admin").page("volume").headers["Cache-Control"] == "no-store"


def test_the_controls_say_what_the_address_asks_for(visit):
    page = visit("admin").page("volume", "?range=custom&from=2026-10-02&to=2026-10-03&currency=EUR&tz=Asia%2FShanghai")
    for told in (
        '<option value="custom" selected>',
        'value="2026-10-02"',
        '<option value="EUR" selected>',
        '<option value="Asia/Shanghai" selected>',
    ):
        assert told in page.text


def test_filters_offer_no_more_than_the_actors_own(boards, visit):
    page = visit("merchant").page("volume").text
    assert boards.first.merchant_code in page
    assert boards.second.merchant_code not in page
    assert '<option value="EUR"' not in page


def test_every_colour_of_a_chart_is_one_of_the_looks_tokens():
    light, dark = TOKENS.split("[data-theme=dark]{")
    named = set(re.findall(r"var\((--[\w-]+)\)", theme.TEMPLATE.to_plotly_json().__repr__()))
    named |= set(re.findall(r"var\((--[\w-]+)\)", repr((theme.COLORS, theme.TONES))))
    assert named
    for name in named:
        assert f"{name}:" in light, name
        assert f"{name}:" in dark, name
