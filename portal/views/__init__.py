"""The portal's pages: each module holds one desk; `register` puts them all in their place."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask_appbuilder import AppBuilder

VIEWS = (
    "portal.views.account:AccountView",
    "portal.views.users:UsersView",
    "portal.views.orders:OrdersDesk",
    "portal.views.desk_live:LiveDeskView",
    "portal.views.alerts:AlertsDesk",
    "portal.views.merchants:MerchantsDesk",
    "portal.views.acceptors:AcceptorsDesk",
    "portal.views.agents:AgentsView",
    "portal.views.statements:StatementsView",
    "portal.views.bank_accounts:BankAccountsDesk",
    "portal.views.pools:PoolsDesk",
    "portal.views.commissions:CommissionsDesk",
    "portal.views.approvals:ApprovalsDesk",
    "portal.views.versions:VersionsView",
    "portal.views.exports:ExportsView",
    "portal.views.audit:AuditDesk",
    "portal.views.jobs:JobsView",
    "portal.views.search:SearchView",
)
"""Every page but home, as module:class; a new desk is a new line here and a row in tests/portal/routes.py."""

PARTS = ("portal.views.home_figures", "portal.views.home_work")
"""What stands on the home page but belongs to no single list; reading them puts them there."""


def register(appbuilder: AppBuilder) -> None:
    """Add every view to the app; the menu is `portal.menu`, not Flask-AppBuilder's."""
    for place in VIEWS:
        module, _colon, name = place.partition(":")
        appbuilder.add_view_no_menu(getattr(import_module(module), name))
    for place in PARTS:
        import_module(place)
