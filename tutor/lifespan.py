"""How a process ends, whichever server runs it.

At the first signal, while everything still works, students are told and their places kept. Only then does the
server hear of the signal and close what is left. A second signal reaches it at once.
"""

import asyncio
import functools
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, ClassVar

logger = logging.getLogger("tutor.lifespan")

Message = dict[str, Any]
Handler = Callable[[int, FrameType | None], Any]

RETRY_SECONDS = 2.0  # after which a student may come back: to another process, or to this one started anew
CLOSE_SECONDS = 1.5
# A thread that waits for a database that is away would keep the process for ever.
EXIT_SECONDS = 9.0  # after the signal
SERVER_SECONDS = 3.0  # after the students have gone
SAME_SIGNAL = 1.0  # seconds: a terminal or a supervisor may signal parent and child, and the parent its child


class Ending:
    """What has to happen before the process may end; once, whoever asks for it."""

    begun: ClassVar[bool] = False  # of the process, which has but one end

    def __init__(
        self, drain: Callable[[float], Awaitable[None]], close: Callable[[], Awaitable[None]]
    ) -> None:
        self._drain, self._close = drain, close
        self._task: asyncio.Task[None] | None = None
        self._signalled = 0.0

    async def __call__(self) -> None:
        """Let the students go, then let go of what they shared."""
        if self._task is None:
            Ending.begun = True
            self._task = asyncio.create_task(self._end())
        await asyncio.shield(self._task)

    async def _end(self) -> None:
        began = time.monotonic()
        await _whatever("drain", self._drain(RETRY_SECONDS))
        await _whatever("close", asyncio.wait_for(self._close(), CLOSE_SECONDS))
        logger.info("drained seconds=%.2f", time.monotonic() - began)

    def begin_at_signals(self) -> None:
        """Come before the server's own signal handlers; a server without any is left alone."""
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            handler = signal.getsignal(number)
            if callable(handler) and handler is not signal.default_int_handler:
                signal.signal(number, functools.partial(self._signal, loop, handler))

    def _signal(
        self, loop: asyncio.AbstractEventLoop, handler: Handler, number: int, frame: FrameType | None
    ) -> None:
        now = time.monotonic()
        if not self._signalled:
            self._signalled = now
            _exit_after(EXIT_SECONDS)
            loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._hand_on(handler, number)))
        elif now - self._signalled > SAME_SIGNAL:
            handler(number, frame)

    async def _hand_on(self, handler: Handler, number: int) -> None:
        await self()
        _exit_after(SERVER_SECONDS)
        handler(number, None)


class Lifespan:
    """ASGI's lifespan protocol, as uvicorn speaks it."""

    def __init__(self, ending: Ending) -> None:
        self._ending = ending

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._ending()
            else:
                self._ending.begin_at_signals()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def end_with_reactor(ending: Ending) -> None:
    """Do the same with Twisted's reactor, if one is installed: daphne knows no lifespan.

    Its own work before the reactor stops is to cancel every connection, so ours must be done when it stops.
    """
    reactor: Any = sys.modules.get("twisted.internet.reactor")
    if reactor is not None:
        from twisted.internet.defer import Deferred  # noqa: PLC0415 only daphne brings a reactor along

        def ended() -> Any:
            return Deferred.fromFuture(asyncio.ensure_future(ending()))

        # Once running: it installs its signal handlers when it starts, and only then is there a loop.
        reactor.callWhenRunning(reactor.callLater, 0, ending.begin_at_signals)
        reactor.addSystemEventTrigger("before", "shutdown", ended)


def _exit_after(seconds: float) -> None:
    last_resort = threading.Timer(seconds, os._exit, [0])
    last_resort.daemon = True
    last_resort.start()


async def _whatever(part: str, work: Awaitable[None]) -> None:
    """Do a part of the end; that it failed must not keep the process from ending."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 each part has its own errors
        logger.error("ending_failed part=%s error=%s", part, type(error).__name__)
