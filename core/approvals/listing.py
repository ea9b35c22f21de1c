"""Requests for a second person as lists read them: one row each, of the kinds that a desk shows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, reading

if TYPE_CHECKING:
    from collections.abc import Collection

    import sqlalchemy as sa


class ApprovalRow(Base):
    """One request and what became of it; only `core.approvals` writes it."""

    __tablename__ = "approval"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ref: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decided_why: Mapped[str]


def of_kinds(kinds: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the clause "of one of these kinds"."""
    return ApprovalRow.kind.in_(kinds)


def waits_for(name: str, kinds: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the clause of the requests that `count_for` counts."""
    return (ApprovalRow.state == "waiting") & of_kinds(kinds) & (ApprovalRow.requested_by != name)


def count_for(name: str, kinds: Collection[str]) -> int:
    """Return how many requests of these kinds wait for somebody with that name: all but the own ones."""
    with reading() as tx:
        found: int = tx.call(
            "select count(*) from approval where state = 'waiting' and kind = any (%s) and requested_by <> %s",
            (list(kinds), name),
        )
    return found
