"""Who asks: the key in the Authorization header and nothing else, within its rate."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import current_app, g, request

from core.actor import Scope
from core.errors import NotSignedIn
from core.parties import keys, presence

if TYPE_CHECKING:
    from core.actor import Actor
    from portal.api.limits import Buckets

_BEARER = re.compile(r"Bearer +(\S{1,200})", re.IGNORECASE)
BUCKETS = "desk_api_buckets"
ASKS_NEWS = frozenset({"api.events", "api.deposits"})
"""Where a program asks for what is new: from then on it is expected to ask again."""


def caller() -> Actor:
    """Return the actor of the request's key, asked once a request. Raises NotSignedIn, Barred, TooMany."""
    actor: Actor | None = g.get("api_actor")
    if actor is None:
        headers = request.headers.getlist("Authorization")
        found = _BEARER.fullmatch(headers[0].strip()) if len(headers) == 1 else None
        if found is None:
            raise NotSignedIn("send your key: Authorization: Bearer dk_…")
        actor = replace(keys.authenticate(found.group(1)), trace_id=g.get("trace_id", ""))
        buckets: Buckets = current_app.extensions[BUCKETS]
        buckets.take(actor.name)
        g.api_actor = actor
        if actor.scope is Scope.ACCEPTOR:
            presence.heard(actor, watch=request.endpoint in ASKS_NEWS)
    return actor


def party(actor: Actor) -> int:
    """Return the number of the party a key belongs to. Raises NotSignedIn for a key of nobody."""
    if actor.party_id is None:
        raise NotSignedIn("this key belongs to nobody")
    return actor.party_id
