"""Home's figures against the ledger: each tile is what the auditors' views add up to, and leads to its very rows."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import NamedTuple

import pytest

from core import clock
from core.analytics.boards import volume
from core.db import reading
from core.orders import deposit
from portal.security.setup import ensure_user
from portal.views import home_figures
from tests.core import lives
from tests.portal import market
from tests.portal.conftest import PASSWORD
from tests.portal.market import claimed, held, opened, signed_in

_CARD = re.compile(
    r'<(a|div) class="card figure"(?: href="([^"]*)")?>(.*?)</\1>\s*(?=<(?:a|div) class="card figure"|</section>)',
    re.DOTALL,
)
RELEASED = "select -sum(units) from v_journal where reason = 'escrow_release' and units < 0"


class Tile(NamedTuple):
    """One figure as the page shows it."""

    value: str
    foot: str
    href: str

    @property
    def amount(self):
        return Decimal(re.match(r"[\d,.]+", self.value).group().replace(",", ""))


@pytest.fixture(scope="module")
def desk(module_database):
    """An order released two days ago, three today; one refused by the gate, one held, one waiting, one cancelled."""
    made = market.built()
    trade, now = made.trade, clock.now()
    root = trade.agents[-1]
    with reading() as tx:
        ensure_user("agent-root", "agent", PASSWORD, party_id=tx.call("select id from party where ref = %s", (root,)))
    with clock.at(now - timedelta(days=2)):
        lives.completed(trade, "90.00", customer="early", name="Early Bird")
    for amount in ("542.00", "1084.00", "77.10"):
        lives.completed(trade, amount, customer=f"c{amount}", name="Joao Santos")
    deposit.cancel(trade.merchant, opened(trade, "60.00"), reason="no longer wanted")
    made.held, made.alert = held(made)
    claimed(trade, amount="300.00")
    lives.rolled_up()
    return made


def tiles(desk, name):
    page = signed_in(desk, name).get("/").text
    found = {}
    for _tag, href, inside in _CARD.findall(page):
        label = re.search(r'class="cap"><span>(.*?)</span>', inside).group(1)
        value, foot = (
            re.search(rf'class="{part}[^"]*">(.*?)</div>', inside, re.DOTALL).group(1) for part in ("big", "foot-line")
        )
        found[unescape(label)] = Tile(*(unescape(re.sub(r"<[^>]+>", "", each)).strip() for each in (value, foot, href)))
    assert found
    return found


def ask(sql, *args):
    """What an auditor's own question of the views gives, whole."""
    with reading() as tx:
        return Decimal(tx.call(sql, args) or 0)


def usdt(sql, *args):
    return ask(sql, *args).scaleb(-6)


def listed(desk, name, href):
    """The number of rows a list says it has, and its text."""
    page = signed_in(desk, name).get(href)
    assert page.status_code == 200, href
    return page.text


@pytest.mark.parametrize("name", ["admin", "finance", "auditor"])
def test_the_platforms_last_day_is_what_left_escrow_in_it(desk, name):
    found = tiles(desk, name)
    day = "happened_at >= now() - interval '1 day'"
    assert found["Volume"].amount == usdt(f"{RELEASED} and {day}")
    assert (
        found["Completed"].amount
        == ask(f"select count(*) from v_journal where reason = 'escrow_release' and units < 0 and {day}")
        == 3
    )
    taken = f"select sum(units) from v_journal where reason = 'escrow_release' and units > 0 and {day}"
    assert found["Fees"].amount == usdt(f"{taken} and (account like 'agent:%%' or account like 'house:%%')")
    for label in ("Volume", "Completed"):
        page = listed(desk, name, found[label].href)
        assert page.count("<tr data-href") == 3
        assert f"{found['Volume'].amount:,.6f}" in page


def test_the_last_day_ends_now_and_is_held_against_the_same_hours_of_the_day_before(desk):
    now = clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    with desk.app.test_request_context("/"):
        drawn = [
            home_figures.Window(
                hour - timedelta(hours=23),
                hour,
                *(volume.Counts(*[0] * 3, n, *[0] * 9) for n in (9, completed, before)),
            )
            for completed, before in ((6, 4), (3, 4), (5, 0))
        ]
        told = [each.trend("completed") for each in drawn]
    to = f"up to {hour:%H:%M}, on the same hours of the day before"
    assert told == [(f"+50.00 % {to}", "up"), (f"−25.00 % {to}", "down"), ("nothing to compare with", "")]
    with clock.at(hour + timedelta(hours=2)):
        spans, counted = [], volume.totals
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(
                volume, "totals", lambda actor, span, asked: spans.append(span) or counted(actor, span, asked)
            )
            found = tiles(desk, "finance")
    assert {(span.end - span.start) for span in spans[:3]} == {timedelta(hours=23)}
    assert spans[1].start - spans[2].start == timedelta(days=1)
    assert "ended_to" not in found["Completed"].href


def test_what_is_open_is_what_waits_in_escrow_or_is_held(desk):
    found = tiles(desk, "finance")
    ended = "'completed', 'cancelled', 'expired', 'no_liquidity', 'refused', 'refunded', 'reversed'"
    assert found["Open orders"].amount == ask(f"select count(*) from v_orders where state not in ({ended})") == 2
    assert listed(desk, "finance", found["Open orders"].href).count("<tr data-href") == 2


@pytest.mark.parametrize(
    ("name", "label", "opens"),
    [
        ("admin", "Held USDT", True),
        ("compliance", "Held USDT", True),
        ("finance", "Held USDT, orders and commissions", False),
    ],
)
def test_held_usdt_is_that_of_the_held_pockets_under_a_name_of_its_own_where_commissions_are_in_it(
    desk, name, label, opens
):
    shown = tiles(desk, name)
    assert [each for each in shown if each.startswith("Held USDT")] == [label]
    found = shown[label]
    assert bool(found.href) is opens
    assert found.amount == usdt("select sum(units) from v_balances where account like '%%:held'") > 0


def test_the_next_deadlines_amount_is_written_as_its_reader_does(desk):
    browser, foots = signed_in(desk, "acceptor1"), []
    for language, label in (("es", "Próximo plazo"), ("en", "Next deadline")):
        browser.post("/account/taste", {"language": language, "zone": "UTC"})
        foots.append(tiles(desk, "acceptor1")[label].foot)
    assert foots == [f"300,00 {desk.trade.currency}", f"300.00 {desk.trade.currency}"]


def test_the_position_on_finances_page_equals_the_views(desk):
    page = signed_in(desk, "finance").get("/").text
    for sql in (
        "select sum(units) from v_balances where account like '%%:reserve' and asset = 'USDT'",
        "select sum(units) from v_balances where account like '%%:escrow' and asset = 'USDT'",
        "select -sum(units) from v_balances where account = 'house:custody'",
        "select sum(units) from v_balances where account like 'merchant:%%'",
        "select sum(units) from v_balances where account like 'agent:%%'",
    ):
        assert f"{usdt(sql):,.6f}".rstrip("0").rstrip(".") in page, sql


def test_an_agents_figures_are_its_own_and_its_networks_lines_and_both_were_posted(desk):
    found = tiles(desk, "agent-root")
    month = f"{clock.now():%Y-%m}"
    with reading() as tx:
        code, below = (tx.call("select code from party where ref = %s", (ref,)) for ref in desk.trade.agents[::-1])
    lines = "select sum(units) from v_commission_lines where agent = %s and period = %s"
    posted = ("select sum(units) from v_journal where reason = 'escrow_release' and account = %s"
              " and to_char(happened_at at time zone 'UTC', 'YYYY-MM') = %s")  # fmt: skip
    for label, agent in (("Your commission this month", code), ("Agents below you", below)):
        assert found[label].amount == round(usdt(lines, agent, month), 6) > 0
        assert usdt(lines, agent, month) == usdt(posted, account_of(agent), month)
        page = listed(desk, "agent-root", found[label].href)
        assert page.count("<tr data-href") == ask(
            "select count(*) from v_commission_lines where agent = %s and period = %s", agent, month
        )
    assert found["Volume of your tree"].amount == usdt(RELEASED)
    page = listed(desk, "agent-root", found["Volume of your tree"].href)
    assert page.count("<tr data-href") == 4
    assert found["Active referrals"].amount == 1


def account_of(code):
    with reading() as tx:
        return tx.call(
            "select a.name from ledger_account a join party p on p.id = a.party_id"
            " where p.code = %s and p.kind = 'agent'",
            (code,),
        )


@pytest.mark.parametrize("name", ["admin", "compliance", "finance", "agent-root", "acceptor1", "merchant1"])
def test_amounts_of_tiles_have_all_decimals_as_they_have_in_every_table(desk, name):
    amounts = [tile.value for tile in tiles(desk, name).values() if "USDT" in tile.value]
    assert [said for said in amounts if not re.match(r"[\d,]+\.\d{6}\s", said)] == []


def test_an_acceptors_reserve_and_escrow_are_its_accounts(desk):
    found = tiles(desk, "acceptor1")
    with reading() as tx:
        name = tx.call("select name from ledger_account where party_id = %s", (desk.acceptor.id,))
    balance = "select units from v_balances where account = %s"
    assert found["Reserve"].amount == usdt(balance, f"{name}:reserve")
    assert f"{usdt(balance, f'{name}:escrow'):,.6f}".rstrip("0") in found["Reserve"].foot
    assert found["To confirm"].amount == ask(
        "select count(*) from v_orders where acceptor = %s and state = 'paid_claimed' and risk_state <> 'held'",
        desk.acceptor.code,
    )


def test_a_merchants_balance_is_its_account_and_its_day_its_orders(desk):
    found = tiles(desk, "merchant1")
    with reading() as tx:
        name = tx.call("select name from ledger_account where party_id = %s", (desk.trade.merchant.party_id,))
    assert found["Balance"].amount == usdt("select units from v_balances where account = %s", name)
    today = "created_at >= date_trunc('day', now())"
    assert found["Orders today"].amount == ask(
        f"select count(*) from v_orders where merchant = %s and {today}", desk.trade.merchant_code
    )
    open_ = "'created', 'matching', 'offered', 'awaiting_payment', 'paid_claimed'"
    done, all_ = (ask(f"select count(*) from v_orders where merchant = %s and {part}", desk.trade.merchant_code)
                  for part in ("state = 'completed'", f"state not in ({open_})"))  # fmt: skip
    assert found["Conversion"].foot == f"{done} of {all_} that ended"
