"""The settings: read once, refused early, secrets never shown."""

from __future__ import annotations

import base64
import random
import stat

import pytest

from core.errors import BadInput
from core.settings import DEMO_PASSWORD, SHORTEST_SECRET, guessable, masked_url, read_keys, settings, shown

GOOD = {
    "DESK_ENV": "production",
    "DESK_SECRET_KEY": "5e8912c19f332b9b822b6ee2f7d04a61",
    "DESK_FIELD_KEY": "k1:" + base64.b64encode(bytes(range(32))).decode(),
    "DESK_ADMIN_PASSWORD": "a-long-password-of-ours",
    "DESK_TRUSTED_HOSTS": "desk.example.com",
}


def read(monkeypatch, **values: str):
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    return settings()


def test_the_sandbox_starts_with_nothing_set(monkeypatch):
    got = read(monkeypatch)
    assert (got.env, got.port, got.secure_cookies) == ("sandbox", 8080, False)
    assert got.hosts == ["127.0.0.1", "localhost", "[::1]"]


def test_the_sandbox_keeps_one_secret_that_only_its_owner_reads(monkeypatch):
    got = read(monkeypatch)
    assert got.session_key == got.session_key
    assert len(got.session_key) == 64
    assert list(got.field_keys) == ["k1"]
    assert stat.S_IMODE((got.home / "secrets" / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE((got.home / "secrets").stat().st_mode) == 0o700


def test_production_refuses_defaults_in_one_message_that_says_what_to_set(monkeypatch):
    with pytest.raises(BadInput) as refused:
        read(monkeypatch, DESK_ENV="production", DESK_DEBUG="1", DESK_COOKIE_SECURE="0", DESK_TRUSTED_HOSTS="*")
    for name in (
        "DESK_SECRET_KEY",
        "DESK_FIELD_KEY",
        "DESK_ADMIN_PASSWORD",
        "DESK_DEBUG",
        "DESK_COOKIE_SECURE",
        "DESK_TRUSTED_HOSTS",
    ):
        assert name in refused.value.detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DESK_SECRET_KEY", "short"),
        ("DESK_SECRET_KEY", "s" * 40),
        ("DESK_SECRET_KEY", "0123456789abcdef" * 2),
        ("DESK_SECRET_KEY", "abcabcab" * 5 + "a"),
        ("DESK_FIELD_KEY", "k1:tooshort"),
        ("DESK_FIELD_KEY", "k1:" + base64.b64encode(b"f" * 32).decode()),
        ("DESK_FIELD_KEY", "k1:" + base64.b64encode(bytes(range(16)) * 2).decode()),
        ("DESK_ADMIN_PASSWORD", "aaaaaaaaaaaa"),
        ("DESK_ADMIN_PASSWORD", "secret" * 2),
        ("DESK_METRICS_TOKEN", "0" * 40),
        ("DESK_ADMIN_PASSWORD", DEMO_PASSWORD),
        ("DESK_DEBUG", "true"),
        ("DESK_COOKIE_SECURE", "false"),
        ("DESK_TRUSTED_HOSTS", "desk.example.com,.example.com"),
        ("DESK_TRUSTED_HOSTS", "*.example.com"),
    ],
)
def test_production_refuses_each_single_weakness(monkeypatch, name, value):
    with pytest.raises(BadInput, match=name):
        read(monkeypatch, **(GOOD | {name: value}))


def test_the_sandbox_too_refuses_a_key_that_is_too_short(monkeypatch):
    for short in ("short", "s" * (SHORTEST_SECRET - 1)):
        with pytest.raises(BadInput, match=r"DESK_SECRET_KEY: has .* needs 32") as refused:
            read(monkeypatch, DESK_SECRET_KEY=short)
        assert short not in refused.value.detail
    assert read(monkeypatch, DESK_SECRET_KEY="s" * SHORTEST_SECRET).session_key == "s" * SHORTEST_SECRET
    assert len(read(monkeypatch, DESK_SECRET_KEY="").session_key) == 64


def test_a_random_secret_is_never_taken_for_a_guessable_one():
    # Seeded: of so many fresh ones, one run in some 14,000 would meet one with too few signs.
    chance = random.Random(31)  # noqa: S311 - the same secrets in each run
    for _ in range(2000):
        assert not guessable(chance.randbytes(SHORTEST_SECRET // 2).hex())
        assert not guessable(chance.randbytes(SHORTEST_SECRET))


def test_production_starts_when_everything_is_set(monkeypatch):
    got = read(monkeypatch, **GOOD)
    assert got.production
    assert got.secure_cookies
    assert got.hosts == ["desk.example.com"]


def test_a_setting_that_cannot_be_read_is_named(monkeypatch):
    with pytest.raises(BadInput, match="DESK_PORT"):
        read(monkeypatch, DESK_PORT="eighty")


def test_shown_settings_hold_no_secret(monkeypatch):
    url = "postgresql://desk:hunter2@db.example.com:5432/desk"
    text = str(shown(read(monkeypatch, **GOOD, DATABASE_URL=url)))
    assert "hunter2" not in text
    assert GOOD["DESK_SECRET_KEY"] not in text
    assert "a-long-password" not in text
    assert masked_url(url) == "postgresql://desk:********@db.example.com:5432/desk"
    assert masked_url("unix:///run/redis.sock?db=0") == "unix:///run/redis.sock?db=0"
    assert "hidden" not in masked_url("postgresql://desk:hidden@db.example.com/desk?password=hidden&sslmode=require")


def test_field_keys_can_be_rotated_and_broken_ones_are_refused():
    one, two = (base64.b64encode(byte * 32).decode() for byte in (b"1", b"2"))
    assert list(read_keys(f"k2:{two}, k1:{one}")) == ["k2", "k1"]
    for broken in ("", "k1", f"k1:{one},k1:{two}", ":" + one, "k1:%%%", "k1:" + one[:8]):
        with pytest.raises(BadInput):
            read_keys(broken)
