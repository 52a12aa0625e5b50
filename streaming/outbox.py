"""The one way out of a connection: whatever is sent leaves in the order in which it was put."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

Message = dict[str, Any]

LIMIT = 2 << 20  # bytes, about, that may wait for a client that does not read
WAITING = 4000  # bytes, about, of what waits in the bridge for each acknowledgement


class Outbox:
    """Messages on their way to the bridge. `put` never waits, so a decision and its events stay together.

    What is sent is taken when its client reads, so for a client that commands and never reads, messages pile
    up. Whatever is put at once is accepted; beyond `LIMIT` the next is not, all are dropped, and `overflowed`
    is called, which has to end the connection.
    """

    def __init__(self, send: Callable[[Message], Awaitable[None]], overflowed: Callable[[], None]) -> None:
        self._send = send
        self._overflowed = overflowed
        self._messages: deque[tuple[int, Message]] = deque()
        self._size = 0
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, messages: Iterable[Message]) -> None:
        if self._size > LIMIT:
            self._messages.clear()
            self._overflowed()
            return
        for message in messages:
            size = len(repr(message)) + (WAITING if message["type"] == "socketio.ack" else 0)
            self._size += size
            self._messages.append((size, message))
        if self._messages:
            self._empty.clear()
            self._filled.set()

    async def drained(self) -> None:
        """Wait until everything that was put has been taken by the other side."""
        await self._empty.wait()

    async def run(self) -> None:
        """Send what is put, until cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._messages:
                size, message = self._messages.popleft()
                await self._send(message)
                self._size -= size
            self._empty.set()
