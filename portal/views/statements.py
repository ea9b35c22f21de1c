"""A party's statement as a file: what its account held, every line of some days, and what it held then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import gettext as _

from core.actor import Right
from core.money import USDT, Money
from core.parties import queries
from portal import export
from portal.filters import BadList, one
from portal.roles import current_actor
from portal.views.party_parts import MOVES, POCKETS, beginning, midnight

if TYPE_CHECKING:
    from flask import Response

    from core.ledger.statements import Period


class StatementsView(BaseView):
    """Statements of merchants, acceptors and agents, for whoever sees their money."""

    route_base = "/statements"
    right = Right.SEE_BALANCE

    @expose("/<ref>.csv", methods=["GET"])
    def export(self, ref: str) -> Response:
        """Send every line from one day to the end of another, in the user's zone; of this month when none is named."""
        actor = current_actor()
        actor.must(Right.EXPORT)
        today = f"{midnight():%Y-%m-%d}"
        first, last = one(request.args, "from") or f"{today[:8]}01", one(request.args, "to") or today
        since, until = beginning(first, "from"), beginning(last, "to", days=1)
        if until <= since:
            raise BadList(_("The last day lies before the first."), argument="to")
        found = queries.statement_of(actor, ref, since, until)
        words = _("%(ref)s, from %(first)s to the end of %(last)s", ref=ref, first=first, last=last)
        return export.small(actor, _file(found, words))


def _file(found: Period, words: str) -> export.Small:
    # Only an acceptor's money is a reserve.
    pockets = POCKETS if found.opening.account.startswith("acceptor:") else {**POCKETS, "available": _("balance")}
    amount, after, code = _("Amount"), _("Balance after"), _("currency")
    heads = [_("When"), _("What"), _("Entry"), _("Order"), _("Pocket"), amount, f"{amount} ({code})"]
    rows: list[list[str | Money]] = [
        [
            line.happened_at.isoformat(timespec="seconds"), str(MOVES.get(line.reason, line.reason)), line.entry_ref,
            line.order_ref, str(pockets[line.pocket]), Money(line.units, USDT), USDT.code, Money(line.balance, USDT),
            USDT.code,
        ]
        for line in found.lines
    ]  # fmt: skip
    sums = {}
    for pocket, name in pockets.items():
        opening, closing = getattr(found.opening, pocket), getattr(found.closing, pocket)
        if opening or closing or pocket == "available" or any(line.pocket == pocket for line in found.lines):
            sums[_("opening balance, %(pocket)s", pocket=name), USDT.code] = opening
            sums[_("closing balance, %(pocket)s", pocket=name), USDT.code] = closing
    return export.Small("statement", _("Statement"), [*heads, after, f"{after} ({code})"], rows, sums, words)
