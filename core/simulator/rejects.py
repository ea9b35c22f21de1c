"""The reject file: lines that could not go in, each with its number, a code and the reason."""

from __future__ import annotations

import csv
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TextIO

from core.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from core.simulator.rows import Reject

HEADER = ("line", "code", "reason", "row")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class RejectFile:
    """Writes rejects as they come; the file appears with the first, and an older one goes if none comes."""

    def __init__(self, path: Path) -> None:
        """Take the path; nothing is written yet."""
        self.path = path
        self.written = 0
        self._file: TextIO | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; after a run to the end without a reject, an older run's file is gone."""
        if self._file is not None:
            self._file.close()
        elif kind is None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)

    def add(self, reject: Reject) -> None:
        """Write one reject. Refuses with `bad_input` when the file cannot be written."""
        try:
            if self._file is None:
                self._file = self.path.open("w", encoding="utf-8", newline="")
                self._writer = csv.writer(self._file)
                self._writer.writerow(HEADER)
            self._writer.writerow((reject.line, reject.code, reject.reason, _as_text(reject.text)))
            self._file.flush()
        except OSError as fault:
            raise BadInput(
                f"the reject file {self.path} cannot be written ({fault.strerror}); choose one by --rejects",
                file=str(self.path),
            ) from fault
        self.written += 1


def _as_text(cell: str) -> str:
    """Return the cell so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
