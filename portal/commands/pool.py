"""`desk pool`: pools opened, filled and steered from the machine's own terminal; every change is audited."""

from __future__ import annotations

import json

import click

from core.actor import system
from core.money import USDT, Money, fiat
from core.parties import naming, pool_changes, pools
from portal.counted import counted

_WHY = click.option("--why", required=True, help="The reason, for the audit trail.")
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
_POLICY = click.Choice(pools.POLICIES)


@click.group("pool")
def command() -> None:
    """Open pools and fill them; POOL, MERCHANT are always a ref or a code."""


@command.command("new")
@click.argument("code")
@click.option("--currency", required=True, help="Such as BRL.")
@click.option("--method", required=True, help="How it is paid, such as pix or bank.")
@click.option("--fees", required=True, help="The code of its fee schedule.")
@click.option("--policy", type=_POLICY, default=pools.POLICIES[0], show_default=True, help="How it chooses acceptors.")
@click.option("--least", required=True, help="The smallest order, in its currency.")
@click.option("--most", required=True, help="The largest order.")
@click.option("--reserve", default=pools.LEAST_RESERVE.text(), show_default=True, help="Least reserve in USDT.")
@click.option("--pay-seconds", default=900, show_default=True, help="How long a customer has to pay.")
@click.option("--confirm-seconds", default=900, show_default=True, help="How long an acceptor has to confirm.")
@click.option("--quote-seconds", default=600, show_default=True, help="How long a quote holds.")
@click.option(
    "--silent-seconds", default=600, show_default=True, help="After how long without a sign an acceptor is not matched."
)
@_JSON
def new(
    code: str, currency: str, method: str, fees: str, policy: str, least: str, most: str, reserve: str,
    as_json: bool, **seconds: int,
) -> None:  # fmt: skip
    """Open the pool CODE; prints its ref."""
    asset = fiat(currency)
    ref = pools.create(
        system("terminal"), code, currency, method, fees, policy,
        min_fiat=Money.parse(least, asset), max_fiat=Money.parse(most, asset),
        min_reserve=Money.parse(reserve, USDT, allow_zero=True), **seconds,
    )  # fmt: skip
    click.echo(json.dumps({"ref": ref, "code": code}) if as_json else f"{code} is open: {ref}")


@command.command("list")
@_JSON
def show(as_json: bool) -> None:
    """Show every pool: what it takes, its fees and policy, who uses and serves it."""
    for each in naming.pools(system("terminal")):
        if as_json:
            click.echo(json.dumps(each._asdict()))
        else:
            click.echo(
                f"{each.code:<20}{each.state:<10}{each.currency} {each.method:<10}{each.fee_code:<12}"
                f"{each.policy} v{each.policy_version}  {counted(each.merchants, 'merchant')}, "
                f"{counted(each.accounts, 'account')}"
            )


@command.command("admit")
@click.argument("pool")
@click.argument("merchant")
def admit(pool: str, merchant: str) -> None:
    """Let MERCHANT use POOL."""
    actor = system("terminal")
    pools.admit(actor, naming.pool(actor, pool), naming.party(actor, merchant, "merchant", field="merchant"))
    click.echo(f"{merchant} may use {pool}")


@command.command("join")
@click.argument("pool")
@click.argument("account")
@click.option("--day-limit", required=True, help="What the account takes a day (UTC), in the pool's currency.")
@click.option("--open-limit", default=20, show_default=True, help="Orders at a time.")
def join(pool: str, account: str, day_limit: str, open_limit: int) -> None:
    """Let the acceptor's bank account ACCOUNT (bnk_…) serve POOL."""
    actor = system("terminal")
    ref = naming.pool(actor, pool)
    money = Money.parse(day_limit, fiat(naming.currency_of(actor, ref)))
    pools.join(actor, ref, account, open_limit=open_limit, day_limit=money)
    click.echo(f"{account} serves {pool}, up to {money.show()} a day")


@command.command("expel")
@click.argument("pool")
@click.argument("merchant")
@_WHY
def expel(pool: str, merchant: str, why: str) -> None:
    """Let MERCHANT use POOL no more; its open orders go on."""
    actor = system("terminal")
    ref = naming.party(actor, merchant, "merchant", field="merchant")
    ended = pool_changes.withdraw_admission(actor, naming.pool(actor, pool), ref, why)
    click.echo(f"{merchant} may not use {pool} any more; {counted(ended, 'quote')} ended with it")


@command.command("leave")
@click.argument("pool")
@click.argument("account")
@_WHY
def leave(pool: str, account: str, why: str) -> None:
    """Take the bank account ACCOUNT (bnk_…) out of POOL; its open orders go on."""
    actor = system("terminal")
    left = pool_changes.leave(actor, naming.pool(actor, pool), account, why)
    click.echo(f"{account} has left {pool}; {counted(left, 'open order goes', 'open orders go')} on with it")


@command.command("account")
@click.argument("pool")
@click.argument("account")
@click.option("--day-limit", default="", help="What it takes a day (UTC), in the pool's currency.")
@click.option("--open-limit", type=int, help="Orders at a time.")
@_WHY
def account(pool: str, account: str, day_limit: str, open_limit: int | None, why: str) -> None:
    """Change what ACCOUNT takes in POOL; what is not named stays."""
    actor = system("terminal")
    ref = naming.pool(actor, pool)
    money = Money.parse(day_limit, fiat(naming.currency_of(actor, ref))) if day_limit else None
    pool_changes.limit_account(actor, ref, account, why, day_limit=money, open_limit=open_limit)
    click.echo(f"{account} has other limits in {pool} from the next order on")


@command.command("limits")
@click.argument("pool")
@click.option("--least", default="", help="The smallest order, in its currency.")
@click.option("--most", default="", help="The largest order.")
@click.option("--reserve", default="", help="Least reserve in USDT.")
@click.option(
    "--silence", type=int, help="Seconds an acceptor may be silent before it gets no new orders, 60 to 86400."
)
@_WHY
def limits(pool: str, least: str, most: str, reserve: str, silence: int | None, why: str) -> None:
    """Change the bounds of an order in POOL and what its acceptors must have and do; what is not named stays."""
    actor = system("terminal")
    ref = naming.pool(actor, pool)
    asset = fiat(naming.currency_of(actor, ref))
    pool_changes.limit(
        actor, ref, why,
        min_fiat=Money.parse(least, asset) if least else None,
        max_fiat=Money.parse(most, asset) if most else None,
        min_reserve=Money.parse(reserve, USDT, allow_zero=True) if reserve else None,
        silent_seconds=silence,
    )  # fmt: skip
    click.echo(f"{pool} has other limits now")


@command.command("pause")
@click.argument("pool")
@_WHY
def pause(pool: str, why: str) -> None:
    """Stop quoting and matching in POOL; its open orders go on."""
    actor = system("terminal")
    pools.pause(actor, naming.pool(actor, pool), why)
    click.echo(f"{pool} is paused")


@command.command("reopen")
@click.argument("pool")
@_WHY
def reopen(pool: str, why: str) -> None:
    """Quote and match in POOL again."""
    actor = system("terminal")
    pools.reopen(actor, naming.pool(actor, pool), why)
    click.echo(f"{pool} is open")


@command.command("policy")
@click.argument("pool")
@click.argument("policy", type=_POLICY)
@_WHY
def policy(pool: str, policy: str, why: str) -> None:
    """Match in POOL by POLICY from now on; dispatches keep the version they went by."""
    actor = system("terminal")
    version = pools.choose_policy(actor, naming.pool(actor, pool), policy, why)
    click.echo(f"{pool} goes by {policy} now, version {version}")
