"""The dashboards in Chromium, under the real content security policy: drawn, themed, filtered, clicked through."""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from dashboards import kept
from dashboards.pages import BOARDS
from tests.core import lives
from tests.dashboards.conftest import DAYS
from tests.portal.conftest import PASSWORD

pytestmark = pytest.mark.browser
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def served(boards):
    server = make_server("127.0.0.1", 0, boards.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def reader(served, chromium):
    """Somebody signed in as the administrator in a window; what the console complains about is kept."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    faults = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{served}/login/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{served}/")

    def read(name, search=DAYS):
        page.goto(f"{served}/dashboards/{name}{search}")
        page.wait_for_selector(".boards")

    yield SimpleNamespace(page=page, read=read, faults=faults, address=served)
    context.close()


def test_every_page_is_drawn_and_nothing_is_refused_by_the_policy(reader):
    for name, chart in (("volume", "volume-orders"), ("risk", "risk-days"), ("commissions", "commissions-days")):
        reader.read(name)
        expect(reader.page.locator(f"#{chart}-chart .main-svg").first).to_be_visible(timeout=PATIENCE_MS)
        expect(reader.page.locator(".bone")).to_have_count(0, timeout=PATIENCE_MS)
    assert reader.faults == []


def test_the_theme_switch_repaints_the_charts(reader):
    reader.read("volume")
    paper = reader.page.locator("#volume-orders-chart .main-svg").first
    expect(paper).to_have_css("background-color", "rgb(255, 255, 255)", timeout=PATIENCE_MS)
    reader.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    expect(paper).to_have_css("background-color", "rgb(18, 25, 34)", timeout=PATIENCE_MS)


def test_a_filter_goes_into_the_address_and_the_back_button_takes_it_out(boards, reader):
    reader.read("volume")
    figure = reader.page.locator("#volume-opened .big")
    everything = figure.text_content()
    reader.page.select_option("#b-currency", "EUR")
    expect(figure).not_to_have_text(everything, timeout=PATIENCE_MS)
    assert "currency=EUR" in reader.page.url
    reader.page.go_back()
    expect(figure).to_have_text(everything, timeout=PATIENCE_MS)
    assert "currency" not in reader.page.url
    assert reader.page.input_value("#b-currency") == ""
    assert reader.page.input_value("#b-range") == "custom"


def pointed_at(page, bar, words):
    """Point at a bar until its words stand beside it; return where that is.

    Only what is drawn to the end keeps its place, and a chart listens to the mouse a moment after it is seen.
    """
    expect(page.locator(".bone")).to_have_count(0, timeout=PATIENCE_MS)
    ends = time.monotonic() + PATIENCE_MS / 1000
    while True:
        bar.scroll_into_view_if_needed()
        box = bar.bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(middle[0], middle[1] - 1)
        page.mouse.move(*middle)
        page.wait_for_timeout(100)
        if words.first.is_visible():
            return middle
        assert time.monotonic() < ends, "the chart does not answer"


CHANGES = """() => new Promise(told => {
  let changes = 0;
  const drawn = each => each.attributeName !== "data-dash-is-loading";
  const watch = new MutationObserver(found => { changes += found.filter(drawn).length; });
  document.querySelectorAll(".boards-chart").forEach(
    each => watch.observe(each, { subtree: true, childList: true, attributes: true, characterData: true }));
  setTimeout(() => { watch.disconnect(); told(changes); }, 3000);
})"""
"""How often a page's charts change in three seconds."""


def test_who_chooses_other_days_finds_the_page_as_it_was(boards, reader):
    # The days it begins with are those shown before: the same figures come again, and nothing is drawn anew.
    lives.completed(boards.first, "111.00", customer="c-days", name="Days Customer")
    lives.rolled_up()
    reader.read("volume", "?range=7d")
    expect(reader.page.locator(".bone")).to_have_count(0, timeout=PATIENCE_MS)
    expect(reader.page.locator("#volume-week-chart .main-svg").first).to_be_visible(timeout=PATIENCE_MS)
    reader.page.wait_for_timeout(1000)
    asked = []
    reader.page.on("request", lambda request: asked.append(request.url))
    reader.page.select_option("#b-range", "custom")
    assert reader.page.evaluate(CHANGES) == 0
    assert len(asked) > len(BOARDS["volume"].charts)
    reader.page.fill("#b-from", "2026-10-05")
    expect(reader.page.locator("#volume-orders-chart .main-svg").first).to_be_visible(timeout=PATIENCE_MS)
    assert "from=2026-10-05" in reader.page.url


def test_a_bar_opens_its_rows(reader):
    reader.read("volume", DAYS + "&by=currency")
    bar = reader.page.locator("#volume-orders-chart .bars .point path").nth(4)  # the fifth of October
    expect(bar).to_be_visible(timeout=PATIENCE_MS)
    middle = pointed_at(reader.page, bar, reader.page.locator("#volume-orders-chart .hovertext"))
    with reader.page.expect_navigation(url="**/orders/list/?*") as opened:
        reader.page.mouse.click(*middle)
    assert opened.value.status == 200
    assert "from=2026-10-05" in reader.page.url


def test_the_number_on_a_bar_is_the_sum_of_the_rows_it_opens(reader):
    reader.read("volume")
    tile = reader.page.get_by_role("region", name="By merchant", exact=True)
    expect(tile.locator(".main-svg").first).to_be_visible(timeout=PATIENCE_MS)
    bar = tile.locator(".bars .point").first
    said = bar.locator("text").text_content()
    tile.locator("summary").press("Enter")
    row = tile.locator("tbody tr").first
    completed, usdt = row.locator("td").nth(1).text_content(), row.locator("td").nth(3).text_content()
    assert usdt == said
    middle = pointed_at(reader.page, bar.locator("path"), tile.locator(".hovertext"))
    with reader.page.expect_navigation(url="**/orders/list/?*"):
        reader.page.mouse.click(*middle)
    assert reader.page.locator("tr[data-href]").count() == int(completed)
    # The list adds up to the last digit what the bar rounds to two.
    total = re.search(r"Sum USDT ([\d,]+\.\d+)", reader.page.locator("main").inner_text()).group(1)
    assert f"{round(Decimal(total.replace(',', '')), 2):,}" == said


def test_an_order_released_now_is_on_the_page_within_a_minute_without_a_reload(boards, reader, monkeypatch):
    # The minute passes on the page alone: here what is kept for a few seconds would still be new.
    monkeypatch.setattr(kept, "KEEP_SECONDS", 0)
    reader.page.clock.install()
    reader.read("volume", "?range=7d")
    figure = reader.page.locator("#volume-usdt .big")
    expect(figure).to_be_visible(timeout=PATIENCE_MS)
    before = figure.text_content()
    lives.completed(boards.first, "333.00", customer="c-live", name="Live Customer")
    lives.rolled_up()
    almost_a_minute_on = reader.page.evaluate("Date.now()") / 1000 + 59
    reader.page.clock.pause_at(datetime.fromtimestamp(almost_a_minute_on, UTC))
    ends = time.monotonic() + PATIENCE_MS / 1000
    while figure.text_content() == before:
        assert time.monotonic() < ends, "it is not asked for within a minute"
        reader.page.wait_for_timeout(100)
        reader.page.clock.run_for(1)


def test_the_address_is_the_page_also_after_a_reload(reader):
    reader.read("volume", DAYS + "&currency=EUR&bucket=week&by=currency")
    expect(reader.page.locator("#volume-opened .big")).to_be_visible(timeout=PATIENCE_MS)
    said = reader.page.locator("#volume-opened .big").text_content()
    reader.page.reload()
    expect(reader.page.locator("#volume-opened .big")).to_have_text(said, timeout=PATIENCE_MS)
    chosen = {
        name: reader.page.input_value(f"#b-{name}") for name in ("currency", "bucket", "by", "range", "from", "to")
    }
    assert chosen == {"currency": "EUR", "bucket": "week", "by": "currency", "range": "custom", "from": "2026-10-01",
                      "to": "2026-10-07"}  # fmt: skip


def test_a_table_stands_beside_each_chart_and_its_links_open_with_the_keyboard(reader):
    reader.read("volume")
    tile = reader.page.get_by_role("region", name="By merchant", exact=True)
    expect(tile.locator(".main-svg").first).to_be_visible(timeout=PATIENCE_MS)
    tile.locator("summary").press("Enter")
    link = tile.locator("tbody a").first
    expect(link).to_be_visible(timeout=PATIENCE_MS)
    with reader.page.expect_navigation(url="**/orders/list/?*") as opened:
        link.press("Enter")
    assert opened.value.status == 200


def test_files_and_pictures_come_from_each_tile(reader):
    reader.read("volume")
    tile = reader.page.get_by_role("region", name="Why orders fail")
    expect(tile.locator(".main-svg").first).to_be_visible(timeout=PATIENCE_MS)
    with reader.page.expect_download() as file:
        tile.get_by_role("button", name="CSV").click()
    assert file.value.suggested_filename.startswith("volume-failures-2026-10-01")
    with reader.page.expect_download() as picture:
        tile.get_by_role("button", name="PNG").click()
    assert picture.value.suggested_filename == "volume-failures.png"


def test_a_narrow_window_scrolls_in_one_direction_only(reader):
    reader.page.set_viewport_size({"width": 360, "height": 800})
    for name in ("volume", "risk", "commissions"):
        reader.read(name)
        expect(reader.page.locator(".bone")).to_have_count(0, timeout=PATIENCE_MS)
        assert reader.page.evaluate("document.documentElement.scrollWidth") <= 360


LEGEND = """async () => {
  const names = ["Unusual confirmation", "Payer's name differs", "Large amount", "Too many orders", "New and large",
                 "Unpaid orders", "Shared payer account", "Payer account on a list"];
  const data = names.map(name => ({ type: "bar", name, x: ["18 Nov", "19 Nov"], y: [1, 2] }));
  const legend = { orientation: "h", x: 0, y: -0.12, xanchor: "left", yanchor: "top", font: { size: 12 } };
  const axis = { automargin: true, type: "category" };
  const layout = { barmode: "stack", height: 280, showlegend: true, legend, xaxis: axis, yaxis: { automargin: true },
                   margin: { l: 8, r: 8, t: 8, b: 8 } };
  window.dash_clientside.callback_context = { outputs_list: [{ id: "risk-days-chart" }] };
  const [drawn] = window.dash_clientside.boards.paint({ data, layout }, "light");
  const box = document.createElement("div");
  box.style.width = "290px";
  document.body.append(box);
  await window.Plotly.newPlot(box, drawn.data, { ...drawn.layout, width: 290 });
  const ends = which => [...box.querySelectorAll(which)].map(each => each.getBoundingClientRect());
  return { labels: Math.max(...ends(".xtick text").map(each => each.bottom)), names: ends(".legendtext").map(each =>
           [each.top, each.bottom]), paper: ends(".main-svg")[0].bottom,
           shown: ends(".legend .bg")[0].bottom };
}"""


def test_the_names_below_a_narrow_chart_are_all_there_and_none_lies_on_its_days(reader):
    reader.page.set_viewport_size({"width": 360, "height": 800})
    reader.read("risk")
    expect(reader.page.locator("#risk-days-chart .main-svg").first).to_be_visible(timeout=PATIENCE_MS)
    found = reader.page.evaluate(LEGEND)
    assert len(found["names"]) == 8
    assert min(top for top, _bottom in found["names"]) >= found["labels"]
    assert max(bottom for _top, bottom in found["names"]) <= min(found["paper"], found["shown"]) + 1
