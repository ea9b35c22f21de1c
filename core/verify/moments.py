"""An order's moments go forward: opened, matched, claimed, completed, ended, none before the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.verify.finding import Check

_BACKWARDS: Final = """
select o.id, format('order %s goes back in time: opened %s, matched %s, claimed %s, completed %s, ended %s', o.ref,
       o.created_at, coalesce(o.matched_at::text, 'never'), coalesce(o.claimed_at::text, 'never'),
       coalesce(o.completed_at::text, 'never'), coalesce(o.ended_at::text, 'never'))
  from orders o
 where o.matched_at < o.created_at
    or o.claimed_at < greatest(o.created_at, o.matched_at)
    or o.completed_at < greatest(o.created_at, o.matched_at, o.claimed_at)
    or o.ended_at < greatest(o.created_at, o.matched_at, o.claimed_at, o.completed_at)
"""


def moments_go_forward(check: Check) -> None:
    """Each order with a step dated before the one it follows; when the customer paid is only the customer's word."""
    check.none(_BACKWARDS)
