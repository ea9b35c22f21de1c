"""Roles as one table: each role's rights and which rows it owns; the database knows only their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import g, has_request_context
from flask_babel import lazy_gettext as _l

from core.actor import Actor, Right, Scope
from core.errors import NotSignedIn

if TYPE_CHECKING:
    from flask_babel import LazyString

    from portal.security.people import Person

_SEE_ALL = frozenset(right for right in Right if right.value.startswith("see_"))
_PARTY_SEES = frozenset(
    {
        Right.SEE_ORDERS,
        Right.SEE_BALANCE,
        Right.SEE_LEDGER,
        Right.SEE_BANK_ACCOUNTS,
        Right.SEE_VOLUME,
        Right.EXPORT,
    },
)


class Role(NamedTuple):
    """What everybody with this role may do, on which rows, and how the role is called on screen."""

    label: LazyString
    scope: Scope
    rights: frozenset[Right]


ROLES: dict[str, Role] = {
    # Runs the platform. Decides no alert and touches no money: those who set up are not those who release.
    "admin": Role(
        _l("Administrator"),
        Scope.ALL,
        _SEE_ALL
        | {
            Right.MANAGE_PARTIES,
            Right.SET_STANDING,
            Right.MOVE_AGENTS,
            Right.MANAGE_PRICING,
            Right.APPROVE_PRICING,
            Right.MANAGE_USERS,
            Right.MANAGE_KEYS,
            Right.DESIGNATE_BANK_ACCOUNT,
            Right.FREEZE_BANK_ACCOUNT,
            Right.CLAIM_PAID,
            Right.CANCEL_ORDER,
            Right.EXPORT,
        },
    ),
    # Judges alerts, holds and releases, sees personal data (each look is logged).
    "compliance": Role(
        _l("Compliance officer"),
        Scope.ALL,
        (_SEE_ALL - {Right.SEE_COMMISSIONS, Right.SEE_JOBS, Right.SEE_PRICING})
        | {
            Right.SET_STANDING,
            Right.CLAIM_PAID,
            Right.DECIDE_ALERT,
            Right.REVEAL,
            Right.FREEZE_BANK_ACCOUNT,
            Right.MANAGE_RULES,
            Right.EXPORT,
        },
    ),
    # Counts the money: balances, commissions, reports. One says what has arrived, another books it.
    "finance": Role(
        _l("Finance"),
        Scope.ALL,
        (_SEE_ALL - {Right.SEE_ALERTS, Right.SEE_RISK, Right.SEE_JOBS})
        | {
            Right.TOP_UP_RESERVE,
            Right.APPROVE_TOP_UP,
            Right.MOVE_AGENTS,
            Right.MANAGE_PRICING,
            Right.APPROVE_PRICING,
            Right.EXPORT,
        },
    ),
    "agent": Role(
        _l("Agent"),
        Scope.AGENT,
        frozenset(
            {
                Right.SEE_ORDERS,
                Right.SEE_MERCHANTS,
                Right.SEE_ACCEPTORS,
                Right.SEE_AGENTS,
                Right.SEE_COMMISSIONS,
                Right.SEE_BALANCE,
                Right.SEE_VOLUME,
                Right.EXPORT,
            },
        ),
    ),
    "acceptor": Role(
        _l("Acceptor"),
        Scope.ACCEPTOR,
        _PARTY_SEES
        | {
            Right.SEE_ACCEPTORS,
            Right.SEE_DISPATCH,
            Right.CONFIRM_RECEIPT,
            Right.SET_ONLINE,
            Right.DESIGNATE_BANK_ACCOUNT,
        },
    ),
    "merchant": Role(
        _l("Merchant"),
        Scope.MERCHANT,
        _PARTY_SEES
        | {
            Right.SEE_MERCHANTS,
            Right.OPEN_ORDER,
            Right.CLAIM_PAID,
            Right.CANCEL_ORDER,
            Right.DESIGNATE_BANK_ACCOUNT,
        },
    ),
    # Reads everything; reveals no personal data, moves no money, changes nothing.
    "auditor": Role(_l("Auditor"), Scope.ALL, _SEE_ALL | {Right.EXPORT}),
}

FAB_ROLES: dict[str, list[list[str]]] = {name: [] for name in ROLES}
"""The roles Flask-AppBuilder is told of; the right a view asks for is matched in `portal.security`."""

PARTY_SCOPES = frozenset({Scope.AGENT, Scope.ACCEPTOR, Scope.MERCHANT})


def actor_of(person: Person) -> Actor:
    """Return the actor a signed-in person acts as: the role's rights, the party it belongs to.

    A person whose role needs a party but has none owns no rows; an unknown role has no rights.
    """
    role = ROLES.get(person.role)
    if role is None:
        return Actor(name=person.username, role=person.role, user_id=person.id)
    scope = role.scope
    if scope in PARTY_SCOPES and person.party_id is None:
        scope = Scope.NONE
    return Actor(
        name=person.username,
        role=person.role,
        scope=scope,
        party_id=person.party_id if scope in PARTY_SCOPES else None,
        user_id=person.id,
        rights=role.rights,
        trace_id=g.get("trace_id", "") if has_request_context() else "",
    )


def current_actor() -> Actor:
    """Return the actor of this request, kept in `flask.g`. Raises NotSignedIn when nobody is signed in."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        from portal.security.sessions import current_person

        person = current_person()
        if person is None:
            raise NotSignedIn("sign in first")
        actor = g.actor = actor_of(person)
    return actor


def actor_or_none() -> Actor | None:
    """Return the actor of this request, or None when nobody is signed in, or nothing is asked."""
    if not has_request_context():
        return None
    try:
        return current_actor()
    except NotSignedIn:
        return None
