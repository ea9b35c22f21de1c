"""What of an order's customer and payer may be revealed, for the pages of orders and alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import request
from flask_babel import gettext as _

from core.compliance import reveals
from core.errors import BadInput
from portal.roles import current_actor

if TYPE_CHECKING:
    from core.orders.queries import OrderView


class _Thing(NamedTuple):
    """One thing to reveal: how it is called, its kind among `reveals.KINDS`, and whose."""

    label: str
    kind: str
    ref: str


def _things(order: OrderView) -> dict[str, _Thing]:
    found = {
        "customer": _Thing(_("Verified name"), "customer", order.customer_ref),
        "payer": _Thing(_("Payer's name"), "payer", order.ref),
    }
    if order.payer_ref:
        found["payer_account"] = _Thing(_("Payer's account"), "payer_account", order.payer_ref)
    if order.declared_name:
        found["declared"] = _Thing(_("Payer's name as declared at the opening"), "declared_payer", order.ref)
    if order.declared_ref:
        label = _("Payer's account as declared at the opening")
        found["declared_account"] = _Thing(label, "payer_account", order.declared_ref)
    return found


def choices(order: OrderView) -> list[tuple[str, str]]:
    """Return what can be revealed of the order, and how it is called."""
    return [(name, thing.label) for name, thing in _things(order).items()]


def revealed(order: OrderView, subject: str) -> tuple[str, str]:
    """Reveal what the form names and return its label and value; the look is logged for `subject`."""
    name = request.form.get("kind", "")
    thing = _things(order).get(name)
    if thing is None:
        raise BadInput(_("There is nothing of that kind to reveal."), kind=name[:20])
    plain = reveals.reveal(current_actor(), thing.kind, thing.ref, request.form.get("reason", ""), subject)
    return thing.label, plain
