"""The `desk` command: one table of names, each read only when it is called."""

from __future__ import annotations

import errno
import os
import sys
from copy import copy
from functools import wraps
from importlib import import_module
from typing import Literal, NamedTuple

import click

from core.errors import Refusal

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM, errno.EMFILE})
"""What the machine lacks, in distinction to what the caller named wrongly."""

BOUND = f"{__name__}.bound"
LONGEST_SAID = 400
"""Of what a usage error repeats from the arguments."""


class Entry(NamedTuple):
    """One command: where it is written, what it is for, and which database it works on."""

    target: str
    purpose: str
    database: Literal["", "new", "any", "ours"] = ""


# With a database the command finds core.db bound, and embedded servers running when no URL is set; "ours" must
# have the present schema, "any" need not; only "new" makes the embedded database where there is none.
COMMANDS = {
    "up": Entry("portal.commands.up:command", "Start everything; Ctrl-C stops it."),
    "web": Entry("portal.commands.single:web", "The portal, alone."),
    "worker": Entry("portal.commands.single:worker", "The worker, alone."),
    "cron": Entry("portal.commands.single:cron", "The schedule, alone."),
    "init": Entry("portal.commands.init:command", "Bring the database to the present schema.", database="new"),
    "renumber": Entry("portal.commands.renumber:command", "After a logical restore: count onwards.", database="any"),
    "demo": Entry("portal.commands.demo:command", "Play a seeded market into the sandbox.", database="new"),
    "import": Entry("portal.commands.imports:command", "Read past orders from a file.", database="ours"),
    "rules": Entry("portal.commands.rules:command", "Draft risk rules, put them in force.", database="ours"),
    "verify": Entry("portal.commands.verify:command", "Check every invariant.", database="ours"),
    "rollup": Entry("portal.commands.rollup:command", "Bring figures up to date, or count again.", database="ours"),
    "seal": Entry("portal.commands.seal:command", "Seal the journal and the audit trail.", database="ours"),
    "export": Entry("portal.commands.export:command", "Write a report to files.", database="ours"),
    "doctor": Entry("portal.commands.doctor:command", "Look for what is wrong on this machine."),
    "env": Entry("portal.commands.env:command", "Show the settings in force."),
    "party": Entry("portal.commands.party:command", "Enrol parties, give them bank accounts.", database="ours"),
    "reserve": Entry("portal.commands.reserve:command", "Ask for top-ups, approve them.", database="ours"),
    "pool": Entry("portal.commands.pool:command", "Open pools, let merchants and accounts in.", database="ours"),
    "key": Entry("portal.commands.key:command", "Make API keys.", database="ours"),
    "user": Entry("portal.commands.user:command", "Make users, give roles, reset passwords.", database="ours"),
    "rate": Entry("portal.commands.rate:command", "Tell the desk exchange rates.", database="ours"),
    "fees": Entry("portal.commands.versions:fees", "Propose and approve fee schedules.", database="ours"),
    "plans": Entry("portal.commands.versions:plans", "Propose and approve commission plans.", database="ours"),
    "clock": Entry("portal.commands.clock:command", "Show or set the sandbox's clock.", database="ours"),
    "test": Entry("portal.commands.test:command", "Run the test suite."),
}


class Desk(click.Group):
    """A group that imports a command only when it runs, so that `desk` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of that name, or None; ready to run inside its servers when it needs them."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        return getattr(import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `desk --help`, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].purpose) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, as one that brings up what it needs once its arguments are understood."""
        name, command, rest = super().resolve_command(ctx, args)
        if name and command and COMMANDS[name].database:
            command = _in_its_database(command, name)
        return name, command, rest


def _in_its_database(command: click.Command, name: str) -> click.Command:
    """A copy of the command, or of all commands of a group, that runs with core.db bound."""
    twin = copy(command)
    if isinstance(twin, click.Group):
        twin.commands = {each: _in_its_database(below, name) for each, below in twin.commands.items()}
    acts = not isinstance(twin, click.Group) or twin.invoke_without_command
    if acts and (run := command.callback):

        @wraps(run)
        def bound_first(*given: object, **named: object) -> object:
            _bring_up(click.get_current_context().find_root(), COMMANDS[name].database, follows=name != "clock")
            return run(*given, **named)

        twin.callback = bound_first
    return twin


def _bring_up(root: click.Context, database: str, *, follows: bool) -> None:
    """Bind core.db until the whole command line has run, and follow the sandbox's clock; once."""
    if root.meta.get(BOUND):
        return
    root.meta[BOUND] = True
    from portal.servers import bound

    ours = database == "ours"
    root.with_resource(bound(fit=ours, makes=database == "new"))
    if ours and follows:
        from core import timeshift

        root.with_resource(timeshift.followed())


@click.group(cls=Desk, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="escrow-desk", prog_name="desk")
def desk() -> None:
    """Run the operations desk of an escrow marketplace between fiat and USDT."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a refusal is one clear line on stderr and exit status 1."""
    try:
        status = desk.main(arguments, prog_name="desk", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except Refusal as refusal:
        click.echo(f"desk: {refusal.detail}{_waiting(refusal)} [{refusal.code}]", err=True)
        sys.exit(1)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(_nothing_asked(error), err=True)
        sys.exit(1)
    except click.ClickException as error:
        click.echo(f"desk: {misused(error)} [bad_input]", err=True)
        sys.exit(1)
    except click.Abort:
        click.echo("Aborted!", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # the reader of our output went away (`desk ... | head`): nothing more can be said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        words = in_words(error)
        if not words:
            raise
        click.echo(f"desk: {words}", err=True)
        sys.exit(1)


def misused(error: click.ClickException) -> str:
    """What is wrong with the arguments, in click's helpful words, as one line that leads to the help."""
    said = "".join(sign if sign.isprintable() else " " for sign in error.format_message())
    said = " ".join(said.split()).rstrip(".")[:LONGEST_SAID]
    there = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "desk"
    return f"{said[:1].lower()}{said[1:]}; see `{there} --help`"


def _nothing_asked(error: click.UsageError) -> str:
    """A group without a command: `desk` alone shows its whole help, any other group names its commands."""
    ctx = error.ctx
    if ctx is None or ctx.parent is None or not isinstance(ctx.command, click.Group):
        return error.format_message()
    names = ", ".join(ctx.command.list_commands(ctx))
    return f"desk: name what `{ctx.command_path}` shall do: {names}; see `{ctx.command_path} --help` [bad_input]"


def _waiting(refusal: Refusal) -> str:
    """Name the request that stands in the way: a page leads to it by a link, a terminal by its reference."""
    ref = str(refusal.facts.get("request") or "")
    return f"; it is {ref}" if ref and ref not in str(refusal.detail) else ""


def in_words(error: Exception) -> str:
    """What the machine or the database refuses, as one line with a code; empty for a fault of ours."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename is not None else ""
        return f"{place}{error.strerror} [{'unavailable' if error.errno in FULL else 'bad_input'}]"
    if isinstance(error, UnicodeEncodeError) and "surrogates" in error.reason:
        return "an argument holds bytes that are no UTF-8 [bad_input]"
    return _of_the_database(error)


def _of_the_database(error: Exception) -> str:
    driver = sys.modules.get("psycopg")  # no database was spoken to while nobody has read the driver
    cause: BaseException | None = getattr(error, "orig", error)
    if driver is None or not isinstance(cause, driver.Error):
        return ""
    said = str(cause).strip().splitlines()[:1] or [type(cause).__name__]
    if isinstance(cause, driver.errors.InsufficientPrivilege):
        return f"the database's role may not do this ({said[0]}): let it own its database [forbidden]"
    if isinstance(cause, driver.OperationalError):
        return f"the database does not answer any more ({said[0]}); try again [unavailable]"
    if isinstance(
        cause, driver.errors.UndefinedTable | driver.errors.UndefinedColumn | driver.errors.UndefinedFunction
    ):
        return f"the database lacks what this version needs ({said[0]}): run `desk init` [conflict]"
    return ""


if __name__ == "__main__":
    main()
