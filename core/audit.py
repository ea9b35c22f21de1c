"""The audit trail, append-only: who did what to what, why, in which role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from core import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.actor import Actor
    from core.db import Transaction

_WRITE = """
insert into audit (at, actor, role, user_id, action, subject, order_id, reason, details, trace_id)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s)
"""


def digest(tx: Transaction, stored: Mapping[str, object]) -> str:
    """Return the SHA-256, in hex, of what a row keeps as JSON, as the database writes it.

    In the details of the deed that stored it, it seals the row's own copy: the verifier reckons it again.
    """
    said = json.dumps(stored, ensure_ascii=False)
    found: str = tx.call("select encode(sha256(convert_to(%s::jsonb::text, 'UTF8')), 'hex')", (said,))
    return found


def write(
    tx: Transaction,
    actor: Actor,
    action: str,
    subject: str,
    *,
    reason: str = "",
    details: Mapping[str, object] | None = None,
    order_id: int | None = None,
) -> None:
    """Store one row of the trail in the caller's transaction.

    `action` is `noun.verb`; `subject` is the ref of what was changed or looked at. `details` never hold
    secrets or unmasked personal data. `order_id` puts the row on an order's timeline. (Orders' own steps
    write theirs inside the SQL that moves them.)
    """
    tx.run(
        _WRITE,
        (
            clock.now(),
            actor.name,
            actor.role,
            actor.user_id,
            action,
            subject,
            order_id,
            reason,
            None if details is None else json.dumps(details, ensure_ascii=False),
            actor.trace_id,
        ),
    )
