"""A writer's lease of an export, renewed by a thread of its own as long as the writing goes on."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from core.errors import Refusal
from core.reports import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

RENEW_SECONDS: Final = 10
"""How often a lease is renewed: three times may fail before it ends."""


@contextmanager
def kept(work: requests.Work) -> Iterator[None]:
    """Keep the lease of an export until the block ends, however long its writer says nothing.

    A process that is killed renews nothing, so its export is another writer's soon. A lease that was lost, or whose
    export was cancelled, is not fetched back: the writer learns of it where it says how far it is.
    """
    ended = threading.Event()
    thread = threading.Thread(target=_renew, args=(work, ended), name=f"lease of {work.ref}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(RENEW_SECONDS)


def _renew(work: requests.Work, ended: threading.Event) -> None:
    while not ended.wait(RENEW_SECONDS):
        with suppress(Refusal):  # the database is away: as long as the lease lasts, it is asked again
            if not requests.renew(work):
                return
