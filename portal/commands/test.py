"""`desk test`: brings what the tests need, then runs pytest with your arguments or the whole suite."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys

import click

from core.errors import Unavailable
from core.settings import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def browser() -> str | None:
    """The path of an installed Chromium, or None."""
    named = os.environ.get("CHROMIUM", "")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)


def need_browser() -> str:
    """The path of a Chromium, installed with apt when we are root and it is missing.

    Raises Unavailable that says what to install when it cannot be had.
    """
    found = browser()
    if found:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        click.echo("desk: installing Chromium with apt (a minute or two)", err=True)
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        apt = shutil.which("apt-get") or "apt-get"
        for step in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
            if subprocess.run([apt, *step], check=False, stdout=2, env=quiet).returncode != 0:
                break
        found = browser()
    if not found:
        raise Unavailable(
            "the browser tests need Chromium and it is not installed. Debian: sudo apt install chromium. "
            "Elsewhere: install any Chromium or Chrome and set CHROMIUM to its path.",
        )
    return found


@click.command("test", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Run the test suite; arguments go to pytest (e.g. desk test tests/core -k money)."""
    if importlib.util.find_spec("pytest") is None:
        raise Unavailable("the tests' own tools are not installed. Run `./desk test` from the checkout.")
    environment = os.environ | {"CHROMIUM": need_browser()}
    wanted = list(arguments) or ["-q", "-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, "-m", "pytest", *wanted], environment)  # noqa: S606 - no shell
