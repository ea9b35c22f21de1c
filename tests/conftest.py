"""What every test may ask for: a migrated PostgreSQL database of its own, and a Redis of its own."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import itertools
import os
import shutil
import tempfile
import time
from pathlib import Path

import hypothesis
import psycopg
import pytest
import redis

from core import db, embedded
from core.embedded import postgres
from core.embedded.places import alone, opened, try_lock
from core.migrations.runner import upgrade
from core.settings import settings
from portal.commands.test import BROWSERS

FORGOTTEN_SECONDS = 120
MEMORY = Path("/dev/shm")  # noqa: S108 - folders of ours in it, made as safely as in any other place
ROOM_BYTES = 3 * 1024**3
"""What the servers of a run may come to need; a smaller memory disk is left alone."""
TEMPLATE = "template_desk"
DAY_SECONDS = 24 * 60 * 60
TEST_SECONDS = 60
MODULE_SECONDS = 240
"""How long a test, and the tests of one module, may take on a slow machine."""
numbers = itertools.count(1)

# No test has a time limit that a busy machine could pass, which would say nothing about the product. Nor does it
# draw its examples by lot: what fails once fails each time. (`make test-slow` goes where chance leads.)
hypothesis.settings.register_profile(
    "untimed", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

# How long the product waits for a lock or a connection is left as it is shipped, and tests/core/test_limits.py holds
# it to that. A test that lets many wait for one row takes the refusal of those who waited in vain for an answer.

# Tests crash nothing but themselves: what a power cut would lose is of no use here.
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "'128MB'",
    "max_wal_size": "'256MB'",
    # It would begin transactions whenever it likes, and a test that counts what is still running would count them.
    "autovacuum": "off",
}


def places() -> list[Path]:
    """Where the folders of tests may lie, the one they lie in first: memory where there is room, else the disk."""
    disk = Path(tempfile.gettempdir())
    try:
        roomy = shutil.disk_usage(MEMORY).free > ROOM_BYTES and os.access(MEMORY, os.W_OK | os.X_OK)
    except OSError:
        return [disk]
    return [MEMORY, disk] if roomy else [disk, MEMORY]


def servers_home() -> Path:
    """The folder of this worker's servers, open enough for their user.

    A server of each worker's own: transaction numbers belong to a whole server, so a test that waits for what is
    still running must not meet the transactions of another worker's test.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    name = f"desk-tests-{os.getuid()}-{run[:12]}-{worker}"
    # One that is there is used on: room may have got less since.
    home = next((place / name for place in places() if (place / name).is_dir()), places()[0] / name)
    home.mkdir(mode=0o755, exist_ok=True)
    return home


def sweep() -> None:
    """Stop and remove the servers that a killed test run left behind."""
    for home in (each for place in places() for each in place.glob(f"desk-tests-{os.getuid()}-*")):
        with contextlib.suppress(OSError):
            if time.time() - home.stat().st_mtime > FORGOTTEN_SECONDS:
                with opened(home / "servers.users") as users:
                    if try_lock(users, fcntl.LOCK_EX):
                        embedded.stop(home)
                        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def chromium():
    """One Chromium for every test of this worker that looks at a page: a second driver beside it would not start."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert path, "these tests need Chromium: `desk test` brings it"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


LONG_MODULES = (
    "browser/test_every_screen", "portal/test_foreign", "browser/", "dashboards/test_browser", "test_style",
    "portal/test_refused_changes", "portal/test_sign_in", "ground/test_up", "core/test_simulator", "docs/",
    "portal/test_web_process", "core/test_orders_races", "portal/test_route_roles", "machines/", "jobs/test_processes",
)  # fmt: skip
"""They come first, the longest before all: what takes minutes must not be what one worker is left with at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        module, _, _ = item.nodeid.partition("::")  # what follows may name other modules
        return next((n for n, long in enumerate(LONG_MODULES) if long in module), len(LONG_MODULES))

    items.sort(key=place)


@pytest.fixture(scope="session")
def servers():
    """PostgreSQL and Redis for this run, shared by its workers; the last worker takes them away."""
    sweep()
    home = servers_home()
    with embedded.serving(home, settings=CARELESS) as urls:
        yield urls
    if not any(embedded.running(home).values()):
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(servers):
    """The name of a database built by the migrations once per run; tests get copies of it."""
    home = servers_home()
    ready = home / "template.ready"
    with alone(home):
        if not ready.exists():
            administer(servers, f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)", f"CREATE DATABASE {TEMPLATE}")
            upgrade(named(servers, TEMPLATE))
            ready.touch()
    return TEMPLATE


def administer(servers, *statements: str) -> None:
    with psycopg.connect(named(servers, "postgres"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def named(servers, name: str) -> str:
    return postgres.url(embedded.place(servers_home()), name)


def begin_well_before_midnight(seconds: int) -> None:
    """Wait until a midnight (UTC) that is nearer than this is past.

    "Today" and "this month" are asked of the real clock: what a test has just made must not be of yesterday.
    """
    left = DAY_SECONDS - time.time() % DAY_SECONDS
    if left < seconds:
        time.sleep(left + 1)


@contextlib.contextmanager
def copy_of(servers, template):
    """A fresh copy of the template that core.db, the settings and child processes use; dropped at the end."""
    name = f"t{os.getpid()}_{next(numbers)}"
    administer(servers, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    url = named(servers, name)
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = url
    settings.cache_clear()
    db.connect(url)
    try:
        yield url
    finally:
        db.disconnect()
        if before is None:
            os.environ.pop("DATABASE_URL", None)
        else:
            os.environ["DATABASE_URL"] = before
        settings.cache_clear()
        administer(servers, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(servers, template):
    """The URL of an empty migrated database for this test alone; core.db is bound to it."""
    begin_well_before_midnight(TEST_SECONDS)
    with copy_of(servers, template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(servers, template):
    """The URL of an empty migrated database for the tests of one module; core.db is bound to it."""
    begin_well_before_midnight(MODULE_SECONDS)
    with copy_of(servers, template) as url:
        yield url


@pytest.fixture
def redis_url(servers):
    """The URL of an empty Redis database for this test alone."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = servers.redis.replace("db=0", f"db={int(worker) + 1}")
    with redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture(scope="module")
def one_key():
    """The same field key for a whole module: numbers sealed in one test are opened in the next."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DESK_FIELD_KEY", "t1:" + base64.b64encode(bytes(range(32))).decode())
        settings.cache_clear()
        yield
    settings.cache_clear()


@pytest.fixture(autouse=True)
def own_home(monkeypatch):
    """Settings, secrets and files of a test stay in its own folder, whatever the environment says."""
    home = Path(tempfile.mkdtemp(prefix="desk-home-", dir=places()[0]))
    home.chmod(0o755)  # the servers' user must be able to walk through it when root runs the tests
    monkeypatch.setenv("DESK_HOME", str(home))
    monkeypatch.delenv("DESK_ENV", raising=False)
    settings.cache_clear()
    yield home
    settings.cache_clear()
    shutil.rmtree(home, ignore_errors=True)
