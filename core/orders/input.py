"""Reading what merchants send about an order: lines of text and account numbers."""

from __future__ import annotations

from typing import Final

from core import ids, vault, words
from core.errors import BadInput

_LONGEST: Final = {
    "merchant_order_id": 64,
    "customer.id": 64,
    "customer.name": 140,
    "payer.name": 140,
    "payer.account": 64,
}
_ACCOUNT: Final = (4, 40)
_NAMES: Final = frozenset({"customer.name", "payer.name"})


def text(value: object, field: str, *, longest: int = 0) -> str:
    """Return a line of text without its outer blanks, else refuse with `bad_input` that names the field."""
    if longest:
        return words.line(value, field, longest=longest)
    read = words.name if field in _NAMES else words.exact
    return read(value, field, longest=_LONGEST[field])


def account_number(value: object) -> str:
    """Return a payer's account number in the form it is compared, else refuse with `bad_input`."""
    plain = vault.normalise_account(text(value, "payer.account"))
    if not (_ACCOUNT[0] <= len(plain) <= _ACCOUNT[1] and plain.isascii()):
        raise BadInput(f"payer.account has {_ACCOUNT[0]} to {_ACCOUNT[1]} letters and digits", field="payer.account")
    return plain


def payer_facts(account: str, blind: bytes) -> dict[str, object]:
    """Return a payer account as it is stored: sealed, findable by its blind index, masked for the screen."""
    return {
        "payer_ref": ids.new("pay"),
        "payer_blind": blind,
        "payer_sealed": vault.seal(account),
        "payer_masked": vault.mask_account(account),
    }
