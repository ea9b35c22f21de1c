"""How the terminal says how many of something there are: in English, one of it without an s."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with what it counts, such as "1 row" or "1,204 rows"; `many` where it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
