"""Words people type and others read: what hides, turns or breaks text is refused in this one place."""

from __future__ import annotations

import unicodedata
from typing import Final

from core.errors import BadInput, sentence


def N_(text: str) -> str:  # noqa: N802 - the name that collectors of words for translation know
    """Mark words of the core for the catalogues and return them as they are; screens translate them when shown."""
    return text


_HARMFUL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control and format characters (NUL, U+202E, U+200B …), halves, private and unassigned ones, line separators."""
_BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that are drawn as nothing."""
_JOINERS: Final = dict.fromkeys((0x200C, 0x200D))
"""Persian, Indic and emoji writing joins letters by these; names compare and read without them."""
_STACK: Final = 4
"""So many marks may stand on one letter; more climb over the lines above and below."""
_BREAKS: Final = str.maketrans("\t\r\n", "   ")
_LETTERS: Final = 2
"""So many different letters make a word."""
LEAST_REASON: Final = 5
"""So many characters every reason has: who reads it later has only this."""


def line(value: object, field: str, *, longest: int, least: int = 1) -> str:
    """Return one line of text; ends of lines become blanks, blanks at its ends are cut and runs of them made one.

    Refuses with `bad_input` that names the field, and the character that is at fault.
    """
    return _sized(_joined(_text(value, field).translate(_BREAKS), field), field, least, longest)


def name(value: object, field: str, *, longest: int) -> str:
    """Return a person's or firm's name, one line; the joiners that some scripts write with are left out."""
    text = _text(value, field)
    return _sized(_joined(text if text.isascii() else text.translate(_JOINERS), field), field, 1, longest)


def exact(value: object, field: str, *, longest: int) -> str:
    """Return somebody's own number or code: nothing within it is changed, blanks at its ends are cut."""
    return _sized(_harmless(_text(value, field).strip(" "), field), field, 1, longest)


def prose(value: object, field: str, *, longest: int, least: int = 1) -> str:
    """Return some lines of text, their ends made alike; joiners are left out, the rest is refused as in `line`."""
    text = _text(value, field).translate(_JOINERS).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    lines = [_harmless(each.rstrip(), field) for each in text.split("\n")]
    return _sized("\n".join(lines).strip(), field, least, longest)


def reason(
    value: object, *, longest: int, field: str = "reason", least: int = LEAST_REASON, lines: bool = False
) -> str:
    """Return why somebody decided something, on one line or some `lines`: not too short, and with a word in it.

    All reasons that are kept for the next reader are read here. Refuses with `bad_input` as `line` does, and what
    has no two different letters: dashes, digits, one letter again and again.
    """
    said = (prose if lines else line)(value, field, longest=longest, least=least)
    if len({each for each in said.casefold() if each.isalpha()}) < _LETTERS:
        raise BadInput(sentence("%(field)s has no word in it; say why", field=field), field=field)
    return said


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        missing = value is None
        raise BadInput(
            sentence("%(field)s is missing", field=field)
            if missing
            else sentence("%(field)s must be text", field=field),
            field=field,
        )
    return value


def _joined(text: str, field: str) -> str:
    if not text.isascii():
        text = "".join(" " if unicodedata.category(each) == "Zs" else each for each in text)
    return _harmless(" ".join(filter(None, text.split(" "))), field)


def _sized(text: str, field: str, least: int, longest: int) -> str:
    if not text:
        raise BadInput(sentence("%(field)s is missing", field=field), field=field)
    if not least <= len(text) <= longest:
        raise BadInput(
            sentence(
                "%(field)s is to have %(least)s to %(most)s characters, not %(n)s",
                field=field,
                n=len(text),
                least=least,
                most=longest,
            )
            if least > 1
            else sentence("%(field)s has %(n)s characters; at most %(most)s", field=field, n=len(text), most=longest),
            field=field,
            length=len(text),
        )
    return text


def _harmless(text: str, field: str) -> str:
    """Return the text if every character of it can be seen; refuse the first that cannot."""
    if text.isascii() and text.isprintable():
        return text
    marks = 0
    for place, each in enumerate(text, 1):
        kind = unicodedata.category(each)
        marks = marks + 1 if kind in {"Mn", "Me"} else 0
        if kind in _HARMFUL or each in _BLANK_LETTERS or marks > _STACK:
            raise BadInput(
                sentence(
                    "%(field)s has a character that hides, turns or breaks text: %(character)s at place %(place)s",
                    field=field,
                    character=f"U+{ord(each):04X}",
                    place=place,
                ),
                field=field,
                character=f"U+{ord(each):04X}",
                place=place,
            )
    return text
