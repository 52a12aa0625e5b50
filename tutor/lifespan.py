"""What is let go of when the process ends, whichever server runs it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Close = Callable[[], Awaitable[None]]


class Lifespan:
    """ASGI's lifespan protocol, as uvicorn speaks it: calls `close` at shutdown."""

    def __init__(self, close: Close) -> None:
        self._close = close

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def close_with_reactor(close: Close) -> None:
    """Call `close` when Twisted's reactor stops, if one is installed: daphne knows no lifespan."""
    reactor = sys.modules.get("twisted.internet.reactor")
    if reactor is not None:
        from twisted.internet.defer import Deferred  # noqa: PLC0415 only daphne brings a reactor along

        def closed() -> Any:
            return Deferred.fromFuture(asyncio.ensure_future(close()))

        reactor.addSystemEventTrigger("before", "shutdown", closed)
