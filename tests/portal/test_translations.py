"""Chinese and Spanish say everything that English says, with the same placeholders; no key is left raw."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages import frontend
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from portal.taste import LANGUAGES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "portal" / "translations"
HELD = re.compile(r"%\((\w+)\)s|%%")
OTHERS = sorted(set(LANGUAGES) - {"en"})


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """Everything the screens say, collected as `make strings` does."""
    target = tmp_path_factory.mktemp("strings") / "messages.pot"
    frontend.CommandLineInterface().run(
        ["pybabel", "-q", "extract", "-F", str(FOLDER / "babel.cfg"), "--no-location", "-o", str(target)]
        + [f"--keyword={name}" for name in ("_l", "sentence", "Check:3", "Counted:1,2")]
        + [str(ROOT / room) for room in ("portal", "dashboards", "core")]
    )
    return {key(each.id) for each in read_po(target.open("rb")) if each.id}


def key(name):
    return (name,) if isinstance(name, str) else tuple(name)


def catalogue(language):
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return [each for each in read_po(file, locale=language) if each.id]


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_that_is_said_is_left_untranslated_or_unsure(said, language):
    known = {key(each.id): each for each in catalogue(language)}
    assert sorted(said - set(known)) == [], "run `make strings`, then translate what is new"
    assert [name for name in sorted(said) if not all(key(known[name].string))] == []
    assert [name for name in sorted(said) if known[name].fuzzy] == []


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_kept_that_is_no_longer_said(said, language):
    text = (FOLDER / language / "LC_MESSAGES" / "messages.po").read_text(encoding="utf-8")
    assert "#~" not in text, "run `make strings`"
    assert sorted({key(each.id) for each in catalogue(language)} - said) == [], "run `make strings`"


@pytest.mark.parametrize("language", OTHERS)
def test_translations_hold_the_same_values(language):
    assert [
        (each.id, one)
        for each in catalogue(language)
        for one in key(each.string)
        if one and sorted(HELD.findall(one)) not in [sorted(HELD.findall(name)) for name in key(each.id)]
    ] == []


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_read_is_what_was_written(language):
    with (FOLDER / language / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        compiled = {key(each.id): key(each.string) for each in read_mo(file) if each.id}
    written = {key(each.id): key(each.string) for each in catalogue(language) if all(key(each.string))}
    assert compiled == written, "run `make strings`: the compiled catalogue is stale"
