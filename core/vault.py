"""Sealed fields: account numbers encrypted with a named key, found again by a blind index, shown masked."""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import BadInput, Unavailable
from core.settings import Settings, settings

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_SHOWN = 4


class _Ring(NamedTuple):
    writes: str
    ciphers: dict[str, AESGCM]
    blind_key: bytes


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
            blind_key=hmac.digest(oldest, b"escrow-desk blind index 1", "sha256"),
        )
        _Kept.of = present
    return _Kept.ring


def normalise_account(text: str) -> str:
    """Return an account number as it is compared: letters and digits only, upper case."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isalnum()).upper()


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
    return hmac.digest(_ring().blind_key, normalise_account(text).encode(), hashlib.sha256)


def mask_account(text: str) -> str:
    """Return the account number as people may see it, `•• 8812`: its end, never more than half."""
    plain = normalise_account(text)
    return f"•• {plain[len(plain) - min(_SHOWN, len(plain) // 2) :]}"
