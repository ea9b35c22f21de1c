"""The CSV file of one tile: exactly its table, safe to open, with a footer that says what it is; each is audited."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from core import audit, clock
from core.db import transaction

if TYPE_CHECKING:
    from core.actor import Actor
    from dashboards.asked import Asked
    from dashboards.parts import Drawn

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?\Z")


def csv_of(actor: Actor, name: str, title: str, question: Asked, drawn: Drawn) -> dict[str, str]:
    """Return the file for the browser; who took it is written to the trail first, or there is no file."""
    moment = clock.now()
    with transaction() as tx:
        audit.write(tx, actor, "dashboard.exported", name, details={"filter": question.words(), "format": "csv"})
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    table = drawn.table
    writer.writerow([defused(head.label) for head in table.heads])
    writer.writerows([defused(cell.value) for cell in row] for row in table.rows)
    if table.total:
        writer.writerow([defused(cell.value) for cell in table.total])
    for label, value in (
        (_("rows"), str(len(table.rows))),
        (_("figure"), title),
        (_("filter"), question.words()),
        (_("made by"), f"{actor.name} ({actor.role})"),
        (_("made at"), f"{moment:%Y-%m-%d %H:%M:%S} UTC"),
    ):
        writer.writerow([f"# {label}", defused(value)])
    body = text.getvalue()
    # The digest covers every byte of the file before this line, but for the mark of UTF-8.
    writer.writerow(["# sha256", hashlib.sha256(body.encode()).hexdigest()])
    return {
        "content": "\ufeff" + text.getvalue(),
        "filename": f"{name}-{question.first}-{question.last}.csv",
        "type": "text/csv;charset=utf-8",
    }


def defused(text: str) -> str:
    """Return the text so that a spreadsheet does not run it as a formula; numbers stay numbers."""
    if text[:1] in {"=", "+", "-", "@", "\t", "\r"} and not _NUMBER.match(text):
        return f"'{text}"
    return text
