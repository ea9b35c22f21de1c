"""Reading the number of a bank account: an IBAN by its check digits, anything else by its shape."""

from __future__ import annotations

import re
import unicodedata

from core.errors import BadInput, sentence

_SEPARATORS = str.maketrans("", "", " -./")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_PLAIN = re.compile(r"[A-Z0-9]{4,34}")


def read(text: str) -> str:
    """Return the number as it is stored: upper case, without spaces, dashes, dots and slashes.

    Raises BadInput when it is not 4 to 34 letters and digits, or has the shape of an IBAN (ISO 13616) whose
    country, length or check digits are wrong.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_SEPARATORS).upper()
    if not _PLAIN.fullmatch(plain):
        raise BadInput(sentence("an account number is 4 to 34 letters and digits"), field="number")
    if _IBAN.fullmatch(plain):
        from schwifty import IBAN
        from schwifty.exceptions import SchwiftyException

        try:
            IBAN(plain)
        except SchwiftyException as error:
            raise BadInput(
                sentence("this looks like an IBAN, but its check digits or length are wrong"), field="number"
            ) from error
    return plain
