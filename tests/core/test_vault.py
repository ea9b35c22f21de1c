"""Sealed fields: what goes in comes out, only with the right key, and is found without being read."""

from __future__ import annotations

import base64

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


def test_the_mask_shows_the_end_and_never_more_than_half():
    assert vault.mask_account("1234 5678 8812") == "•• 8812"
    assert vault.mask_account("1234") == "•• 34"
    assert vault.mask_account("1") == "•• "
