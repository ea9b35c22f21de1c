"""A tile's table as one component of the page, however many rows it has; drawn by `assets/rows.js`.

Dash asks every component of a page at every change of anything. A table of a component for each cell makes thousands
of them, and the page stands still for seconds whenever its figures are asked for again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dash.development.base_component import Component

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboards.parts import Cell, Head, Table


class Rows(Component):
    """One table: heads as [label, numeric], rows and the total as [text, href]; `more` says what is left out."""

    _children_props: ClassVar[list[str]] = []
    _base_nodes: ClassVar[list[str]] = []
    _namespace = "dashboards"
    _type = "Rows"
    _prop_names: ClassVar[list[str]] = ["caption", "heads", "rows", "total", "more"]
    _valid_wildcard_attributes: ClassVar[list[str]] = []
    available_properties = _prop_names
    available_wildcard_properties: ClassVar[list[str]] = []

    def __init__(self, caption: str, table: Table, shown: int, more: str) -> None:
        """Hold the first `shown` rows of the table."""
        super().__init__(
            caption=caption,
            heads=[[str(head.label), head.numeric] for head in table.heads],
            rows=[_said(table.heads, row) for row in table.rows[:shown]],
            total=_said(table.heads, table.total) if table.total else [],
            more=more,
        )


def _said(heads: Sequence[Head], row: Sequence[Cell]) -> list[list[str]]:
    return [[str(cell.text), cell.href] for _head, cell in zip(heads, row, strict=True)]
