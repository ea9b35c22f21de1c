"""Sealed fields: account numbers encrypted with a named key, found by a blind index; personal data shown masked."""

from __future__ import annotations

import hmac
import os
import re
import unicodedata
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import BadInput, Unavailable
from core.settings import Settings, settings

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_SHOWN = 4
_LONG_ACCOUNT, _SHORT_ACCOUNT = 8, 5
_LONG_NAME, _LONG_INITIAL = 4, 3
_MASKED, _DOTS = "••", "•••••"
_TRIM = re.compile(r"^[\W_]+|[\W_]+$")


class _Ring(NamedTuple):
    writes: str
    ciphers: dict[str, AESGCM]
    blind: hmac.HMAC


class _Kept:
    """The ring made from the settings in force, so that keys are read and derived once."""

    of: Settings | None = None
    ring: _Ring | None = None


def _ring() -> _Ring:
    present = settings()
    if _Kept.ring is None or _Kept.of is not present:
        keys = present.field_keys
        # The last key is the oldest: a new key put in front of it does not move the blind index,
        # so accounts stay findable. Dropping the oldest key needs every index to be made again.
        oldest = list(keys.values())[-1]
        _Kept.ring = _Ring(
            writes=next(iter(keys)),
            ciphers={name: AESGCM(key) for name, key in keys.items()},
            blind=hmac.new(hmac.digest(oldest, b"escrow-desk blind index 1", "sha256"), digestmod="sha256"),
        )
        _Kept.of = present
    return _Kept.ring


def normalise_account(text: str) -> str:
    """Return an account number as it is compared: letters and digits only, upper case."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return plain.upper() if plain.isalnum() else "".join(filter(str.isalnum, plain)).upper()


def seal(text: str) -> bytes:
    """Return `text` encrypted with the writing key (AES-256-GCM, fresh nonce, key id in front)."""
    ring = _ring()
    name = ring.writes.encode()
    head = _FORMAT + bytes([len(name)]) + name
    nonce = os.urandom(_NONCE_BYTES)
    return head + nonce + ring.ciphers[ring.writes].encrypt(nonce, text.encode(), head)


def open_(sealed: bytes) -> str:
    """Return what was sealed.

    Raises Unavailable when the key that sealed it is not among the settings, BadInput when the bytes
    were changed or are not ours.
    """
    sealed = bytes(sealed)
    if sealed[:1] != _FORMAT or len(sealed) < 2:  # noqa: PLR2004 - format and length of the key's name
        raise BadInput("this is not a sealed field")
    end = 2 + sealed[1]
    head, nonce, body = sealed[:end], sealed[end : end + _NONCE_BYTES], sealed[end + _NONCE_BYTES :]
    name = head[2:].decode(errors="replace")
    cipher = _ring().ciphers.get(name)
    if cipher is None:
        raise Unavailable(f"the field key '{name}' is not among DESK_FIELD_KEY; add it to read this", key_id=name)
    try:
        return cipher.decrypt(nonce, body, head).decode()
    except (InvalidTag, ValueError) as error:
        raise BadInput("the sealed field was changed and cannot be opened") from error


def blind(text: str) -> bytes:
    """Return the 32-byte index of an account number: equal for equal numbers, telling nothing about them."""
    # A copy of the keyed start: looking the algorithm up again for each number costs ten times the hash.
    keyed = _ring().blind.copy()
    keyed.update(normalise_account(text).encode())
    return keyed.digest()


def mask_account(text: str) -> str:
    """Return the account number as people may see it: `•• 8812`; of a short one less, so that it is not guessed."""
    if text.startswith(_MASKED):
        return text
    plain = normalise_account(text)
    shown = _SHOWN if len(plain) >= _LONG_ACCOUNT else 1 if len(plain) >= _SHORT_ACCOUNT else 0
    return f"{_MASKED} {plain[-shown:]}" if shown else 2 * _MASKED


def mask_name(text: str) -> str:
    """Return a name as people may see it: `Joao S•••••`, of a short one its first letter at most: `B•••••`.

    The dots are always five, so that a length is not told. A first name of less than four letters, and a name
    written as one word, show one letter; a name of one letter shows none.
    """
    words = _lettered(text)
    if sum(len(_letters(word)) for word in words) < 2:  # noqa: PLR2004 - one letter is the whole name
        return _DOTS
    first = words[0]
    if len(words) == 1 or len(_letters(first)) < _LONG_NAME:
        return f"{_first(first)}{_DOTS}"
    return f"{first} {_first(words[-1]) if len(_letters(words[-1])) >= _LONG_INITIAL else ''}{_DOTS}"


def mask_initials(text: str) -> str:
    """Return the first letters of the first and the last word: `X••• W•••`; words of one letter show none."""
    words = _lettered(text)
    ends = [words[0], words[-1]] if len(words) > 1 else words
    shown = [f"{_first(word) if len(_letters(word)) > 1 else ''}•••" for word in ends]
    return " ".join(shown) or _DOTS


def _letters(word: str) -> list[str]:
    return [each for each in word if each.isalnum()]


def _lettered(text: str) -> list[str]:
    """Return the words that hold a letter or digit, without the marks around them."""
    found = unicodedata.normalize("NFC", text).split()
    return [_TRIM.sub("", word) for word in found if _letters(word)]


def _first(word: str) -> str:
    """Return the first letter with the marks that stand on it."""
    end = 1
    while end < len(word) and unicodedata.category(word[end]) in {"Mn", "Mc"}:
        end += 1
    return word[:end]
