"""Processes we may have left behind: recognised for certain before anything is done to them."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def standing_in(folder: Path, names: tuple[str, ...]) -> Iterator[psutil.Process]:
    """The living processes of one of these names whose working directory is the folder.

    Both of our servers change into their data directory, so this tells ours from any other,
    and from a stranger who was given an old process number.
    """
    for process in psutil.process_iter(["name"]):
        if is_ours(process, folder, names):
            yield process


def is_ours(process: psutil.Process, folder: Path, names: tuple[str, ...]) -> bool:
    """Whether the process lives, has one of the names and stands in the folder."""
    try:
        return (
            process.name().startswith(names)
            and process.status() != psutil.STATUS_ZOMBIE
            and process.cwd() == str(folder)
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def ours(pid: int, folder: Path, names: tuple[str, ...]) -> psutil.Process | None:
    """The process of that number if it is ours, else None."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if is_ours(process, folder, names):
            return process
    return None


def end(processes: list[psutil.Process], *, patience_seconds: float) -> None:
    """Ask the processes to end; kill those that still live after the patience."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    if wait_until(lambda: not any(map(lives, processes)), seconds=patience_seconds):
        return
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until(lambda: not any(map(lives, processes)), seconds=5)


def lives(process: psutil.Process) -> bool:
    """Whether the process still runs; one that ended but was not yet collected by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(answer: Callable[[], bool], *, seconds: float, step: float = 0.05) -> bool:
    """Whether the callable answered true within that many seconds, asked every `step` seconds."""
    ends = time.monotonic() + seconds
    while not answer():
        if time.monotonic() > ends:
            return False
        time.sleep(step)
    return True
