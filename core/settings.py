"""Every setting of the product, read once from the environment and refused early with words that help."""

from __future__ import annotations

import base64
import os
import re
import secrets
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import BadInput, Unavailable

ROOT = Path(__file__).resolve().parent.parent
DEMO_PASSWORD = "desk-demo-2026"  # noqa: S105 - published on purpose; production refuses it
MASK = "********"
_QUERY_SECRET = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)
_HOST = re.compile(r"[*.]*[A-Za-z0-9_.-]*(:[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?")
SHORTEST_SECRET = 32
SHORTEST_PASSWORD = 12
FEWEST_SIGNS = 8
"""A secret has so many different signs; of 32 random hex digits all but one in ten million have more."""


class Settings(BaseSettings):
    """What the environment says; `DESK_` is the prefix of every name but the two URLs."""

    model_config = SettingsConfigDict(env_prefix="DESK_", env_ignore_empty=True, frozen=True, extra="ignore")

    env: Literal["sandbox", "production"] = "sandbox"
    home: Path = ROOT / "var"
    database_url: str = Field("", validation_alias="DATABASE_URL")
    redis_url: str = Field("", validation_alias="REDIS_URL")

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=1, le=65535)
    workers: int = Field(2, ge=1, le=64)
    threads: int = Field(8, ge=1, le=128)
    proxies: int = Field(0, ge=0, le=8, description="reverse proxies in front whose X-Forwarded-* we trust")
    proxy_addresses: str = Field("", description="networks those proxies call from; empty: private ones")
    trusted_hosts: str = Field("", description="host names we answer to, separated by commas")
    cookie_secure: bool | None = None
    debug: bool = False

    secret_key: SecretStr = SecretStr("")
    field_key: SecretStr = Field(SecretStr(""), description="id:base64 of 32 bytes; first writes, all read")
    admin_password: SecretStr = Field(SecretStr(DEMO_PASSWORD), description="of the first administrator")
    demo_password: SecretStr = SecretStr(DEMO_PASSWORD)
    metrics_token: SecretStr = SecretStr("")

    session_idle_minutes: int = Field(30, ge=1, le=24 * 60)
    session_hours: int = Field(12, ge=1, le=24 * 7)
    rate_max_age_seconds: int = Field(900, ge=1, description="an older exchange rate makes no quote")
    api_burst: int = Field(1000, ge=1, description="requests of one key at once, per web process")
    api_per_second: int = Field(200, ge=1, description="requests of one key a second, per web process")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("database_url")
    @classmethod
    def _database(cls, url: str) -> str:
        return read_url(url, ("postgresql", "postgres", "postgresql+psycopg"), "postgresql://user@host:5432/name")

    @field_validator("secret_key")
    @classmethod
    def _signing_key(cls, text: SecretStr, info: ValidationInfo) -> SecretStr:
        given = len(text.get_secret_value())
        if 0 < given < SHORTEST_SECRET and info.data.get("env") != "production":  # production tells all faults at once
            raise ValueError(
                f"has {given} characters and needs {SHORTEST_SECRET} (e.g. openssl rand -hex 32); "
                "unset it, and the sandbox makes its own"
            )
        return text

    @field_validator("field_key")
    @classmethod
    def _keys(cls, text: SecretStr, info: ValidationInfo) -> SecretStr:
        if text.get_secret_value() and info.data.get("env") != "production":  # production tells all faults at once
            try:
                read_keys(text.get_secret_value())
            except BadInput as refusal:
                raise ValueError(refusal.detail) from None
        return text

    @field_validator("proxy_addresses")
    @classmethod
    def _networks(cls, text: str) -> str:
        try:
            read_networks(text)
        except ValueError as error:
            raise ValueError(f"must be addresses or networks, separated by commas: {error}") from None
        return text

    @field_validator("trusted_hosts")
    @classmethod
    def _names(cls, text: str) -> str:
        for name in filter(None, map(str.strip, text.split(","))):
            if not _HOST.fullmatch(name):
                raise ValueError(f"'{name[:60]}' is no host name; write it like desk.example.com, without https://")
        return text

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, url: str) -> str:
        return read_url(url, ("redis", "rediss", "unix"), "redis://host:6379/0")

    @property
    def production(self) -> bool:
        """Whether real money is meant."""
        return self.env == "production"

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies travel over https only: always in production, by choice in the sandbox."""
        return self.production if self.cookie_secure is None else self.cookie_secure

    @property
    def hosts(self) -> list[str]:
        """The host names we answer to; the sandbox knows this machine's own when nothing is set."""
        named = [name.strip() for name in self.trusted_hosts.split(",") if name.strip()]
        return named or ([] if self.production else ["127.0.0.1", "localhost", "[::1]"])

    @property
    def session_key(self) -> str:
        """The key that signs cookies; in the sandbox made once and kept in home/secrets."""
        return self.secret_key.get_secret_value() or kept_secret(self.home, "secret_key")

    @property
    def field_keys(self) -> dict[str, bytes]:
        """The keys that encrypt fields, by id, the writing one first (32 bytes each).

        Raises BadInput when a key is not `id:base64` of 32 bytes.
        """
        text = self.field_key.get_secret_value()
        if not text:
            text = "k1:" + base64.b64encode(bytes.fromhex(kept_secret(self.home, "field_key"))).decode()
        return read_keys(text)


def read_url(url: str, schemes: tuple[str, ...], example: str) -> str:
    """The URL as it was given. Raises ValueError that names what is wrong with it, never a password."""
    if not url:
        return url
    try:
        parts = urlsplit(url)
        port, known = parts.port, parts.scheme in schemes and "://" in url and url.isprintable()
    except ValueError:  # its own words may show a piece of the password
        raise ValueError(f"host or port of the URL cannot be read; write it like {example}") from None
    if not known:
        raise ValueError(f"no URL of the kind {' or '.join(schemes[:2])}; write it like {example}")
    if port == 0 or (not parts.hostname and not parts.path.strip("/") and not parts.query):
        raise ValueError(f"the URL names no server; write it like {example}")
    if parts.scheme in {"redis", "rediss"} and not re.fullmatch(r"/?[0-9]{0,4}", parts.path):
        raise ValueError(f"the URL ends in no number of a database; write it like {example}")
    return url


def read_networks(text: str) -> list[IPv4Network | IPv6Network]:
    """The networks in `10.0.0.0/8, ::1`. Raises ValueError for anything else."""
    return [ip_network(part.strip()) for part in text.split(",") if part.strip()]


def read_keys(text: str) -> dict[str, bytes]:
    """The keys in `id:base64,id:base64`, in that order. Raises BadInput for anything else."""
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        name, _, body = part.strip().partition(":")
        try:
            raw = base64.b64decode(body, validate=True)
        except ValueError:
            raw = b""
        if not name or len(raw) != SHORTEST_SECRET or name in keys:
            raise BadInput(
                "DESK_FIELD_KEY must be id:base64 of 32 bytes (several: separated by commas, ids differ), "
                "e.g. k1:$(openssl rand -base64 32)",
                setting="DESK_FIELD_KEY",
            )
        keys[name] = raw
    return keys


def guessable(secret: str | bytes, fewest: int = FEWEST_SIGNS) -> bool:
    """Whether a secret is few signs over and over, or one piece repeated: long enough, and yet soon guessed."""
    turned = (secret + secret).find(secret, 1)  # type: ignore[operator, arg-type]  # both are text, or both bytes
    return len(set(secret)) < fewest or turned < len(secret)


def kept_secret(home: Path, name: str) -> str:
    """A random secret of 64 hex digits, made once and kept in home/secrets for its owner only.

    Raises Unavailable when somebody else made it and we may not read it.
    """
    path = home / "secrets" / name
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            fresh = path.with_name(f"{name}.{os.getpid()}.{secrets.token_hex(4)}")
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
            try:
                os.link(fresh, path)  # refuses when another process was first; then its secret holds
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path.read_text().strip()
    except PermissionError as error:
        raise Unavailable(
            f"{error.filename or path} belongs to another user. "
            "Run as that user, or set DESK_HOME to a folder of your own.",
        ) from error


def faults(settings: Settings) -> list[str]:
    """What keeps these settings from running in production, each with what to set; empty in the sandbox."""
    if not settings.production:
        return []
    found: list[str] = []
    found += _weak(settings)
    if settings.debug:
        found.append("debug is on: unset DESK_DEBUG")
    if not settings.secure_cookies:
        found.append("cookies would travel over http: unset DESK_COOKIE_SECURE or set it to true")
    if not settings.hosts or any("*" in host or host.startswith(".") for host in settings.hosts):
        found.append("hosts are wildcards or missing: set DESK_TRUSTED_HOSTS to exact names, e.g. desk.example.com")
    return found


def _weak(settings: Settings) -> list[str]:
    """Which secrets are missing, the default, short or soon guessed."""
    found: list[str] = []
    key = settings.secret_key.get_secret_value()
    if len(key) < SHORTEST_SECRET:
        found.append("the secret key is the default or short: set DESK_SECRET_KEY (e.g. openssl rand -hex 32)")
    elif guessable(key):
        found.append("the secret key repeats itself: set DESK_SECRET_KEY to a random one (e.g. openssl rand -hex 32)")
    try:
        keys = read_keys(settings.field_key.get_secret_value())
    except BadInput as refusal:
        found.append(f"the field key is missing or unreadable: {refusal.detail}")
    else:
        found += [
            f"the field key {name} repeats itself: set DESK_FIELD_KEY to a random one (e.g. openssl rand -base64 32)"
            for name, raw in keys.items()
            if guessable(raw)
        ]
    password = settings.admin_password.get_secret_value()
    if password == DEMO_PASSWORD or len(password) < SHORTEST_PASSWORD or guessable(password, FEWEST_SIGNS // 2):
        found.append(
            "the administrator's password is the default, short or repeats itself: set DESK_ADMIN_PASSWORD "
            f"({SHORTEST_PASSWORD} characters or more; only the first `desk init` uses it)",
        )
    token = settings.metrics_token.get_secret_value()
    if token and (len(token) < SHORTEST_PASSWORD or guessable(token)):
        found.append(
            "the token of /metrics is short or repeats itself: set DESK_METRICS_TOKEN to a random one, or none"
        )
    return found


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings in force, read once.

    Raises BadInput that lists everything that is wrong and what to set.
    """
    try:
        read = Settings()
    except ValidationError as error:
        wrong = [
            f"{variable(str(each['loc'][0]))}: {each['msg'].removeprefix('Value error, ')}" for each in error.errors()
        ]
        raise BadInput(listed("the settings cannot be read", wrong)) from None
    found = faults(read)
    if found:
        raise BadInput(listed("DESK_ENV=production is refused", found))
    return read


def listed(what: str, wrong: list[str]) -> str:
    """One fault on one line, several as a list."""
    return f"{what}: {wrong[0]}" if len(wrong) == 1 else f"{what}:\n  - " + "\n  - ".join(wrong)


def variable(field: str) -> str:
    """The name of the environment variable behind a field."""
    return field if field.isupper() else f"DESK_{field.upper()}"


def masked_url(url: str) -> str:
    """The URL with its password hidden, whether it stands before the host or in the query."""
    url = _QUERY_SECRET.sub(rf"\1{MASK}", url)
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:{MASK}@{host}"))


def shown(settings_: Settings) -> dict[str, object]:
    """The settings as plain values for people: secrets as a mask (or empty), URLs without passwords."""
    plain: dict[str, object] = {}
    for name in Settings.model_fields:
        value = getattr(settings_, name)
        if isinstance(value, SecretStr):
            value = MASK if value.get_secret_value() else ""
        elif name.endswith("_url"):
            value = masked_url(value)
        elif isinstance(value, Path):
            value = str(value)
        plain[name] = value
    return plain | {"trusted_hosts": settings_.hosts, "cookie_secure": settings_.secure_cookies}
