"""What an approver of fees is told of the agents' plans: where these pay more than the platform's part of the fee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from core.commissions import margins, versions
from portal import format as show

if TYPE_CHECKING:
    from core.actor import Actor


def warning(actor: Actor, row: Any) -> str:
    """Return the sentence about a proposal of fees that waits, "" where the platform's part holds the commissions."""
    if row.kind != versions.FEES or row.state != "waiting":
        return ""
    found = margins.below(actor, row.payload["terms"], row.payload["version"])
    if found is None:
        return ""
    said = {
        "least": show.share(found.platform_bps),
        "plan": f"{found.plan} v{found.version}",
        "most": show.share(found.plan_bps),
    }
    if not found.volume.units:
        return _(
            "The platform's part of the fee is %(least)s, and plan %(plan)s pays agents up to %(most)s of an order:"
            " commissions never exceed the platform's part. They are then cut to it in proportion, and the platform"
            " keeps nothing.",
            **said,
        )
    return _(
        "From a merchant's volume of %(volume)s in 30 days on the platform's part of the fee is %(least)s, and plan"
        " %(plan)s pays agents up to %(most)s of an order: commissions never exceed the platform's part. They are then"
        " cut to it in proportion, and the platform keeps nothing.",
        volume=show.money_text(found.volume),
        **said,
    )
