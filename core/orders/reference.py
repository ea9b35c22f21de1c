"""Payment references: what the customer writes into the transfer, with a check character."""

from __future__ import annotations

from core import chance, ids
from core.errors import BadInput

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 8
_PREFIX = "ED"
_DOUBLED = {letter: sum(divmod(2 * value, len(_ALPHABET))) for value, letter in enumerate(_ALPHABET)}
"""What a letter counts for in every second place: the digits of its double, added up."""


def _check(body: str) -> str:
    """Return the check character of `body` (Luhn's algorithm modulo 32, ISO/IEC 7812-1 annex B in base 32)."""
    total = sum(map(_DOUBLED.__getitem__, body[::-2])) + sum(map(_ALPHABET.index, body[-2::-2]))
    return _ALPHABET[-total % len(_ALPHABET)]


def new() -> str:
    """Return a fresh payment reference, for example `ED7K2M9QX4R`."""
    body = ids.letters(chance.bits(5 * _LENGTH))
    return f"{_PREFIX}{body}{_check(body)}"


def read(text: str) -> str:
    """Return the reference found in `text` in its written form, else refuse with `bad_input`.

    Spaces, hyphens and case do not matter; O is read as 0, I and L as 1.
    """
    plain = text.upper().replace(" ", "").replace("-", "")
    body = plain.removeprefix(_PREFIX).translate(str.maketrans("OIL", "011"))
    if len(body) != _LENGTH + 1 or any(c not in _ALPHABET for c in body) or _check(body[:-1]) != body[-1]:
        message = f"'{text[:40]}' is not a payment reference; one looks like ED7K2M9QX4R"
        raise BadInput(message, reference=text[:40])
    return _PREFIX + body


def shaped(text: str) -> bool:
    """Whether a text is a whole payment reference, as it is stored."""
    try:
        return read(text) == text
    except BadInput:
        return False
