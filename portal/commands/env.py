"""`desk env`: the settings in force, for people or as JSON, with no secret in them."""

from __future__ import annotations

import json

import click

from core import embedded
from core.settings import masked_url, settings, shown, variable
from portal.supervise import port_in_use


@click.command("env")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def command(as_json: bool) -> None:
    """Show the settings in force, with the port and the database and Redis URLs in use; secrets are masked."""
    known = settings()
    values = shown(known)
    boxed = embedded.urls(known.home) if not (known.database_url and known.redis_url) else None
    lives = embedded.running(known.home) if boxed else {}
    values["port"] = port_in_use(known.home) or known.port
    values["database"] = "DATABASE_URL"
    values["redis"] = "REDIS_URL"
    if boxed and not known.database_url:
        values["database_url"] = masked_url(boxed.database)
        values["database"] = "embedded, running" if lives["postgres"] else "embedded, stopped"
    if boxed and not known.redis_url:
        values["redis_url"] = masked_url(boxed.redis)
        values["redis"] = "embedded, running" if lives["redis"] else "embedded, stopped"
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    for name, value in values.items():
        if name not in {"database", "redis"}:
            label = name.upper() if name.endswith("_url") else variable(name)
            note = f"   ({values[name.removesuffix('_url')]})" if name.endswith("_url") else ""
            plain = ",".join(value) if isinstance(value, list) else value
            click.echo(f"{label}={plain}{note}")
