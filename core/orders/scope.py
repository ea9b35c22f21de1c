"""Which orders an actor sees, as a SQL condition; deny is the default."""

from __future__ import annotations

from core.actor import Actor, Scope

_NONE = ("false", ())


def condition(actor: Actor, order: str = "o") -> tuple[str, tuple[object, ...]]:
    """Return a condition on the alias `order` of the table orders, and its arguments.

    All rows; a merchant's or an acceptor's own; an agent: those of merchants in its subtree.
    """
    if actor.scope is Scope.ALL:
        return "true", ()
    if actor.party_id is None:
        return _NONE
    if actor.scope is Scope.MERCHANT:
        return f"{order}.merchant_id = %s", (actor.party_id,)
    if actor.scope is Scope.ACCEPTOR:
        return f"{order}.acceptor_id = %s", (actor.party_id,)
    if actor.scope is Scope.AGENT:
        return (
            f"{order}.agent_id in (select x.descendant_id from agent_closure x where x.ancestor_id = %s)",  # noqa: S608
            (actor.party_id,),
        )
    return _NONE


def sees_customers(actor: Actor) -> bool:
    """Return whether the actor may know whose order it is: who paid, from where and by which reference.

    An agent earns on orders without the customer's data.
    """
    return actor.scope is not Scope.AGENT
