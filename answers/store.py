"""Where small shared facts live for a while: session records, drafts, leases, request ids."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError

from answers.errors import StoreAway


class Store(Protocol):
    """Texts by key, each with a time to live in seconds. Every write is a comparison with what stood there.

    All methods raise `StoreAway`; a write may or may not have happened then.
    """

    async def get(self, key: str) -> str | None:
        """Return the text of a key that has not expired."""
        ...

    async def get_many(self, keys: Sequence[str]) -> list[str | None]:
        """Return the texts of all these keys as they stood at one moment."""
        ...

    async def compare_and_set(self, key: str, expected: str | None, value: str, ttl: float) -> bool:
        """Write `value` for `ttl` seconds if the key holds `expected` (None: nothing); say whether it did.

        A key that holds `value` already counts as written, so a try that is repeated because its answer got
        lost is told the truth. Of writers at odds, each therefore writes something of its own.
        """
        ...

    async def delete(self, key: str) -> None: ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...


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

    async def get_many(self, keys: Sequence[str]) -> list[str | None]:
        return [await self.get(key) for key in keys]

    async def compare_and_set(self, key: str, expected: str | None, value: str, ttl: float) -> bool:
        if await self.get(key) not in (expected, value):
            return False
        self._values[key] = (value, self._now() + ttl)
        self._writes += 1
        if self._writes % self.SWEEP_EVERY == 0:
            now = self._now()
            self._values = {key: kept for key, kept in self._values.items() if now < kept[1]}
        return True

    async def delete(self, key: str) -> None:
        self._values.pop(key, None)

    async def aclose(self) -> None:
        """Nothing to let go of."""


# KEYS: the key. ARGV: the value, its time to live in ms, and where something is expected, that.
_COMPARE_AND_SET = """
local held = redis.call('GET', KEYS[1])
if held == (ARGV[3] or false) or held == ARGV[1] then
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return 1
end
return 0
"""


class RedisStore:
    """The store of any number of processes; `seconds`: how long it may take to answer, a second try included.

    With a client of its own: what blocks on the channel layer's connections does not hold these up.
    """

    CONNECTIONS = 32  # of one process at most; whoever finds none free waits

    def __init__(self, url: str, seconds: float = 2.0) -> None:
        self._seconds = seconds  # long enough for a process that many students come back to at once
        self._free = asyncio.Semaphore(self.CONNECTIONS)
        # No socket timeout: under Python 3.11 redis-py then loses many a cancellation.
        self._redis: Redis = Redis.from_url(url, decode_responses=True, retry=Retry(ConstantBackoff(0.05), 1))
        self._compare_and_set = self._redis.register_script(_COMPARE_AND_SET)

    async def get(self, key: str) -> str | None:
        return cast(str | None, await self._answered(self._redis.get, key))

    async def get_many(self, keys: Sequence[str]) -> list[str | None]:
        return cast(list[str | None], await self._answered(self._redis.mget, keys)) if keys else []

    async def compare_and_set(self, key: str, expected: str | None, value: str, ttl: float) -> bool:
        args: list[str | int] = [value, max(1, round(ttl * 1000)), *([] if expected is None else [expected])]
        return bool(await self._answered(self._compare_and_set, [key], args))

    async def delete(self, key: str) -> None:
        await self._answered(self._redis.delete, key)

    async def aclose(self) -> None:
        await self._redis.aclose()

    async def _answered(self, call: Callable[..., Any], *args: Any) -> Any:
        try:
            async with asyncio.timeout(self._seconds), self._free:
                return await call(*args)
        except (RedisError, TimeoutError) as error:
            raise StoreAway from error
