"""`desk key new`: a fresh API key for a merchant or acceptor, shown once, from the machine's own terminal."""

from __future__ import annotations

import json

import click

from core.actor import system
from core.db import reading
from core.errors import BadInput, NotFound, WrongState
from core.parties import keys, naming

_PARTY_OF = """
select p.ref, u.active from ab_user u join user_party up on up.user_id = u.id join party p on p.id = up.party_id
 where lower(u.username) = lower(%s)
"""


@click.group("key")
def command() -> None:
    """Make, list and end API keys."""


@command.command("new")
@click.option("--party", metavar="REF", help="The merchant or acceptor: ref or code.")
@click.option("--user", metavar="NAME", help="Instead: the party of this portal user.")
@click.option("--label", default="", help="What the key is for.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: ref, key, party.")
def new(party: str | None, user: str | None, label: str, as_json: bool) -> None:
    """Make a key and print it; it is stored as a hash only and never shown again."""
    if (party is None) == (user is None):
        raise BadInput("name the party with --party REF or its user with --user NAME, one of the two")
    known = party is not None
    party_ref = naming.party(system("terminal"), str(party), *keys.RIGHTS) if known else party_of(str(user))
    ref, key = keys.create(system("terminal"), party_ref, label)
    if as_json:
        click.echo(json.dumps({"ref": ref, "key": key, "party": party_ref}))
        return
    click.echo(f"{key}\n  {ref}, for {party_ref}. Keep it now: it is not shown again.")


@command.command("list")
@click.option("--party", metavar="REF", help="Of this merchant or acceptor only: ref or code.")
def list_(party: str | None) -> None:
    """List the keys, newest first: never the keys themselves."""
    actor = system("terminal")
    for each in keys.known(actor, naming.party(actor, party, *keys.RIGHTS) if party is not None else ""):
        ended = f"ended {each.ended_at:%Y-%m-%d %H:%M}" if each.ended_at else "barred" if each.barred else "in use"
        click.echo(f"{each.ref}  {each.party:<24} {each.created_at:%Y-%m-%d %H:%M} UTC  {ended}  {each.label}".rstrip())


@command.command("end")
@click.argument("ref")
@click.option("--why", required=True, help="The reason, for the audit trail.")
def end(ref: str, why: str) -> None:
    """End a key: nobody gets in with it any more."""
    keys.end(system("terminal"), ref, why)
    click.echo(f"{ref} has ended")


def party_of(username: str) -> str:
    """Return the ref of the party a portal user acts for. Raises NotFound, WrongState when the user is switched off."""
    with reading() as tx:
        rows = tx.rows(_PARTY_OF, (username,))
    if not rows:
        raise NotFound(f"there is no user {username[:40]} that belongs to a party", user=username[:40])
    party, active = rows[0]
    if not active:
        raise WrongState(f"{username[:40]} is switched off; name the party itself with --party", user=username[:40])
    return str(party)
