"""Who leads among several schedules: the one whose session holds an advisory lock of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from jobs import database
from jobs.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable

LOCK = 0x5C4ED
"""The advisory lock's number."""

SILENT_SECONDS = 30
"""A leader that writes no heartbeat for so long (stopped, not dead) has its session ended by the next."""

_HOLDER = """
select l.pid from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()
 where l.locktype = 'advisory' and l.classid = 0 and l.objid = %s and l.objsubid = 1 and l.granted
"""
_SILENT = """
select not exists (select 1 from heartbeat where process like 'cron:%%' and (details ->> 'leads')::boolean
                     and at > clock_timestamp() - make_interval(secs => %s))
"""


class Leader:
    """The lock and the session that holds it; lost with the session, taken again by whoever is first."""

    def __init__(self, url: str, connect: Callable[[str, str], psycopg.Connection[Any]] = database.lasting) -> None:
        """Begin without the lock."""
        self.url = url
        self.connect = connect
        self.session: psycopg.Connection[Any] | None = None
        self.holds = False
        self.waited = 0

    def leads(self) -> bool:
        """Return whether this process leads now; tries to when nobody does."""
        try:
            if self.session is None:
                self.session, self.holds = self.connect(self.url, "escrow-desk cron"), False
            if self.holds:
                self.session.execute("select 1")
            else:
                self._try(self.session)
        except psycopg.Error as error:
            log.warning("lock lost", why=str(error)[:200])
            self.leave()
        return self.holds

    def _try(self, session: psycopg.Connection[Any]) -> None:
        got = session.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        self.holds = bool(got and got[0])
        self.waited = 0 if self.holds else self.waited + 1
        if self.holds:
            log.info("leads")
        elif self.waited > SILENT_SECONDS and self.waited % SILENT_SECONDS == 1:
            self._end_silent(session)

    def _end_silent(self, session: psycopg.Connection[Any]) -> None:
        silent = session.execute(_SILENT, (SILENT_SECONDS,)).fetchone()
        holder = session.execute(_HOLDER, (LOCK,)).fetchone()
        if silent and silent[0] and holder:
            log.warning("the leader is silent, its session is ended", backend=holder[0])
            session.execute("select pg_terminate_backend(%s)", (holder[0],))

    def leave(self) -> None:
        """Give the lock up; the session ends with it."""
        if self.session is not None:
            self.session.close()
        self.session, self.holds = None, False
