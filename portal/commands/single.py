"""`desk web`, `desk worker`, `desk cron`: single processes, for `desk up`, systemd and containers."""

from __future__ import annotations

import os
import signal
import sys

import click

from core.migrations import standing
from core.settings import ROOT, settings
from portal.servers import addressed
from portal.supervise import must_be_free


def become(argv: list[str]) -> None:
    """Run the program in place of this one, or as a child while embedded servers are ours to keep."""
    import subprocess

    if settings().database_url and settings().redis_url:
        standing.guarded(settings().database_url)
        os.chdir(ROOT)
        os.execv(argv[0], argv)  # noqa: S606 - no shell wanted
    with addressed():
        standing.guarded(settings().database_url)
        child = subprocess.Popen(argv, cwd=ROOT)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: child.terminate())
        sys.exit(child.wait())


@click.command("web")
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of DESK_PORT.")
def web(port: int | None) -> None:
    """Serve the portal, the dashboards and the API over HTTP."""
    if port:
        os.environ["DESK_PORT"] = str(port)
    must_be_free(settings().host, port or settings().port)  # gunicorn would say it in a traceback
    become([sys.executable, "-m", "gunicorn", "--config", "python:portal.gunicorn", "wsgi:app"])


@click.command("worker")
def worker() -> None:
    """Carry out queued jobs."""
    become([sys.executable, "-m", "jobs.worker"])


@click.command("cron")
def cron() -> None:
    """Do what is due by the clock; of several only one leads at a time."""
    become([sys.executable, "-m", "jobs.schedule"])
