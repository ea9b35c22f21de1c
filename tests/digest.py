"""A digest of every table of the database: what was refused must leave it as it was (invariant I19)."""

from __future__ import annotations

from core.db import reading

SEEN: tuple[str, ...] = ("portal_session", "login_attempt", "heartbeat", "job_run")
"""That somebody came by is noted whatever becomes of what was asked."""


def of_all(but: tuple[str, ...] = SEEN) -> dict[str, str]:
    """Return a digest of the rows of each table, by its name."""
    with reading() as tx:
        names = [
            name
            for (name,) in tx.rows(
                "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
                " and relname <> all (%s) order by 1",
                (list(but),),
            )
        ]
        rows_of = "select md5(coalesce(string_agg(md5(t::text), '' order by md5(t::text)), '')) from \"{}\" t"
        return {name: tx.call(rows_of.format(name)) for name in names}


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the tables that are not as they were."""
    return sorted(name for name in before | after if before.get(name) != after.get(name))
