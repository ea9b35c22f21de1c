"""Reading the documents: their code blocks, and comparing what a block shows with what happened."""

from __future__ import annotations

import os
import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from core.settings import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::\d\d)?)?")
_VARYING = (
    (_MOMENT, "(time)"),
    (re.compile(r"\b([a-z]{3})_[0-9A-HJKMNP-TV-Z]{16}\b"), r"\1_(ref)"),
    (re.compile(r"\bdk_[\w-]{40}"), "dk_(key)"),
    (re.compile(r"\b[0-9a-f]{24,64}\b"), "(hex)"),
    (re.compile(r'("reference": )"[^"]+"'), r'\1"(reference)"'),
    (re.compile(r"\(([\d,]+ rows? looked at|nothing of the kind is there yet)\)"), "(rows looked at)"),
    (re.compile(r'("request_id": )"[^"]+"'), r'\1"(trace)"'),
)


class Block(NamedTuple):
    """One fenced block of a page: its language, its text, and where the text stands."""

    language: str
    text: str
    start: int
    end: int


def page(name: str) -> Path:
    """The document of that name, from the root of the repository."""
    return ROOT / name


def blocks(text: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    return [Block(found[2], textwrap.dedent(found[3]), found.start(3), found.end(3)) for found in _BLOCK.finditer(text)]


def alike(text: str) -> str:
    """The text without what differs from one run to the next: refs, times, keys, hashes."""
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def writing() -> bool:
    """Whether golden texts are written anew instead of compared (`make golden`)."""
    return os.environ.get("GOLDEN") == "write"
