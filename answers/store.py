"""Where small shared facts live for a while: session records, a student's latest sessions, request ids."""

import time
from collections.abc import Callable
from typing import Protocol


class Store(Protocol):
    """Texts by key, each with a time to live. Every write is a comparison with what stood there."""

    async def get(self, key: str) -> str | None:
        """Return the text of a key that has not expired."""
        ...

    async def compare_and_set(self, key: str, expected: str | None, value: str, ttl: float) -> bool:
        """Write `value` for `ttl` seconds if the key holds `expected` (None: nothing); say whether it did."""
        ...

    async def delete(self, key: str) -> None: ...


class MemoryStore:
    """The store of a single process."""

    SWEEP_EVERY = 1000  # writes between two sweeps of what has expired

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._values: dict[str, tuple[str, float]] = {}
        self._writes = 0

    async def get(self, key: str) -> str | None:
        value, expires = self._values.get(key, (None, 0.0))
        return value if self._now() < expires else None

    async def compare_and_set(self, key: str, expected: str | None, value: str, ttl: float) -> bool:
        if await self.get(key) != expected:
            return False
        self._values[key] = (value, self._now() + ttl)
        self._writes += 1
        if self._writes % self.SWEEP_EVERY == 0:
            now = self._now()
            self._values = {key: kept for key, kept in self._values.items() if now < kept[1]}
        return True

    async def delete(self, key: str) -> None:
        self._values.pop(key, None)
