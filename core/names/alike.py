"""How alike two written names of a person are: in any order, case and script, with the reckoning shown.

The score runs from 0 to 1000. Names are brought to words of plain Latin letters and the words are paired.
Fixed weights combine two figures: the paired words, and the letters written together (which catches
"Xiaoming" against "Xiao Ming"). Where both are written in Chinese characters, these are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from jellyfish import metaphone
from rapidfuzz.distance import OSA

from core.names.words import Name, dialect_of, folded, normalise, skeleton, spelling_of, vowels_agree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Name", "NameMatch", "normalise", "similarity"]

SAME: Final = 1000
# What a pair of words that is not equal counts for; calibrated on the table in tests/core/test_names.py.
_SPELLING: Final = 960  # one name by two usual spellings: Mohammed, Muhammad
_UMLAUT: Final = 960  # Müller, Mueller
_VOWELS: Final = 950  # a script without vowels against one with: محمد, Muhammad
_SOUND: Final = 850  # sounds the same, nearly the same letters: Smith, Smyth
_BEGINNING: Final = 850  # cut off by a form: Alexand, Alexander
_DIALECT: Final = 800  # may be the same name by another dialect: Chen, Tan
_INITIAL: Final = 700  # J, John
_NOTHING_BELOW: Final = 600  # fewer letters in common are chance
_LONG: Final = 4
_CUT: Final = 5
# The weight of left-over words: little if one name holds all words of the other and at least two agree.
_EXTRA_MILLI: Final = 350
_WORDS_MILLI: Final = 800
_TOGETHER_MILLI: Final = SAME - _WORDS_MILLI
_JOINED_SAME: Final = 985
_JOINED_CLOSE: Final = 900
_JOINED_LESS: Final = 60
_JOINED_SHORTEST: Final = 5
_SAME_SYLLABLE: Final = 600  # two characters read alike: 明, 鸣
_SURNAME_LAST: Final = 960
_DIGITS_DIFFER: Final = 700
_MIXED_SCRIPT: Final = 870
_SWAPPED_ENDS: Final = frozenset({("a", "o"), ("o", "a")})


@dataclass(frozen=True, slots=True)
class NameMatch:
    """How alike two names are (0 to 1000), the figures that made it, and the pairs of words in plain text."""

    score_milli: int
    features: Mapping[str, int]
    explain: tuple[str, ...]


_EQUAL: Final = NameMatch(SAME, {"equal": SAME}, ("written the same",))
_EMPTY: Final = NameMatch(0, {"equal": 0}, ("a name without letters cannot be compared",))


def similarity(first: str, second: str) -> NameMatch:
    """Return how alike two names are; the order of the two makes no difference to the score."""
    if first == second and first.isascii() and first[:1].isalpha():
        return _EQUAL
    return _compared(first, second) if first <= second else _compared(second, first)


@lru_cache(maxsize=16_384)
def _compared(first: str, second: str) -> NameMatch:
    one, two = normalise(first), normalise(second)
    if not one.words or not two.words:
        return _EMPTY
    if one == two or (not one.han and not two.han and sorted(one.words) == sorted(two.words)):
        return _limited(SAME, {"equal": SAME}, ["the same words"], one, two)
    if one.han and two.han:
        score = _characters(one.han, two.han)
        return _limited(score, {"characters": score}, [f"{one.han} against {two.han}: {score}"], one, two)
    words, pairs, contained = _paired(one, two)
    together = _together(one, two)
    score = (_WORDS_MILLI * words + _TOGETHER_MILLI * together) // SAME
    # A name that leaves words out, or a script that leaves vowels out, has other letters by nature.
    if contained or one.vowelless or two.vowelless:
        score = max(score, words)
    # Words cut at other places (Xiao Ming, Xiaoming) say nothing against a name whose letters agree.
    if together == SAME:
        score = max(score, _JOINED_SAME)
    elif together >= _JOINED_CLOSE and len(one.words) != len(two.words):
        score = max(score, together - _JOINED_LESS)
    return _limited(score, {"words": words, "together": together}, pairs, one, two)


def _limited(score: int, features: dict[str, int], explain: list[str], one: Name, two: Name) -> NameMatch:
    """Return the match after its upper limits: other digits, and letters of two scripts in one word."""
    if sorted(_digits(one)) != sorted(_digits(two)):
        score, explain = min(score, _DIGITS_DIFFER), [*explain, "the digits differ"]
    if one.mixed or two.mixed:
        score, explain = min(score, _MIXED_SCRIPT), [*explain, "a word mixes letters of two scripts"]
    return NameMatch(score, {**features, "score": score}, tuple(explain))


def _digits(name: Name) -> list[str]:
    return [word for word in name.words if any(letter.isdigit() for letter in word)]


def _characters(one: str, two: str) -> int:
    """Return how alike two names in Chinese characters are: each by its place, surname first or last."""
    if one == two:
        return SAME
    if len(one) != len(two):
        return SAME * OSA.similarity(one, two) // max(len(one), len(two))
    if any(one == turned for turned in _turns(two)):
        return _SURNAME_LAST
    read_one, read_two = (normalise(each).words for each in (one, two))
    points = sum(
        SAME if left == right else _SAME_SYLLABLE * (read_one[place] == read_two[place])
        for place, (left, right) in enumerate(zip(one, two, strict=True))
    )
    return points // len(one)


def _turns(text: str) -> list[str]:
    return [text[place:] + text[:place] for place in range(1, len(text))]


def _paired(one: Name, two: Name) -> tuple[int, list[str], bool]:
    """Return how alike the words are in their best pairs, the pairs, and whether one name holds the other."""
    vowelless = one.vowelless or two.vowelless
    ranked = sorted(
        (
            (-alike, left, right)
            for left, a in enumerate(one.words)
            for right, b in enumerate(two.words)
            if (alike := _word(a, b, vowelless=vowelless)) >= _NOTHING_BELOW
        ),
    )
    free_one, free_two = set(range(len(one.words))), set(range(len(two.words)))
    points = weight = agreed = 0
    pairs = []
    for minus_alike, left, right in ranked:
        if left in free_one and right in free_two:
            free_one.discard(left)
            free_two.discard(right)
            both = one.weights[left] + two.weights[right]
            points -= minus_alike * both
            weight += both
            agreed += len(one.words[left]) > 1 and len(two.words[right]) > 1
            pairs.append(f"{one.words[left]} with {two.words[right]}: {-minus_alike}")
    left_over = sum(one.weights[i] for i in free_one) + sum(two.weights[i] for i in free_two)
    if left_over:
        names = [one.words[i] for i in sorted(free_one)] + [two.words[i] for i in sorted(free_two)]
        pairs.append(f"left over: {', '.join(names)}")
    contained = agreed > 1 and bool(free_one) != bool(free_two)
    total = SAME * weight + (_EXTRA_MILLI if contained else SAME) * left_over
    return points * SAME // total, pairs, contained


@lru_cache(maxsize=65_536)
def _word(one: str, two: str, *, vowelless: bool) -> int:
    """Return how alike two words are, 0 to 1000."""
    if one == two:
        return SAME
    if spelling_of(one) == spelling_of(two):
        return _SPELLING
    if vowelless and skeleton(one) == skeleton(two) != "" and vowels_agree(one, two):
        return _VOWELS
    shorter, longer = sorted((one, two), key=len)
    if len(shorter) == 1:
        return _INITIAL if longer.startswith(shorter) else 0
    if dialect_of(one) == dialect_of(two):
        return _DIALECT
    return _letters(shorter, longer)


def _letters(shorter: str, longer: str) -> int:
    """Return how alike two words of different letters are; short words and numbers must be equal."""
    if len(shorter) < _LONG or any(letter.isdigit() for letter in shorter + longer):
        return 0
    if shorter[:-1] == longer[:-1] and (shorter[-1], longer[-1]) in _SWAPPED_ENDS:
        return 0  # Mario and Maria are two people
    if folded(shorter) == folded(longer):
        return _UMLAUT
    changed = OSA.distance(shorter, longer)
    alike = SAME - 2 * SAME * changed // len(longer)
    if len(shorter) >= _CUT and longer.startswith(shorter):
        alike = max(alike, _BEGINNING)
    if changed <= max(1, len(longer) // 3) and metaphone(shorter) == metaphone(longer):
        alike = max(alike, _SOUND)
    return max(alike, 0)


def _together(one: Name, two: Name) -> int:
    """Return how alike the letters are when all words are written together, starting at any word."""
    best = 0
    romanised = one.hangul != two.hangul
    for left in _starts(one.words):
        for right in _starts(two.words):
            a, b = (folded(left, korean=True), folded(right, korean=True)) if romanised else (left, right)
            longest = max(len(a), len(b))
            if longest < _JOINED_SHORTEST:
                continue
            best = max(best, SAME - SAME * OSA.distance(a, b) // longest)
            if best == SAME:
                return best
    return best


def _starts(words: Sequence[str]) -> list[str]:
    """Return the words written together, once from each of the first words on."""
    plain = [spelling_of(word) for word in words]
    return ["".join(plain[start:] + plain[:start]) for start in range(min(len(plain), 4))]
