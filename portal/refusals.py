"""A refusal of the core in the reader's language: its sentence from the catalogues, its parts as screens write them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from core.errors import Refusal, Sentence
from core.money import Money
from portal import format as show
from portal.right_words import SAID
from portal.states import BADGES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask_babel import LazyString

_STATES: Final = frozenset({"state", "before"})
"""Parts that are states: screens call them by what stands on their badges."""
WORDS: Final[dict[str, LazyString]] = {
    # who
    "merchant": _l("merchant"),
    "acceptor": _l("acceptor"),
    "agent": _l("agent"),
    "customer": _l("customer"),
    "party": _l("party"),
    "bank account": _l("bank account"),
    "payer account": _l("payer's account"),
    # fields of forms
    "amount": _l("the amount"),
    "arrival": _l("the transfer's number"),
    "bank": _l("the bank"),
    "code": _l("the code"),
    "country": _l("the country"),
    "day_limit": _l("the day's limit"),
    "disposition": _l("the disposition"),
    "holder": _l("the holder"),
    "kyc_level": _l("the KYC level"),
    "name": _l("the name"),
    "narrative": _l("the explanation"),
    "number": _l("the number"),
    "open_limit": _l("the limit of open orders"),
    "outcome": _l("the outcome"),
    "paid_at": _l("the time paid"),
    "payer.account": _l("the payer's account"),
    "payer.name": _l("the payer's name"),
    "payer_name": _l("the payer's name"),
    "reason": _l("the reason"),
    "received": _l("the amount received"),
    "silent_seconds": _l("the seconds of silence"),
    "why": _l("the reason"),
    # deeds
    "dispute": _l("handing to the dispute desk"),
    "dismiss": _l("dismiss"),
    "refuse": _l("refuse"),
    "release": _l("release"),
    # policies
    "least_loaded": _l("the least busy one"),
    "uniform_random": _l("drawn by lot"),
}
"""Words that stand for themselves in the core's sentences and in the interfaces of programs."""
_KEPT: Final = frozenset({"text", "ref", "shown", "said", "name", "masked", "paused", "known", "arrival"})
"""Parts that somebody typed or chose: they stay as they are, whatever word they may be."""


class Link(NamedTuple):
    """Where a refusal leads: an address, and what its link says."""

    href: str
    text: str


_leads: list[Callable[[Mapping[str, Any]], Link | None]] = []


def leads(find: Callable[[Mapping[str, Any]], Link | None]) -> Callable[[Mapping[str, Any]], Link | None]:
    """Register a function that knows, by a refusal's facts, the page its reader may want to see and may see."""
    _leads.append(find)
    return find


def link(refusal: Refusal) -> Link | None:
    """Return where a refusal leads its reader, None when nowhere."""
    return next(filter(None, (find(refusal.facts) for find in _leads)), None)


def words(refusal: Refusal | str) -> str:
    """Return what a refusal says, in the language of who reads it; one without a pattern says its English."""
    said = refusal.detail if isinstance(refusal, Refusal) else refusal
    if not isinstance(said, Sentence):
        return said
    parts = {name: _part(name, part) for name, part in said.parts.items()}
    return gettext(said.pattern, **parts) if parts else gettext(said.pattern)


def told(refusal: Refusal) -> str:
    """Return the same with the refusal's code behind it and the way it leads, as it is told on a page or at a field."""
    said, there = f"{words(refusal)} [{refusal.code}]", link(refusal)
    return Markup('{} <a href="{}">{}</a>').format(said, *there) if there else said


def _part(name: str, part: Any) -> str:
    if isinstance(part, Sentence):
        return words(part)
    if isinstance(part, Money):
        return show.money_text(part)
    if isinstance(part, datetime):
        return str(show.when(part).striptags())
    if isinstance(part, list):
        return ", ".join(_part(name, each) for each in part)
    if isinstance(part, int) and not isinstance(part, bool):
        return show.number(part)
    return _word(name, str(part))


def _word(name: str, text: str) -> str:
    if name in {"right", "role"}:
        return str(SAID.get(text, text))
    if name in _STATES and text in BADGES:
        return str(BADGES[text].text).lower()
    return text if name in _KEPT else str(WORDS.get(text, text))
