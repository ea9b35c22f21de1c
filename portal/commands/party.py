"""`desk party`: merchants, acceptors and agents enrolled and equipped from the machine's own terminal, audited."""

from __future__ import annotations

import json
import sys

import click

from core.actor import system
from core.errors import BadInput
from core.orders import recent
from core.parties import acceptors, agents, bank_accounts, merchants, naming, standing
from portal.counted import counted

_KINDS = ("merchant", "acceptor", "agent")
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
_WHY = click.option("--why", required=True, help="The reason, for the audit trail.")


@click.group("party")
def command() -> None:
    """Enrol parties; PARTY is always a ref or a code."""


@command.command("new")
@click.argument("kind", type=click.Choice(_KINDS))
@click.argument("code")
@click.option("--name", required=True, help="The verified name: bank accounts must bear it.")
@click.option("--country", default="", metavar="XX", help="Two letters; an agent may have none.")
@click.option("--agent", default="", metavar="PARTY", help="Who referred it; of an agent: below whom it stands.")
@click.option("--plan", default="", help="Of an agent: its commission plan.")
@click.option("--level", default=1, show_default=True, help="The verification level, 0 to 3.")
@_JSON
def new(kind: str, code: str, name: str, country: str, agent: str, plan: str, level: int, as_json: bool) -> None:
    """Enrol the merchant, acceptor or agent CODE; prints its ref."""
    actor = system("terminal")
    above = naming.party(actor, agent, "agent", field="agent") if agent else None
    if kind == "agent":
        ref = agents.create(actor, code, name, plan=plan, parent_ref=above, country=country, kyc_level=level)
    elif plan:
        raise BadInput("only an agent has a commission plan", field="plan")
    elif not country:
        raise BadInput(f"say where the {kind} is established: --country BR", field="country")
    else:
        create = merchants.create if kind == "merchant" else acceptors.create
        ref = create(actor, code, name, country=country, agent_ref=above, kyc_level=level)
    _tell(as_json, f"{code} is enrolled: {ref}", ref=ref, kind=kind, code=code)


@command.command("list")
@click.option("--kind", type=click.Choice(_KINDS), help="Only these.")
@_JSON
def show(kind: str | None, as_json: bool) -> None:
    """Show every party: kind, code, state, what it can use now."""
    for each in naming.parties(system("terminal"), *((kind,) if kind else _KINDS)):
        if as_json:
            click.echo(json.dumps(each._asdict()))
        else:
            click.echo(f"{each.kind:<10}{each.code:<24}{each.state:<11}{each.ref}  {each.name}")


@command.command("account")
@click.argument("party")
@click.option("--bank", required=True)
@click.option("--holder", default="", help="The holder; the party's verified name unless given.")
@click.option("--currency", required=True, help="Such as BRL.")
@click.option("--method", required=True, help="How it is paid, such as pix or bank.")
@_JSON
def account(party: str, bank: str, holder: str, currency: str, method: str, as_json: bool) -> None:
    """Add a bank account to the merchant or acceptor PARTY; its number is read from stdin, or asked for."""
    actor = system("terminal")
    ref = naming.party(actor, party, "merchant", "acceptor")
    number = click.prompt("Account number") if sys.stdin.isatty() else sys.stdin.readline().strip()
    added = bank_accounts.add(actor, ref, bank, holder or naming.name_of(actor, ref), number, currency, method)
    _tell(as_json, f"the account is added: {added}", ref=added, party=ref)


@command.command("online")
@click.argument("acceptor")
@click.option("--off", is_flag=True, help="Stop taking new orders.")
def online(acceptor: str, off: bool) -> None:
    """Let an acceptor take orders, or not."""
    actor = system("terminal")
    acceptors.set_online(actor, naming.party(actor, acceptor, "acceptor"), not off)
    click.echo(f"{acceptor} is {'offline' if off else 'online'}")


@command.command("move")
@click.argument("agent")
@click.option("--under", metavar="PARTY", help="The agent it shall stand below.")
@click.option("--top", is_flag=True, help="Instead: it stands below nobody.")
@_WHY
def move(agent: str, under: str | None, top: bool, why: str) -> None:
    """Move an agent and all below it; shares of orders that are open stay as they were frozen."""
    if (under is None) != top:
        raise BadInput("say --under PARTY or --top, one of the two", field="under")
    actor = system("terminal")
    above = naming.party(actor, under, "agent", field="under") if under is not None else None
    agents.reparent(actor, naming.party(actor, agent, "agent"), above, why)
    click.echo(f"{agent} stands {f'below {under}' if under else 'at the top'} now")


@command.command("suspend")
@click.argument("party")
@_WHY
def suspend(party: str, why: str) -> None:
    """Stop new business with PARTY; what is open goes on."""
    actor = system("terminal")
    standing.suspend(actor, naming.party(actor, party, *_KINDS), why)
    click.echo(f"{party} is suspended")


@command.command("reinstate")
@click.argument("party")
@_WHY
def reinstate(party: str, why: str) -> None:
    """End a suspension."""
    actor = system("terminal")
    standing.reinstate(actor, naming.party(actor, party, *_KINDS), why)
    click.echo(f"{party} is active again")


@command.command("bar")
@click.argument("party")
@_WHY
def bar(party: str, why: str) -> None:
    """Bar PARTY for good: its users and keys get in no more."""
    actor = system("terminal")
    ref = naming.party(actor, party, *_KINDS)
    standing.bar(actor, ref, why)
    click.echo(f"{party} is barred")
    if left := recent.open_of_merchant(actor, ref):
        click.echo(f"{counted(left, 'order')} of it still open; officers say on its page that it was paid")


def _tell(as_json: bool, words: str, **facts: str) -> None:
    click.echo(json.dumps(facts) if as_json else words)
