"""`desk web`, `desk worker`, `desk cron`: single processes, for `desk up`, systemd and containers."""

from __future__ import annotations

import os
import sys

import click

from core.settings import ROOT, settings
from portal.servers import addressed


def become(argv: list[str]) -> None:
    """Run the program in place of this one, or as a child while embedded servers are ours to keep."""
    import subprocess

    if settings().database_url and settings().redis_url:
        os.chdir(ROOT)
        os.execv(argv[0], argv)  # noqa: S606 - no shell wanted
    with addressed():
        child = subprocess.Popen(argv, cwd=ROOT)
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:
            sys.exit(child.wait())
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()


def web_argv(port: int | None = None) -> list[str]:
    """The command line of the web server: threads for waiting, processes for cores."""
    known = settings()
    return [
        sys.executable, "-m", "gunicorn", "wsgi:app",
        "--chdir", str(ROOT),
        "--bind", f"{known.host}:{port or known.port}",
        "--worker-class", "gthread",
        "--workers", str(known.workers),
        "--threads", str(known.threads),
        "--timeout", "60",
        "--graceful-timeout", "8",
        "--keep-alive", "5",
        "--no-control-socket",
        "--log-level", known.log_level.lower(),
    ]  # fmt: skip


@click.command("web")
@click.option("--port", type=click.IntRange(1, 65535), help="Instead of DESK_PORT.")
def web(port: int | None) -> None:
    """Serve the portal, the dashboards and the API over HTTP."""
    become(web_argv(port))


@click.command("worker")
def worker() -> None:
    """Carry out queued jobs."""
    become([sys.executable, "-m", "jobs.worker"])


@click.command("cron")
def cron() -> None:
    """Do what is due by the clock; of several only one leads at a time."""
    become([sys.executable, "-m", "jobs.schedule"])
