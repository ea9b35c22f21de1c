"""The reject file: lines that could not go in, each with its number, a code and the reason."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, Self, TextIO

from core.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from core.simulator.rows import Reject

HEADER = ("line", "code", "reason", "row")
_FIRST = ",".join(HEADER).encode()
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class RejectFile:
    """Writes rejects as they come; there is a file from the first one on, and never an empty one.

    Whether one can be written is tried at the beginning, so that nothing goes in while bad lines could not be told.
    """

    def __init__(self, path: Path, *, beside: Path) -> None:
        """Take the path and that of the file that is read; nothing is written yet."""
        self.path = path
        self.beside = beside
        self.written = 0
        self._file: TextIO | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        """Take an older reject file away. Refuses with `bad_input` where anything else is, or none can be written."""
        try:
            if self.path.exists() and not self._is_ours():
                raise BadInput(f"{self.path} is no reject file: choose another by --rejects", file=str(self.path))
            self.path.open("w", encoding="utf-8").close()
            self.path.unlink()
        except OSError as fault:
            raise self._refusal(fault) from fault
        return self

    def _is_ours(self) -> bool:
        """Return whether the file there is one that an earlier run wrote (or was about to)."""
        if not self.path.is_file() or self.path.samefile(self.beside):
            return False
        with self.path.open("rb") as file:
            start = file.read(len(_FIRST))
        return _FIRST.startswith(start)

    def _refusal(self, fault: OSError) -> BadInput:
        return BadInput(
            f"the reject file {self.path} cannot be written ({fault.strerror}); choose one by --rejects",
            file=str(self.path),
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def add(self, reject: Reject) -> None:
        """Write one reject. Refuses with `bad_input` when the file cannot be written."""
        try:
            file = self._file or self._begun()
            self._writer.writerow((reject.line, reject.code, reject.reason, _as_text(reject.text)))
            file.flush()
        except OSError as fault:
            raise self._refusal(fault) from fault
        self.written += 1

    def _begun(self) -> TextIO:
        """Begin the file; what somebody else has put there since the beginning is not written over."""
        self._file = self.path.open("x", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(HEADER)
        return self._file


def _as_text(cell: str) -> str:
    """Return the cell so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
