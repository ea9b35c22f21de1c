"""A written name brought to comparable words: plain Latin letters, no titles, and what its script tells."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

from anyascii import anyascii

_FORMS: Final = json.loads(resources.files("core.names").joinpath("forms.json").read_text("utf-8"))
_TITLES: Final = frozenset(_FORMS["titles"].split()) | frozenset(_FORMS["company_forms"].split())
_PARTICLES: Final = frozenset(_FORMS["particles"].split())
_SUFFIX_TITLES: Final = tuple(_FORMS["suffix_titles"])
_HANGUL_SURNAMES: Final[dict[str, str]] = _FORMS["hangul_surnames"]
# Pairs of characters, the older form first: a person may write either.
_HAN_FORMS: Final = str.maketrans(_FORMS["han_variants"][0::2], _FORMS["han_variants"][1::2])

_LONGEST: Final = 256  # characters looked at; no bank sends a longer name
_MOST_WORDS: Final = 16
_HEAVIEST: Final = 8
# Removed without a trace: apostrophes, invisible and direction marks, accents and vowel points written apart.
_TRACELESS: Final = re.compile(
    r"['’`ʼ\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]",
)
_GAPS: Final = frozenset("ZPSC")  # blanks, punctuation, symbols, controls, by Unicode's categories
_NOT_PLAIN: Final = re.compile(r"[^a-z0-9]+")
_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff々〆]")
_SYLLABLE: Final = re.compile(r"[\uac00-\ud7a3]")
_VOWELLESS: Final = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_LATIN: Final = re.compile(r"[A-Za-z\u00c0-\u024f]")
_LOOKALIKE: Final = re.compile(r"[\u0370-\u058f]")  # Greek, Cyrillic and Armenian
_VOWELS: Final = re.compile(r"[aeiouyvw]")
_DOUBLES: Final = re.compile(r"(.)\1+")
_KOREAN: Final = (("yeo", "yu"), ("eo", "u"), ("oo", "u"), ("ee", "i"), ("ch", "j"), ("ck", "k"))
_KOREAN_LETTERS: Final = str.maketrans("kptl", "gbdr", "wy")


def _by_spelling(groups: list[str]) -> dict[str, str]:
    return {word: group.split()[0] for group in groups for word in group.split()}


_SPELLINGS: Final = _by_spelling(_FORMS["spellings"])
_DIALECTS: Final = _by_spelling(_FORMS["dialects"])


@dataclass(frozen=True, slots=True)
class Name:
    """A name as words of a-z and 0-9 with their weights, and what its script tells.

    `han` are its characters if it is written in Chinese characters only; `hangul`, `vowelless` (Arabic,
    Hebrew) and `mixed` (a word with letters of two scripts that look alike) are facts about the writing.
    """

    words: tuple[str, ...]
    weights: tuple[int, ...]
    han: str = ""
    hangul: bool = False
    vowelless: bool = False
    mixed: bool = False


@lru_cache(maxsize=65_536)
def normalise(name: str) -> Name:
    """Return the name as comparable words; one without letters or digits has none."""
    text = unicodedata.normalize("NFKC", name[:_LONGEST])
    text = _without_suffix(_TRACELESS.sub("", text).strip())
    parts = "".join(" " if unicodedata.category(letter)[0] in _GAPS else letter for letter in text).split()
    words = [word for part in parts for word in _words(part)]
    kept = [word for word in words if word not in _TITLES] or words
    whole = "".join(parts).translate(_HAN_FORMS)
    return Name(
        words=tuple(kept[:_MOST_WORDS]),
        weights=tuple(_weight(word) for word in kept[:_MOST_WORDS]),
        han=whole if whole and all(_HAN.match(letter) for letter in whole) else "",
        hangul=_SYLLABLE.search(whole) is not None,
        vowelless=_VOWELLESS.search(whole) is not None,
        mixed=any(_LATIN.search(part) and _LOOKALIKE.search(part) for part in parts),
    )


def _without_suffix(text: str) -> str:
    """Return the text without an honorific that is written after the name (先生, 様, 씨)."""
    for title in _SUFFIX_TITLES:
        if text.endswith(title) and len(text) > len(title) + 1:
            return text[: -len(title)]
    return text


def _words(part: str) -> list[str]:
    """Return the words of a part between gaps: each Chinese or Korean syllable, and the rest whole."""
    if not (_HAN.search(part) or _SYLLABLE.search(part)):
        return _plain(anyascii(part))
    words: list[str] = []
    rest = ""
    for place, letter in enumerate(part):
        if _HAN.match(letter) or _SYLLABLE.match(letter):
            words += _plain(anyascii(rest)) if rest else []
            rest = ""
            surname = _HANGUL_SURNAMES.get(letter) if place == 0 else None
            words += [surname] if surname else _plain(anyascii(letter))
        else:
            rest += letter
    return words + (_plain(anyascii(rest)) if rest else [])


def _plain(text: str) -> list[str]:
    """Return one word of a-z and 0-9, or none."""
    word = _NOT_PLAIN.sub("", text.lower())
    return [word] if word else []


def _weight(word: str) -> int:
    return 1 if word in _PARTICLES else min(len(word), _HEAVIEST)


def spelling_of(word: str) -> str:
    """Return the first of the usual spellings of the same name, or the word itself."""
    return _SPELLINGS.get(word, word)


def dialect_of(word: str) -> str:
    """Return the surname in Mandarin of which the word is a dialect's reading, or the word itself."""
    return _DIALECTS.get(word, word)


def skeleton(word: str) -> str:
    """Return the consonants, doubled ones once: all that a script without vowels keeps."""
    hard = word.replace("kh", "k").replace("ch", "k").replace("c", "k")
    return _DOUBLES.sub(r"\1", _VOWELS.sub("", hard))


def vowels_agree(one: str, two: str) -> bool:
    """Return whether the long vowels a vowelless script does write (y, w) have a counterpart in the other."""
    return all(
        written not in here or any(letter in there for letter in heard)
        for here, there in ((one, two), (two, one))
        for written, heard in (("y", "yeij"), ("w", "wouv"))
    )


def folded(word: str, *, korean: bool = False) -> str:
    """Return the word with spellings of one sound made equal: ae, oe, ue, and the ways to write Korean."""
    if not korean:
        return word.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    for written, sound in _KOREAN:
        word = word.replace(written, sound)
    return word.translate(_KOREAN_LETTERS)
