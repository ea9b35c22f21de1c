"""Every refusal the product can give, as one small tree: code, HTTP status, facts.

    Refusal                      400 refused
    ├── BadInput                 422 bad_input
    │   └── BadAmount            422 bad_amount
    ├── NotSignedIn              401 not_signed_in
    ├── Forbidden                403 forbidden
    │   └── Barred               403 barred
    ├── NotFound                 404 not_found
    ├── Conflict                 409 conflict
    │   ├── WrongState           409 wrong_state
    │   ├── Changed              409 changed
    │   ├── AlreadyDone          409 already_done
    │   ├── ShortReserve         409 short_reserve
    │   ├── QuoteExpired         409 quote_expired
    │   ├── UnderReview          409 under_review
    │   ├── Frozen               409 frozen
    │   ├── TooLate              409 too_late
    │   ├── AmountDiffers        409 amount_differs
    │   └── StillRunning         409 still_running
    ├── KeyReused                422 idempotency_key_reused
    ├── TooMany                  429 too_many
    └── Unavailable              503 unavailable

A message says what is wrong, for whom, and what to do. `facts` are for machines.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class Sentence(str):
    """A sentence of ours with named parts: English to whoever prints it, and a pattern to who says it otherwise.

    Screens look the pattern up in their catalogues and put the parts in as their readers write them; the API and the
    terminal say the English.
    """

    __slots__ = ("parts", "pattern")

    pattern: str
    parts: dict[str, object]


def sentence(pattern: str, **parts: object) -> Sentence:
    """Return `pattern` with its parts put in; it is collected for the catalogues, so it must be written out here."""
    made = Sentence(pattern % {name: _english(name, part) for name, part in parts.items()} if parts else pattern)
    made.pattern, made.parts = pattern, parts
    return made


_STATES = frozenset({"state", "before"})
"""Parts that are states: a sentence has them in the words of the badges, `facts` as programs know them."""
_STATE_WORDS = {"paid_claimed": "paid, claimed"}
"""Those whose words are not their names with blanks."""


def _english(name: str, part: object) -> str:
    if name in _STATES:
        return _STATE_WORDS.get(str(part), str(part).replace("_", " "))
    if isinstance(part, list):
        return ", ".join(map(str, part))
    if isinstance(part, int) and not isinstance(part, bool):
        return f"{part:,}"
    if isinstance(part, datetime):
        return part.isoformat()
    shown = getattr(part, "show", None)  # an amount; the errors stand below money
    return str(shown() if shown else part)


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """A request the product declines; nothing has changed."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400

    def __init__(self, detail: str, **facts: object) -> None:
        """Keep the sentence for people and the facts for machines."""
        super().__init__(detail)
        self.detail = detail
        self.facts = facts


class BadInput(Refusal):
    """The input cannot be read or breaks a stated limit."""

    code = "bad_input"
    status = 422


class BadAmount(BadInput):
    """An amount is not a plain decimal number within the asset's decimals and limits."""

    code = "bad_amount"


class NotSignedIn(Refusal):
    """Nobody is signed in, or the key is unknown."""

    code = "not_signed_in"
    status = 401


class Forbidden(Refusal):
    """The actor lacks the right, or the row is not the actor's."""

    code = "forbidden"
    status = 403


class Barred(Forbidden):
    """The party, person or country may not do business here."""

    code = "barred"


class NotFound(Refusal):
    """No such thing, or not one the actor may see."""

    code = "not_found"
    status = 404


class Conflict(Refusal):
    """The request is well formed, but the present state does not allow it."""

    code = "conflict"
    status = 409


class WrongState(Conflict):
    """The life cycle has no such step from the present state."""

    code = "wrong_state"


class Changed(Conflict):
    """Somebody else changed it first; look again."""

    code = "changed"


class AlreadyDone(Conflict):
    """The same effect has been booked before."""

    code = "already_done"


class ShortReserve(Conflict):
    """An account holds less than asked for."""

    code = "short_reserve"


class QuoteExpired(Conflict):
    """The quoted price is no longer offered."""

    code = "quote_expired"


class UnderReview(Conflict):
    """The step waits for a person; no more is told."""

    code = "under_review"


class Frozen(Conflict):
    """The bank account or party is frozen or suspended."""

    code = "frozen"


class TooLate(Conflict):
    """The deadline for this step has passed."""

    code = "too_late"


class AmountDiffers(Conflict):
    """What came is not what the order is about."""

    code = "amount_differs"


class StillRunning(Conflict):
    """The first request with this idempotency key has not ended yet."""

    code = "still_running"


class KeyReused(Refusal):
    """The idempotency key was used with another body."""

    code = "idempotency_key_reused"
    status = 422


class TooMany(Refusal):
    """Too many tries; wait."""

    code = "too_many"
    status = 429


class Unavailable(Refusal):
    """A part we depend on does not answer, or a figure is too old to act on."""

    code = "unavailable"
    status = 503
