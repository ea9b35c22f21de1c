"""The words a desk is written in: a column says what it shows and how; drawn on screen or plain in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from markupsafe import Markup, escape

from core.money import Money, asset
from core.reports.files import defused
from portal import format as show

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask_babel import LazyString


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list and one fact of a page.

    kind: text, ref, badge, money, ago, when, left, number, share, account, person, flag.
    asset: for money, a code in capitals or the name of the row's column that holds the code.
    narrow: what becomes of it at 360 px: state and amount lead, ref follows, or "" for a labelled line.
    """

    name: str
    label: LazyString | str
    kind: str = "text"
    asset: str = ""
    under: Column | None = None
    narrow: str = ""
    wrap: bool = False
    href: str = ""
    """For refs: the address of the thing, with {} for the reference."""
    named: bool = False
    """Whether it says its label where it is the second line: another amount beside the first one."""
    personal: bool = False
    """Personal data: masked everywhere but in a file that who may reveal asks for with a reason."""

    @property
    def right_aligned(self) -> bool:
        """Whether figures line up at the end."""
        return self.kind in {"money", "number", "share", "left"}

    @property
    def css(self) -> str:
        """The classes of its cells."""
        parts = ("num" if self.right_aligned else "", "wrap" if self.wrap else "", f"n-{self.narrow}")
        return " ".join(part for part in parts if part not in {"", "n-"})


def needed_names(columns: tuple[Column, ...]) -> list[str]:
    """Return the row attributes these columns read, each once, in order."""
    names: list[str] = []
    for column in columns:
        names.append(column.name)
        if column.kind == "money" and not column.asset.isupper():
            names.append(column.asset)
        if column.under is not None:
            names += needed_names((column.under,))
    return list(dict.fromkeys(names))


def code_of(row: Any, column: Column) -> str:
    """Return the code of the asset a money column of this row is counted in."""
    return column.asset if column.asset.isupper() else str(getattr(row, column.asset))


def draw(row: Any, column: Column) -> Markup:
    """Return the cell for the screen, the second line included."""
    first = _DRAWN[column.kind](row, column, getattr(row, column.name))
    if column.under is None:
        return escape(first)
    name = Markup("%s ") % column.under.label if column.under.named else ""
    # With its name it is too long for the rest of a narrow line.
    style = "sub whole" if column.under.named else "sub"
    return Markup('%s<span class="%s">%s%s</span>') % (
        first,
        style,
        name,
        draw(row, column.under),
    )


def _text(_row: Any, _column: Column, value: Any) -> str | Markup:
    return show.NONE if value in {None, ""} else str(value)


def _ref(_row: Any, column: Column, value: Any) -> Markup:
    return show.ref(value, column.href.format(value) if column.href and value else "")


_DRAWN: dict[str, Callable[[Any, Column, Any], Any]] = {
    "text": _text,
    "ref": _ref,
    "badge": lambda _r, _c, value: show.badge(value),
    "money": lambda row, column, value: show.money(value, code_of(row, column)),
    "ago": lambda _r, _c, value: show.ago(value),
    "when": lambda _r, _c, value: show.when(value),
    "left": lambda _r, _c, value: show.left(value),
    "number": lambda _r, _c, value: show.number(value),
    "share": lambda _r, _c, value: show.share(value),
    "account": lambda _r, _c, value: show.mask_account(value),
    "person": lambda _r, _c, value: show.mask_name(value),
    "flag": lambda _r, _c, value: _("yes") if value else _("no"),
}


_PLAIN: dict[str, Callable[[Any, Column, Any], str]] = {}


def kind(
    name: str, drawn: Callable[[Any, Column, Any], Any], plain: Callable[[Any, Column, Any], str] | None = None
) -> None:
    """Let a desk draw a kind of column in its own way: `drawn` gets row, column and value, and returns the cell.

    `plain` gets the same and returns its text in a file, where the value itself does not say what the cell does.
    """
    _DRAWN[name] = drawn
    if plain is not None:
        _PLAIN[name] = plain


def heads(column: Column) -> list[str]:
    """Return the column's headings in a file: money has a second one for the currency, a share says its unit."""
    own = [str(column.label)]
    if column.kind == "money":
        own.append(f"{column.label} ({_('currency')})")
    elif column.kind == "share":
        own = [f"{column.label} ({_('bps')})"]  # a file holds the whole number, the screen per cent
    return own + (heads(column.under) if column.under else [])


def plain(row: Any, column: Column, *, reveal: bool) -> list[str]:
    """Return the cell's plain texts for a file: exact, UTC, no formula, masked unless `reveal`."""
    value = getattr(row, column.name)
    under = plain(row, column.under, reveal=reveal) if column.under else []
    if column.kind in _PLAIN:
        return [defused(_PLAIN[column.kind](row, column, value)), *under]
    if column.kind == "money":
        code = code_of(row, column)
        return [*([Money(value, asset(code)).text(), code] if value is not None else ["", code]), *under]
    if column.kind == "number":
        return ["" if value is None else str(value), *under]
    if isinstance(value, datetime):
        return [value.astimezone(UTC).isoformat(timespec="seconds"), *under]
    if column.personal and not reveal:
        value = show.mask_account(value) if column.kind == "account" else show.mask_name(value)
    return [defused("" if value is None else str(value)), *under]


@dataclass(frozen=True, slots=True)
class Sum:
    """A money column whose filtered rows are added up in the list's footer, per asset.

    `once`: a column, such as the order's number, of whose rows with the same value only one is added.
    """

    name: str
    asset: str
    label: LazyString | str
    once: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """A one-click filter above the list: its label and the query arguments it stands for."""

    label: LazyString | str
    args: dict[str, str] = field(default_factory=dict)
