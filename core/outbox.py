"""Facts for other rooms, stored in the same transaction as the change that caused them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from core import clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.db import Transaction

_TELL = "insert into notice (topic, subject, event, happened_at, payload) values (%s, %s, %s, %s, %s::jsonb)"


def tell(
    tx: Transaction,
    topic: str,
    subject: str,
    *,
    happened_at: datetime | None = None,
    payload: Mapping[str, object] | None = None,
) -> None:
    """Store one fact; a job carries it onwards after the commit.

    `topic` is `noun.event`, `subject` the ref it is about, `happened_at` the product's clock unless given.
    The payload carries refs and figures, never secrets.
    """
    tx.run(
        _TELL,
        (
            topic,
            subject,
            topic.rpartition(".")[2],
            happened_at or clock.now(),
            None if payload is None else json.dumps(payload, ensure_ascii=False),
        ),
    )
