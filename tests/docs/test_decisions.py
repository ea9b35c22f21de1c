"""Each decision names what keeps it, and what it names is there."""

from __future__ import annotations

import re

import pytest

from core.settings import ROOT

DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
TESTS = [path for path in ROOT.glob("tests/**/*.py") if "__pycache__" not in path.parts]
NAMES = {name for path in TESTS for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))}
FILES = {path.stem for path in TESTS}


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_names_a_test_that_keeps_it(path):
    text = path.read_text(encoding="utf-8")
    places = [each.rstrip("/.") for each in re.findall(r"tests/[\w/*.]+", text)]
    names = re.findall(r"`(test_\w+)(?:\.py)?`", text)
    assert places or names
    assert [each for each in places if not any(ROOT.glob(each))] == []
    assert [each for each in names if each not in NAMES | FILES] == []


def test_numbers_of_decisions_are_used_once():
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(set(numbers)) == len(numbers)
