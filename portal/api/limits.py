"""How often a key may ask: a bucket of tokens per key in each process, refilled all the time."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field

from core.errors import TooMany

MOST_KEYS = 10_000


@dataclass
class Buckets:
    """Tokens left by key: `burst` at most, `per_second` come back each second."""

    burst: int
    per_second: int
    left: dict[str, tuple[float, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: str, now: float | None = None) -> None:
        """Take one token. Raises TooMany, which tells after how many seconds to come again."""
        moment = time.monotonic() if now is None else now
        with self.lock:
            tokens, since = self.left.get(key, (self.burst, moment))
            tokens = min(self.burst, tokens + max(0, moment - since) * self.per_second)
            if tokens < 1:
                wait = math.ceil((1 - tokens) / self.per_second)
                raise TooMany(f"too many requests with this key; come again in {wait} s", retry_after=wait)
            if len(self.left) >= MOST_KEYS and key not in self.left:
                self.left.clear()
            self.left[key] = (tokens - 1, moment)
