"""The work on the home page: what waits for the person, the money's position, and what a new party still has to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.actor import Actor, Right
from core.ledger import position
from core.orders import recent
from core.parties import onboarding
from portal.views.home import Panel, panel

if TYPE_CHECKING:
    from flask_babel import LazyString

TOP = 5

TASKS: dict[str, tuple[LazyString, LazyString]] = {
    "bank_account": (_l("Add a bank account of your own"), _l("Add")),
    "pool": (_l("Join a pool: an administrator does this for you"), _l("See")),
    "reserve": (_l("Send USDT to your reserve"), _l("See")),
    "online": (_l("Go online to take orders"), _l("My desk")),
    "key": (_l("Get an API key: an administrator makes it for you"), _l("See")),
    "first_order": (_l("Open your first order through the API"), _l("Orders")),
}


DESK_TASKS: dict[str, tuple[LazyString, LazyString | str, str]] = {
    "pool": (_l("Open a pool: in which currency and how customers pay"), _l("Open"), "/pools/new"),
    "merchant": (_l("Enrol a merchant"), _l("Enrol"), "/merchants/new"),
    "admitted": (_l("Admit the merchant to the pool"), _l("Pools"), "/pools/list/"),
    "key": (_l("Make its API key, at the terminal: desk key new --party CODE"), "", ""),
    "acceptor": (_l("Enrol an acceptor"), _l("Enrol"), "/acceptors/new"),
    "bank_account": (_l("Add the acceptor's bank account"), _l("Add"), "/bank-accounts/new"),
    "joined": (_l("Let the account join the pool"), _l("Pools"), "/pools/list/"),
    "reserve": (_l("Finance books USDT to the acceptor's reserve"), _l("Acceptors"), "/acceptors/list/"),
    "rate": (_l("Tell the exchange rate, at the terminal: desk rate set BRL 5.42 --why …"), "", ""),
    "first_order": (_l("The merchant opens its first order; users are made by desk user new"), _l("Users"), "/users/"),
}


@panel(Right.SEE_ORDERS, "admin", "merchant")
def _orders(actor: Actor) -> Panel | None:
    near = recent.waiting(actor, TOP)
    href = url_for("OrdersDesk.list", stage="open", sort="deadline_at")
    return Panel("home/orders.html", {"near": near, "near_href": href, "actor": actor}) if near else None


@panel(Right.SEE_LEDGER, "finance", "auditor", "admin")
def _position(actor: Actor) -> Panel:
    return Panel("home/position.html", {"position": position.position(actor)})


@panel(Right.SEE_AGENTS, "agent")
def _referred(actor: Actor) -> Panel | None:
    from portal.views.agents import top_referrals

    top = top_referrals(actor, TOP)
    return Panel("home/referrals.html", {"top_referrals": top}) if top else None


@panel(Right.SEE_BALANCE, "acceptor", "merchant", aside=True)
def _checklist(actor: Actor) -> Panel | None:
    tasks = onboarding.tasks(actor)
    if all(task.done for task in tasks):
        return None
    hrefs = {
        "bank_account": url_for("BankAccountsDesk.new"),
        "pool": url_for("BankAccountsDesk.list"),
        "reserve": url_for("AcceptorsDesk.list"),
        "online": url_for("LiveDeskView.index"),
        "key": url_for("MerchantsDesk.list"),
        "first_order": url_for("OrdersDesk.list"),
    }
    rows = [(*TASKS[task.name], task.done, hrefs[task.name]) for task in tasks]
    done = _("%(n)s of %(all)s", n=sum(task.done for task in tasks), all=len(tasks))
    return Panel("home/checklist.html", {"tasks": rows, "tasks_done": done})


@panel(Right.MANAGE_PARTIES, "admin")
def _set_up(actor: Actor) -> Panel | None:
    tasks = onboarding.desk_tasks(actor)
    if all(task.done for task in tasks):
        return None
    rows = [(DESK_TASKS[each.name][0], DESK_TASKS[each.name][1], each.done, DESK_TASKS[each.name][2]) for each in tasks]
    done = _("%(n)s of %(all)s", n=sum(task.done for task in tasks), all=len(tasks))
    return Panel("home/checklist.html", {"tasks": rows, "tasks_done": done})
