"""How much one user may ask for: questions, events, connections, attempts to log in."""

import asyncio
import logging
import math
import time
from collections import deque
from typing import Any

from limits import RateLimitItem, parse, parse_many
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from limits.storage import MemoryStorage as ThreadedMemoryStorage
from limits.storage import RedisStorage as ThreadedRedisStorage
from limits.storage import Storage as ThreadedStorage
from limits.strategies import MovingWindowRateLimiter as ThreadedMovingWindow
from redis import ConnectionPool as ThreadedPool
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.retry import Retry as ThreadedRetry

from accounts.errors import RateLimited, TooManyConnections

logger = logging.getLogger("tutor.limits")

PREFIX = "limit"  # of every key on Redis
ASK_SECONDS = 1.0  # what an ask loses at most while Redis is away; a login twice as much


class AskRedis(RedisStorage):
    """Moving windows on Redis, for all processes."""

    STORAGE_SCHEME = []  # made here, never found by an address

    def __init__(self, url: str) -> None:
        # No socket timeout: under Python 3.11 redis-py then loses many a cancellation.
        self._pool = ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 1))
        options: dict[str, Any] = {"connection_pool": self._pool, "key_prefix": PREFIX}
        super().__init__("async+redis://", wrap_exceptions=True, implementation="redispy", **options)

    async def aclose(self) -> None:
        await self._pool.aclose()


class AskMemory(MemoryStorage):
    """Moving windows in this process's memory, forgotten when their number has doubled.

    The library's own forgets after every hit by a thread for each key: 100 asks a second of 100 users keep
    a whole core busy. These take microseconds.
    """

    STORAGE_SCHEME = []  # made here, never found by an address

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[str, deque[float]] = {}  # when each entry ends, the earliest first
        self._crowded = 1000

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = time.time()
        if len(self._windows) >= self._crowded:
            self._windows = {key: ends for key, ends in self._windows.items() if ends[-1] > now}
            self._crowded = max(1000, 2 * len(self._windows))
        ends = self._windows.get(key, deque())
        while ends and ends[0] <= now:
            ends.popleft()
        if len(ends) + amount > limit:
            return False
        ends.extend([now + expiry] * amount)
        self._windows[key] = ends
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = time.time()
        ends = [end for end in self._windows.get(key, ()) if end > now]
        return (ends[0] - expiry, len(ends)) if ends else (now, 0)

    async def aclose(self) -> None:
        pass


def ask_storage(redis_url: str) -> AskRedis | AskMemory:
    """Return where asks are counted: on Redis for all processes, without an address for this one."""
    return AskRedis(redis_url) if redis_url else AskMemory()


def login_storage(redis_url: str) -> ThreadedStorage:
    """Return where attempts to log in are counted, likewise."""
    if not redis_url:
        return ThreadedMemoryStorage()
    pool = ThreadedPool.from_url(redis_url, socket_timeout=ASK_SECONDS, retry=ThreadedRetry(NoBackoff(), 1))
    return ThreadedRedisStorage("redis://", connection_pool=pool, key_prefix=PREFIX, wrap_exceptions=True)


class Limits:
    """The rate of accepted asks of each user.

    `storage`: of `ask_storage`. `rates`: one or more, such as `30/minute;500/day`, each in a moving window.
    A limit is for fairness, not for safety: where the storage does not answer, the ask passes.
    """

    def __init__(self, storage: AskRedis | AskMemory, rates: str) -> None:
        self._storage = storage
        self._window = MovingWindowRateLimiter(storage)
        self._rates = parse_many(rates)

    async def ask(self, user_id: str) -> None:
        """Count one ask; one that is refused counts against no rate. Raises `RateLimited`.

        On Redis, where several rates apply, asks of the very same moment may count although refused.
        """
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await self._ask(user_id)
        except (StorageError, TimeoutError) as error:
            _log_away(error)

    async def _ask(self, user_id: str) -> None:
        for rate in self._rates[1:]:  # a hit cannot be taken back, so every further rate is looked at before
            if not await self._window.test(rate, "ask", user_id):
                await self._refuse(rate, user_id)
        for rate in self._rates:
            if not await self._window.hit(rate, "ask", user_id):
                await self._refuse(rate, user_id)

    async def _refuse(self, rate: RateLimitItem, user_id: str) -> None:
        reset, _ = await self._window.get_window_stats(rate, "ask", user_id)
        raise RateLimited(_seconds_until(reset))

    async def aclose(self) -> None:
        await self._storage.aclose()


class LoginAttempts:
    """At most ten failed attempts a minute to log in with one e-mail from one address.

    Both together: a class behind one address logs in at once, and nobody locks out another by their e-mail.
    `storage`: of `login_storage`; while it does not answer, attempts are counted in this process alone.
    """

    RATE = parse("10/minute")

    def __init__(self, storage: ThreadedStorage | None = None) -> None:
        here = ThreadedMovingWindow(ThreadedMemoryStorage())
        self._window = ThreadedMovingWindow(storage) if storage else here
        self._here = here

    def begin(self, email: str, address: str) -> None:
        """Count an attempt before it is judged, so that simultaneous ones count. Raises `RateLimited`."""
        try:
            self._count(self._window, email, address)
        except StorageError as error:
            _log_away(error)
            self._count(self._here, email, address)

    def succeeded(self, email: str, address: str) -> None:
        try:
            self._window.clear(self.RATE, email, address)
        except StorageError as error:
            _log_away(error)
            self._here.clear(self.RATE, email, address)

    def _count(self, window: ThreadedMovingWindow, email: str, address: str) -> None:
        if not window.hit(self.RATE, email, address):
            raise RateLimited(_seconds_until(window.get_window_stats(self.RATE, email, address)[0]))


class EventRate:
    """The events of one connection: a token bucket.

    Not the library's: it awaits a lock for each hit, and this runs for each event of each connection.
    `now`: seconds of any clock that never goes back.
    """

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst, self._left, self._at = rate, burst, burst, now

    def count(self, now: float) -> None:
        """Count one event; a refused one costs nothing. Raises `RateLimited`."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            raise RateLimited((1 - self._left) / self._rate)
        self._left -= 1


class Connections:
    """The open connections of each user to this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[str, int] = {}

    def enter(self, user_id: str) -> None:
        """Raises `TooManyConnections`; then there is nothing to leave."""
        count = self._open.get(user_id, 0)
        if count >= self._most:
            raise TooManyConnections
        self._open[user_id] = count + 1

    def leave(self, user_id: str) -> None:
        """Undo one `enter`. Raises `KeyError` where there was none."""
        self._open[user_id] -= 1
        if not self._open[user_id]:
            del self._open[user_id]

    def __len__(self) -> int:
        return sum(self._open.values())


def _seconds_until(epoch: float) -> int:
    return max(1, math.ceil(epoch - time.time()))


def _log_away(error: StorageError | TimeoutError) -> None:
    cause = error.storage_error if isinstance(error, StorageError) else error
    logger.warning("limits_away error=%s", type(cause).__name__)
