"""Sealed fields: what goes in comes out, only with the right key, and is found without being read."""

from __future__ import annotations

import base64
import unicodedata

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from core import vault
from core.errors import BadInput, Unavailable
from core.settings import settings


@pytest.fixture
def keys(monkeypatch):
    """Sets the field keys in force, by name; each key is one repeated letter."""

    def use(*names):
        text = ",".join(f"{name}:{base64.b64encode(name[-1].encode() * 32).decode()}" for name in names)
        monkeypatch.setenv("DESK_FIELD_KEY", text)
        settings.cache_clear()

    use("k1")
    return use


@examples(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80).filter(lambda s: s.isprintable()))
def test_what_is_sealed_can_be_opened_and_never_looks_the_same_twice(keys, text):
    one, two = vault.seal(text), vault.seal(text)
    assert vault.open_(one) == vault.open_(two) == text
    assert one != two


def test_a_new_key_writes_while_the_old_one_still_reads_and_finds(keys):
    old, found = vault.seal("GB33BUKB20201555555555"), vault.blind("GB33BUKB20201555555555")
    keys("k2", "k1")
    assert vault.open_(old) == "GB33BUKB20201555555555"
    assert vault.seal("x")[2:4] == b"k2"
    assert vault.blind("GB33BUKB20201555555555") == found


def test_a_missing_key_is_named(keys):
    sealed = vault.seal("12345678")
    keys("k9")
    with pytest.raises(Unavailable, match="k1"):
        vault.open_(sealed)


@pytest.mark.parametrize("place", [1, 3, 10, -1])
def test_changed_bytes_are_refused(keys, place):
    sealed = bytearray(vault.seal("12345678"))
    sealed[place] ^= 1
    with pytest.raises((BadInput, Unavailable)):
        vault.open_(bytes(sealed))


def test_bytes_that_are_not_ours_are_refused(keys):
    for junk in (b"", b"\x01", b"plain text", b"\x01\x02k1short"):
        with pytest.raises(BadInput):
            vault.open_(junk)


def test_the_blind_index_ignores_how_the_number_is_written(keys):
    assert vault.blind("gb33 bukb-2020 1555 5555 55") == vault.blind("GB33BUKB20201555555555")
    assert vault.blind("12345678") == vault.blind("12345678")
    assert vault.blind("12345678") != vault.blind("12345679")
    assert b"12345678" not in vault.blind("12345678")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("1234 5678 8812", "•• 8812"), ("1234-5678", "•• 5678"), ("1234567", "•• 7"), ("123456", "•• 6"),
        ("12345", "•• 5"), ("1234", "••••"), ("1", "••••"), ("", "••••"), ("•• 8812", "•• 8812"),
    ],
)  # fmt: skip
def test_the_mask_shows_the_end_of_a_number_and_of_a_short_one_hardly_anything(number, shown):
    assert vault.mask_account(number) == shown


@pytest.mark.parametrize(
    ("name", "shown", "initials"),
    [
        ("Joao Santos", "Joao S•••••", "J••• S•••"), ("Maria Lucia Rojas", "Maria R•••••", "M••• R•••"),
        ("Al", "A•••••", "A•••"), ("Bo Li", "B•••••", "B••• L•••"), ("X", "•••••", "•••"),
        ("王", "•••••", "•••"), ("王明", "王•••••", "王•••"), ("王 小明", "王•••••", "••• 小•••"),
        ("王小明", "王•••••", "王•••"),
        ("Li Xiaoming", "L•••••", "L••• X•••"), ("Anna B", "Anna •••••", "A••• •••"),
        ("Anna Li", "Anna •••••", "A••• L•••"),
        ("Cher", "C•••••", "C•••"), ("'Abu (Bakr)", "A•••••", "A••• B•••"), ("é", "•••••", "•••"),
        ("E\u0301va", "É•••••", "É•••"), ("---", "•••••", "•••••"), ("김 수", "김•••••", "••• •••"),
    ],
)  # fmt: skip
def test_a_name_shows_at_most_a_first_letter_when_it_is_short(name, shown, initials):
    assert vault.mask_name(name) == shown
    assert vault.mask_initials(name) == initials


NAMES = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Mn", "Nd", "Zs", "Pd"]), max_size=30)


@given(NAMES)
def test_a_mask_never_tells_a_length_nor_a_whole_name(name):
    letters = [each for each in unicodedata.normalize("NFC", name) if each.isalnum()]
    for mask in (vault.mask_name, vault.mask_initials):
        told = [each for each in mask(name) if each.isalnum()]
        assert len(told) < max(len(letters), 1)
        assert mask(name).count("•") in {3, 5, 6}
    if len(letters) < 4:
        assert len([each for each in vault.mask_name(name) if each.isalnum()]) <= 1


@given(st.text("abcdefgh", min_size=2, max_size=12), st.text("abcdefgh", min_size=2, max_size=12))
def test_names_of_one_word_that_begin_alike_look_alike(one, other):
    assert vault.mask_name(one) == vault.mask_name(one[0] + other)


@given(st.text("0123456789", max_size=40))
def test_at_least_four_figures_of_a_number_stay_hidden_or_all_of_it(number):
    told = sum(each.isalnum() for each in vault.mask_account(number))
    assert told <= 4
    assert told == 0 or len(number) - told >= 4
