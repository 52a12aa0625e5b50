"""One Socket.IO connection, and the Channels consumer that it is for the rest of the program."""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from streaming.messages import FALLBACK, error_message
from streaming.protocol import ErrorCode
from streaming.wire import Message, Receive, Send

Application = Callable[[Message, Receive, Send], Awaitable[None]]

logger = logging.getLogger("tutor.bridge")

INBOX = 512  # messages that a consumer may have before it; it takes each without waiting
ACK_SECONDS = 30.0  # how long a client's event may wait for its acknowledgement
CLOSE_SECONDS = 5.0  # how long a consumer may take to end, and a client to take the last of what it is sent
FAILED = {
    "code": ErrorCode.INTERNAL_ERROR.value,
    "message": error_message(ErrorCode.INTERNAL_ERROR, FALLBACK),
}


class Connection:
    """One Socket.IO connection and the consumer that it is for the rest of the program."""

    def __init__(
        self,
        sid: str,
        room: Callable[[], Awaitable[None]],
        emit: Callable[[str, Any], Awaitable[None]],
        died: Callable[[], Coroutine[Any, Any, None]],
        let_go: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._room = room  # returns once the client takes what it is sent
        self._emit = emit
        self._died = died  # called when the consumer ends of an error
        self._let_go = let_go  # called when the consumer has said its last
        self._inbox: asyncio.Queue[Message] = asyncio.Queue(INBOX)
        self._acks: dict[int, asyncio.Future[Any]] = {}
        self._next_ack = 0
        self._task: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        self._verdict: asyncio.Future[Message] = loop.create_future()

    async def open(self, application: Application, scope: Message, auth: object) -> Message:
        """Run the consumer, and return whether it accepts the connection."""
        self._inbox.put_nowait({"type": "socketio.connect", "auth": auth})
        # A fresh context: nothing of the request that happens to carry the connection leaks into it.
        self._task = asyncio.create_task(
            self._run(application, scope), context=contextvars.Context(), name=f"connection {scope['sid']}"
        )
        return await self._verdict

    async def event(self, name: str, args: list[Any], *, valid: bool = True) -> Any:
        """Hand an event to the consumer, and return its acknowledgement."""
        future = asyncio.get_running_loop().create_future()
        self._next_ack, ack = self._next_ack + 1, self._next_ack
        message = {"type": "socketio.event", "event": name, "args": args, "ack": ack}
        if not valid:
            message = {"type": "socketio.invalid", "ack": ack}
        self._acks[ack] = future
        try:
            self._inbox.put_nowait(message)
            async with asyncio.timeout(ACK_SECONDS):
                return await future
        except (TimeoutError, asyncio.QueueFull):
            # A consumer only passes messages on: one that keeps this long, or this many, is stuck.
            return {"ok": False, "error": FAILED}
        finally:
            del self._acks[ack]

    def restart(self, retry_after: float) -> None:
        """Tell the consumer that the process ends."""
        with suppress(asyncio.QueueFull):
            self._inbox.put_nowait({"type": "socketio.restart", "retry_after": retry_after})

    async def close(self) -> None:
        """Tell the consumer that its connection is gone, and see it out."""
        if self._task is None:
            return
        with suppress(asyncio.QueueFull):
            self._inbox.put_nowait({"type": "socketio.disconnect"})
            await asyncio.wait({self._task}, timeout=CLOSE_SECONDS)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self, application: Application, scope: Message) -> None:
        try:
            await application(scope, self._inbox.get, self._send)
        except Exception as error:  # noqa: BLE001 whatever it was, its client must not wait for ever
            logger.error("consumer_died error=%s", type(error).__name__)
            if self._verdict.done():
                self._ending = asyncio.create_task(self._died())
        finally:
            if not self._verdict.done():
                self._verdict.set_result({"type": "socketio.refuse", **FAILED})
            for future in self._acks.values():
                if not future.done():
                    future.set_result(None)

    async def _send(self, message: Message) -> None:
        match message["type"]:
            case "socketio.emit":
                await self._room()
                await self._emit(message["event"], message["payload"])
            case "socketio.ack":
                await self._room()
                future = self._acks.get(message["ack"])
                if future and not future.done():
                    future.set_result(message["payload"])
                    # Let the handler that waits for this go first: what follows must not overtake its answer.
                    await asyncio.sleep(0)
            case "socketio.close":
                self._ending = asyncio.create_task(self._let_go())
            case "socketio.accept" | "socketio.refuse":
                if not self._verdict.done():
                    self._verdict.set_result(message)
