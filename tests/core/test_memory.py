"""What is loaded when a process begins to serve is left alone by the collector; what comes later is not."""

from __future__ import annotations

import gc
import weakref

import pytest

from core.memory import rest_of_memory


@pytest.fixture
def collector():
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Ring:
    """Something that holds itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.me = self


def test_what_is_there_rests_and_what_comes_later_is_collected(collector):
    rest_of_memory()
    assert gc.get_freeze_count() > 10_000
    later = weakref.ref(Ring())
    gc.collect()
    assert later() is None
