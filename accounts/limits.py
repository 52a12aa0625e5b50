"""How much one user may ask for: questions, events, connections, attempts to log in."""

import math
import time
from collections import deque

from limits import RateLimitItem, parse, parse_many
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.storage import MemoryStorage as ThreadedMemoryStorage
from limits.strategies import MovingWindowRateLimiter as ThreadedMovingWindow

from accounts.errors import RateLimited, TooManyConnections


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


class Limits:
    """The rate of accepted asks of each user.

    `storage`: where they are counted, `AskMemory` or the library's on Redis. `rates`: one or more, such as
    `30/minute;500/day`, each in a moving window.
    """

    def __init__(self, storage: Storage, rates: str) -> None:
        self._window = MovingWindowRateLimiter(storage)
        self._rates = parse_many(rates)

    async def ask(self, user_id: str) -> None:
        """Count one ask; one that is refused counts against no rate. Raises `RateLimited`."""
        for rate in self._rates[1:]:  # a hit cannot be taken back, so every further rate is looked at before
            if not await self._window.test(rate, "ask", user_id):
                await self._refuse(rate, user_id)
        for rate in self._rates:
            if not await self._window.hit(rate, "ask", user_id):
                await self._refuse(rate, user_id)

    async def _refuse(self, rate: RateLimitItem, user_id: str) -> None:
        reset, _ = await self._window.get_window_stats(rate, "ask", user_id)
        raise RateLimited(_seconds_until(reset))


class LoginAttempts:
    """At most ten failed attempts a minute to log in with one e-mail from one address, in this process.

    Both together: a class behind one address logs in at once, and nobody locks out another by their e-mail.
    """

    RATE = parse("10/minute")

    def __init__(self) -> None:
        self._window = ThreadedMovingWindow(ThreadedMemoryStorage())

    def begin(self, email: str, address: str) -> None:
        """Count an attempt before it is judged, so that simultaneous ones count. Raises `RateLimited`."""
        if not self._window.hit(self.RATE, email, address):
            raise RateLimited(_seconds_until(self._window.get_window_stats(self.RATE, email, address)[0]))

    def succeeded(self, email: str, address: str) -> None:
        self._window.clear(self.RATE, email, address)


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
