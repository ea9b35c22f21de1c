"""Countries: the two letters of ISO 3166-1, read and refused in this one place."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import pycountry

from core.errors import BadInput, sentence

_LETTERS: Final = 2


@lru_cache(maxsize=1024)
def known(code: str) -> bool:
    """Return whether these two capital letters are a country's code."""
    shaped = len(code) == _LETTERS and code.isascii() and code.isupper()
    return shaped and pycountry.countries.get(alpha_2=code) is not None


def read(value: object, field: str) -> str:
    """Return a country's code in capital letters, or "" for none given, else refuse with `bad_input`."""
    if value is None or value == "":
        return ""
    code = value.upper() if isinstance(value, str) and value.isascii() and len(value) == _LETTERS else ""
    if not known(code):
        shown = str(value)[:8] if isinstance(value, str) and value.isprintable() else type(value).__name__
        raise BadInput(
            sentence(
                "%(field)s: '%(shown)s' is not a country's two letters (ISO 3166-1, for example BR)",
                field=field,
                shown=shown,
            ),
            field=field,
        )
    return code
