"""Reading what merchants send about an order: lines of text, account numbers, times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from core import ids, vault, words
from core.errors import BadInput, sentence

LONGEST: Final = {
    "merchant_order_id": 64,
    "customer.id": 64,
    "customer.name": 140,
    "payer.name": 140,
    "payer.account": 64,
}
ACCOUNT: Final = (4, 40)
"""So few and so many letters and digits a payer's account number has; what stands between them does not count."""
_NAMES: Final = frozenset({"customer.name", "payer.name"})


def text(value: object, field: str, *, longest: int = 0) -> str:
    """Return a line of text without its outer blanks, else refuse with `bad_input` that names the field."""
    if longest:
        return words.line(value, field, longest=longest)
    read = words.name if field in _NAMES else words.exact
    return read(value, field, longest=LONGEST[field])


def account_number(value: object) -> str:
    """Return a payer's account number in the form it is compared, else refuse with `bad_input`."""
    plain = vault.normalise_account(text(value, "payer.account"))
    least, most = ACCOUNT
    if not (least <= len(plain) <= most and plain.isascii()):
        raise BadInput(
            sentence("payer.account has %(least)s to %(most)s letters and digits", least=least, most=most),
            field="payer.account",
        )
    return plain


def moment_of(value: object, field: str) -> datetime | None:
    """Return a time with its zone in UTC, None for none given, else refuse with `bad_input` that names the field."""
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise BadInput(sentence("%(field)s needs a time zone", field=field), field=field)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise BadInput(
            sentence("%(field)s lies beyond the years that can be stored", field=field), field=field
        ) from None


def payer_facts(account: str, blind: bytes) -> dict[str, object]:
    """Return a payer account as it is stored: sealed, findable by its blind index, masked for the screen."""
    return {
        "payer_ref": ids.new("pay"),
        "payer_blind": blind,
        "payer_sealed": vault.seal(account),
        "payer_masked": vault.mask_account(account),
    }
