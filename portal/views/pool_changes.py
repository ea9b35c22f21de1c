"""What a pool was given, taken back or changed on its page: admissions, accounts that serve it, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import flash
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.actor import Right
from core.money import USDT, fiat
from core.parties import naming, pool_changes
from portal import format as show
from portal.desk import deed
from portal.roles import current_actor
from portal.views.enrolling import read_form, read_money, read_number

if TYPE_CHECKING:
    from collections.abc import Sequence


class ChangesPools:
    """The deeds of an administrator about what a pool has; open orders go on through each of them."""

    @deed("expel", _l("Withdraw an admission"), Right.MANAGE_PARTIES, look="bad", sign="ban")
    def expel(self, rows: Sequence[Any]) -> None:
        """Let a merchant use the pool no more."""
        actor, form = current_actor(), read_form(("merchant", "reason"))
        merchant = naming.party(actor, form["merchant"], "merchant", field="merchant")
        pool_changes.withdraw_admission(actor, rows[0].ref, merchant, form["reason"])
        said = _("%(merchant)s may not use %(pool)s any more. Its open orders go on.", merchant=form["merchant"],
                 pool=rows[0].code)  # fmt: skip
        flash(said, "ok")

    @deed("leave", _l("Take an account out"), Right.MANAGE_PARTIES, look="bad", sign="log-out")
    def leave(self, rows: Sequence[Any]) -> None:
        """Take an acceptor's bank account out of the pool."""
        form = read_form(("bank_account", "reason"))
        left = pool_changes.leave(current_actor(), rows[0].ref, form["bank_account"], form["reason"])
        flash(_("The account has left the pool. Its open orders go on: %(n)s.", n=show.number(left)), "ok")

    @deed("limit_account", _l("Change an account's limits"), Right.MANAGE_PARTIES, sign="cog")
    def limit_account(self, rows: Sequence[Any]) -> None:
        """Change what an account takes a day and at a time; an empty field stays as it is."""
        form = read_form(("bank_account", "day_limit", "open_limit", "reason"))
        day = form["day_limit"]
        pool_changes.limit_account(
            current_actor(), rows[0].ref, form["bank_account"], form["reason"],
            day_limit=read_money(day, fiat(rows[0].currency), "day_limit") if day else None,
            open_limit=read_number(form["open_limit"], "open_limit") if form["open_limit"] else None,
        )  # fmt: skip
        flash(_("The account has its new limits from the next order on."), "ok")

    @deed("limit", _l("Change limits"), Right.MANAGE_PARTIES, sign="cog")
    def limit(self, rows: Sequence[Any]) -> None:
        """Change the bounds of an order, the least reserve and the silence; an empty field stays as it is."""
        form = read_form(("min_fiat", "max_fiat", "min_reserve", "silent_seconds", "reason"))
        asset, silence = fiat(rows[0].currency), form["silent_seconds"]
        least, most, reserve = form["min_fiat"], form["max_fiat"], form["min_reserve"]
        pool_changes.limit(
            current_actor(), rows[0].ref, form["reason"],
            min_fiat=read_money(least, asset, "min_fiat") if least else None,
            max_fiat=read_money(most, asset, "max_fiat") if most else None,
            min_reserve=read_money(reserve, USDT, "min_reserve", allow_zero=True) if reserve else None,
            silent_seconds=read_number(silence, "silent_seconds") if silence else None,
        )  # fmt: skip
        flash(_("%(pool)s has its new limits.", pool=rows[0].code), "ok")
