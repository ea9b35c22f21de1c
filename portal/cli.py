"""The `desk` command: one table of names, each read only when it is called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

import click

from core.errors import Refusal


class Entry(NamedTuple):
    """One command: where it is written, what it is for, and whether it works on the database."""

    target: str
    purpose: str
    database: bool = False


# `database=True`: the command finds core.db bound, and embedded servers running when no URL is set.
COMMANDS = {
    "up": Entry("portal.commands.up:command", "Start everything; Ctrl-C stops it."),
    "web": Entry("portal.commands.single:web", "The portal, alone."),
    "worker": Entry("portal.commands.single:worker", "The worker, alone."),
    "cron": Entry("portal.commands.single:cron", "The schedule, alone."),
    "init": Entry("portal.commands.init:command", "Bring the database to the present schema.", database=True),
    "demo": Entry("portal.commands.demo:command", "Play a seeded market into the sandbox.", database=True),
    "import": Entry("portal.commands.imports:command", "Read past orders, statements or lists.", database=True),
    "rules": Entry("portal.commands.rules:command", "Replay risk rules on history.", database=True),
    "screen": Entry("portal.commands.screen:command", "Screen names from stdin.", database=True),
    "verify": Entry("portal.commands.verify:command", "Check every invariant.", database=True),
    "seal": Entry("portal.commands.seal:command", "Seal the journal and the audit trail.", database=True),
    "export": Entry("portal.commands.export:command", "Write a report to files.", database=True),
    "backup": Entry("portal.commands.backup:backup", "Write a backup of the database.", database=True),
    "restore": Entry("portal.commands.backup:restore", "Bring a backup back.", database=True),
    "doctor": Entry("portal.commands.doctor:command", "Look for what is wrong on this machine."),
    "env": Entry("portal.commands.env:command", "Show the settings in force."),
    "key": Entry("portal.commands.key:command", "Make API keys.", database=True),
    "clock": Entry("portal.commands.clock:command", "Show or set the sandbox's clock.", database=True),
    "test": Entry("portal.commands.test:command", "Run the test suite."),
}


class Desk(click.Group):
    """A group that imports a command only when it runs, so that `desk` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all commands that this version brings."""
        return [name for name, entry in COMMANDS.items() if find_spec(entry.target.partition(":")[0])]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None; ready to run inside its servers when it needs them."""
        entry = COMMANDS.get(cmd_name)
        if entry is None or cmd_name not in self.list_commands(ctx):
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
        """Find the command, and bring up what it needs unless only its help is asked for."""
        name, command, rest = super().resolve_command(ctx, args)
        if name and COMMANDS[name].database and "--help" not in rest:
            from portal.servers import bound

            ctx.with_resource(bound())
        return name, command, rest


@click.group(cls=Desk, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="escrow-desk", prog_name="desk")
def desk() -> None:
    """Run the operations desk of an escrow marketplace between fiat and USDT."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a refusal is one clear line on stderr and exit status 1."""
    try:
        desk.main(arguments, prog_name="desk", standalone_mode=True)
    except Refusal as refusal:
        click.echo(f"desk: {refusal.detail} [{refusal.code}]", err=True)
        sys.exit(1)
    except BrokenPipeError:
        # the reader of our output went away (`desk ... | head`): nothing more can be said
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
