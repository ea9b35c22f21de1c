"""Ports for servers of tests that are told which one to take, and take it a while later, or again."""

from __future__ import annotations

import os
import socket

FIRST, LAST = 20_000, 32_000
"""Below those that the system hands to whoever asks for just any: nobody gets one of these by chance meanwhile."""


def unclaimed() -> int:
    """Return a port of this machine that nobody listens on; processes begin to look at different places."""
    for port in range(FIRST + os.getpid() % 1000 * 10, LAST):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("every port is taken")
