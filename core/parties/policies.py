"""How a pool may choose among its acceptors: the one list, which pools offer and matching carries out."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class PolicyName(StrEnum):
    """One way to choose; what it does is said in `orders.matching`."""

    UNIFORM_RANDOM = "uniform_random"
    LEAST_LOADED = "least_loaded"


POLICIES: Final = tuple(each.value for each in PolicyName)
