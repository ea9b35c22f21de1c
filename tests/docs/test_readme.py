"""README and its neighbours keep their word: commands run, links lead somewhere, nothing names a machine."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import click
import pytest

from core.settings import DEMO_PASSWORD, ROOT
from portal.cli import Desk
from portal.commands.demo import USERS
from portal.commands.init import DEMO_USERS
from tests.docs import story
from tests.docs.pages import blocks, page

README = page("README.md").read_text(encoding="utf-8")
LARGEST_PICTURE = 300 * 1024
LONG = {"up", "test"}
"""Commands that start the whole desk or this very suite: they are asked for their help."""

HOSTS = {"127.0.0.1", "localhost", "127.0.0.1:8080", "desk.example.com"}
MACHINE = re.compile(r"(?<![\w.])/(?:work|root|home|tmp|Users|mnt)/")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NOT_OURS = re.compile(r"(^|/)(\.[^/]+|var|node_modules)/")


def documents():
    """Every Markdown page of the repository."""
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return sorted(path for path in found if not NOT_OURS.search(path.as_posix()))


def commands():
    """Every command line of the README's sh blocks."""
    return [line for block in blocks(README) if block.language == "sh" for line in block.text.splitlines()]


def anchors(text):
    """The anchors that a page's headings make."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_two_commands_come_first():
    assert commands()[:2] == ["./desk up", "./desk test"]
    assert os.access(ROOT / "desk", os.X_OK)


@pytest.mark.parametrize("line", commands())
def test_every_command_of_the_readme_runs(line, database, redis_url, tmp_path):
    assert database
    program, name, *rest = shlex.split(line)
    assert program == "./desk"
    if name == "test":
        # Its arguments go to pytest as they are.
        rest = ["--version"]
    elif name in LONG:
        rest = ["--help"]
    elif name == "key":
        story.tell()
    rest = [str(tmp_path) if each.startswith("var/") else each for each in rest]
    done = subprocess.run(
        [sys.executable, "-m", "portal.cli", name, *rest],
        cwd=ROOT, env=os.environ | {"REDIS_URL": redis_url}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr


def test_the_commands_of_later_stages_are_not_there_yet():
    (later,) = re.findall(r"^\*\*Not yet:\*\*(.+?)^$", README, re.MULTILINE | re.DOTALL)
    named = re.findall(r"`desk ([a-z ]+)`", later)
    assert "rules replay" in named
    for line in named:
        found = Desk()
        for name in line.split():
            found = found.get_command(click.Context(found), name) if isinstance(found, click.Group) else None
        assert found is None, f"desk {line} is there: README may say so"


def test_the_benchmark_the_readme_names_is_there():
    (line,) = re.findall(r"^\.venv/bin/python -m (bench\.\w+)$", README, re.MULTILINE)
    asked = [sys.executable, "-m", line, "--help"]
    done = subprocess.run(asked, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--json" in done.stdout


def test_the_demo_logins_are_the_demo_s():
    named = re.findall(r"`(\w+)`", README.split("## Sign in")[1].split("\n## ")[0])
    assert sorted(named) == sorted(USERS) == sorted(DEMO_USERS)
    assert f"`{DEMO_PASSWORD}`" in README


@pytest.mark.parametrize("path", documents(), ids=str)
def test_links_lead_somewhere_inside_the_repository(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    broken = []
    for link in LINK.findall(text):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = (ROOT / path).parent / file if file else ROOT / path
        inside = target.resolve().is_relative_to(ROOT)
        there = inside and target.exists()
        if there and anchor:
            there = target.suffix == ".md" and anchor in anchors(target.read_text(encoding="utf-8"))
        if not there:
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", documents(), ids=str)
def test_no_page_names_a_machine_or_an_unknown_host(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert MACHINE.findall(text) == []
    hosts = {re.sub(r"^.*@", "", host) for host in re.findall(r"https?://([^/\s`)\"';,<>]+)", text)}
    assert hosts <= HOSTS


def test_pictures_are_there_and_light():
    shown = LINK.findall(README)
    pictures = [ROOT / link for link in shown if link.endswith(".png")]
    pictures += sorted((ROOT / "docs/img").glob("*.png"))
    assert pictures
    for picture in pictures:
        assert 0 < picture.stat().st_size <= LARGEST_PICTURE


@pytest.mark.parametrize("path", documents(), ids=str)
def test_files_that_a_page_names_exist(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    named = re.findall(r"`((?:core|portal|dashboards|jobs|tests|bench|docs)/[\w/.-]+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []
