"""The market of the tour: the demo's first shop with its agents, and one acceptor who is paid by Pix."""

from __future__ import annotations

from core.actor import system
from core.db import reading
from core.money import USDT, Money, fiat
from core.parties import acceptors, agents, bank_accounts, merchants, pools
from portal.commands.init import initialise
from portal.security.setup import ensure_user
from tests import make

PASSWORD = "desk-demo-2026"
BRL = fiat("BRL")


def tell() -> None:
    """Set the database up as `desk init` does and enrol everybody; the rate is 5.42 BRL."""
    initialise()
    desk = system("story")
    atlas = agents.create(desk, "atlas", "Atlas Partners", plan="regional")
    corner = agents.create(desk, "corner", "Corner Referrals", plan="direct", parent_ref=atlas)
    shop = merchants.create(desk, "aurora-games", "Aurora Games", country="BR", agent_ref=corner)
    pool = make.pool("BRL")
    pools.admit(desk, pool, shop)
    make.rate("BRL")

    joao = acceptors.create(desk, "acceptor-01", "Joao Silva", country="BR")
    account = bank_accounts.add(desk, joao, "Banco Um", "Joao Silva", "000123456789", "BRL", "pix")
    pools.join(desk, pool, account, open_limit=20, day_limit=Money.parse("100000", BRL))
    make.top_up(joao, Money.parse("20000", USDT), "first-reserve")
    acceptors.set_online(make.acceptor_actor(joao), joao, online=True)

    with reading() as tx:
        numbers = dict(tx.rows("select ref, id from party"))
    ensure_user("merchant1", "merchant", PASSWORD, party_id=numbers[shop])
    ensure_user("acceptor1", "acceptor", PASSWORD, party_id=numbers[joao])
