"""Writing an export that was asked for: the report's own writer fills a new file, whole or not at all."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

from core.reports import leases, requests
from core.reports.files import FORMATS, digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from core.actor import Actor

    Writer = Callable[[Actor, dict[str, Any], Path, Callable[[int], None]], int]

WRITERS: Final = {
    "commission": "core.reports.commission:write_export",
    "orders": "core.reports.orders:write_export",
}
"""The function that writes each kind: takes the actor, the filters, the file's path and whom to tell how many
rows are done; returns how many there are."""


class Written(NamedTuple):
    """A finished file."""

    path: Path
    rows: int
    sha256: str


def write(work: requests.Work) -> Written:
    """Write the file of an export and return it.

    It is written beside its place and moved there at the end, so that half a file is never opened. Raises
    WrongState when the export was cancelled meanwhile, or what its writer refuses.
    """
    module, _, function = WRITERS[work.kind].partition(":")
    writer: Writer = getattr(import_module(module), function)
    kind = work.filters.get("format", "csv")
    ending = kind if kind in FORMATS else "csv"
    path = requests.folder() / f"{work.ref}.{ending}"
    half = path.with_name(f"{work.ref}.{work.attempt}.part")
    try:
        with leases.kept(work):
            rows = writer(work.actor, work.filters, half, lambda count: requests.progress(work, count))
            sha256 = digest(half)
        requests.progress(work, rows)  # whoever lost its lease must not replace the file of who has it
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return Written(path, rows, sha256)
