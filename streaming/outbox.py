"""The one way out of a connection: whatever is sent leaves in the order in which it was put."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

Message = dict[str, Any]


class Outbox:
    """Messages on their way to the bridge. `put` never waits, so a decision and its events stay together."""

    def __init__(self, send: Callable[[Message], Awaitable[None]]) -> None:
        self._send = send
        self._messages: deque[Message] = deque()
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, messages: Iterable[Message]) -> None:
        self._messages.extend(messages)
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
                await self._send(self._messages.popleft())
            self._empty.set()
