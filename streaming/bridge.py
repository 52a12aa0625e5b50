"""Socket.IO ⇄ ASGI: python-socketio speaks the wire, a Channels consumer does the rest.

Every Socket.IO connection becomes one run of an ordinary ASGI application with the scope
`{"type": "socketio", "sid", "headers", "client"}`, driven as `asgiref.testing.ApplicationCommunicator` drives
one: a task of ours, a queue in, a callable out. `streaming.consumers` lists the messages.
"""

import asyncio
import contextvars
import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import socketio
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from streaming.messages import FALLBACK, error_message
from streaming.protocol import ErrorCode
from streaming.wire import (
    EVENT,
    MAX_FRAME,
    Message,
    Quiet,
    Receive,
    TextPacket,
    Utf8Json,
    checked_payload,
    checked_websocket,
)

Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

logger = logging.getLogger("tutor.bridge")

INBOX = 512  # messages that a consumer may have before it; it takes each without waiting
ACK_SECONDS = 30.0  # how long a client's event may wait for its acknowledgement
CLOSE_SECONDS = 5.0  # how long a consumer may take to end
FAILED = {
    "code": ErrorCode.INTERNAL_ERROR.value,
    "message": error_message(ErrorCode.INTERNAL_ERROR, FALLBACK),
}


def _is_allowed(foreign: list[str], origin: str, environ: Message) -> bool:
    """Whether a page of this origin may connect: our own, by the host that it asked for, or a listed one."""
    host = environ.get("HTTP_HOST", "")
    ours = validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
    try:
        return origin in foreign or (ours and urlsplit(origin).netloc == host)
    except ValueError:
        return False


class _Gone(Exception):
    """A client has gone in the middle of an answer."""


class Connection:
    """One Socket.IO connection and the consumer that it is for the rest of the program."""

    def __init__(
        self,
        sid: str,
        emit: Callable[[str, Any], Awaitable[None]],
        died: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._emit = emit
        self._died = died  # called when the consumer ends of an error
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
                await self._emit(message["event"], message["payload"])
            case "socketio.ack":
                future = self._acks.get(message["ack"])
                if future and not future.done():
                    future.set_result(message["payload"])
                    # Let the handler that waits for this go first: what follows must not overtake its answer.
                    await asyncio.sleep(0)
            case "socketio.accept" | "socketio.refuse":
                if not self._verdict.done():
                    self._verdict.set_result(message)


class Bridge:
    """The Socket.IO server, as an ASGI application, over a Channels application for its connections."""

    def __init__(self, application: Application, allowed_origins: list[str], **options: Any) -> None:
        self._application = application
        self._connections: dict[str, Connection] = {}
        self.server = socketio.AsyncServer(
            async_mode="asgi",
            serializer=TextPacket,
            json=Utf8Json,
            max_http_buffer_size=MAX_FRAME,
            cors_allowed_origins=functools.partial(_is_allowed, allowed_origins),
            ping_interval=5,
            ping_timeout=20,
            logger=Quiet("tutor.socketio"),
            engineio_logger=Quiet("tutor.engineio"),
            **options,
        )
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self.server.on("*", self._event)
        self._asgi = socketio.ASGIApp(self.server)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        async def send_while_there(message: Message) -> None:
            try:
                await send(message)
            except Exception as error:
                raise _Gone from error

        # The libraries ask only here and there whether whom they answer is still there.
        with suppress(_Gone):
            await self._serve(scope, receive, send_while_there)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        sid = parse_qs(scope["query_string"].decode(errors="replace")).get("sid", [""])[0]
        if scope["type"] == "websocket":
            try:
                await self._asgi(scope, checked_websocket(receive), send)
            finally:
                polled = self.server.eio.sockets.get(sid)
                if polled and not polled.upgraded:
                    polled.upgrading = False  # else an upgrade that failed would end the polling too
            return
        body = await _read_body(receive)
        if body is None:
            return
        payload = checked_payload(body) if scope["method"] == "POST" else (body, False)
        if payload is None:
            await self._end(sid)
            await _respond(send, 400)
            return
        frames, closes = payload
        await self._asgi(*_with_body(scope, receive, frames), send)
        if closes:
            await self._end(sid)

    async def _end(self, eio_sid: str) -> None:
        """End a transport, and the request in which it polls."""
        transport = self.server.eio.sockets.get(eio_sid)
        if transport:
            await transport.close(wait=False)

    # These signatures are the library's: with others it calls a handler a second time.

    async def _connect(self, sid: str, environ: Message, auth: object) -> None:
        asgi = environ["asgi.scope"]
        scope = {
            "type": "socketio",
            "sid": sid,
            "path": asgi["path"],
            "headers": asgi["headers"],
            "client": asgi.get("client"),
        }
        eio_sid = self.server.manager.eio_sid_from_sid(sid, "/")
        connection = Connection(
            sid,
            lambda event, payload: self.server.emit(event, payload, to=sid),
            lambda: self._end(eio_sid),
        )
        self._connections[sid] = connection
        verdict = await connection.open(self._application, scope, auth)
        # The library forgets to say that a client has gone while it was being let in.
        gone = eio_sid not in self.server.environ
        if gone or verdict["type"] == "socketio.refuse":
            del self._connections[sid]
            await connection.close()
            error = {name: verdict.get(name, "") for name in ("code", "message")}
            raise socketio.exceptions.ConnectionRefusedError(error["message"], error)

    async def _disconnect(self, sid: str, reason: str) -> None:
        connection = self._connections.pop(sid, None)
        if connection:
            await connection.close()

    async def _event(self, kind: object, sid: str, name: str, args: list[Any]) -> Any:
        connection = self._connections.get(sid)
        if connection is None:
            return None
        return await connection.event(name, args, valid=kind is EVENT)


async def _read_body(receive: Receive) -> bytes | None:
    """Return the body of a request, up to where it is too long, or None if its client has gone."""
    body, more = b"", True
    while more and len(body) <= MAX_FRAME:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _with_body(scope: Message, receive: Receive, body: bytes) -> tuple[Message, Receive]:
    """Return a request anew with this body."""
    headers = [header for header in scope["headers"] if header[0] != b"content-length"]
    request: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return request.pop() if request else await receive()

    return {**scope, "headers": [*headers, (b"content-length", b"%d" % len(body))]}, receive_again


async def _respond(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def refuse_websocket(scope: Message, receive: Receive, send: Send) -> None:
    """End a WebSocket that asks for a path where there is none."""
    await receive()
    await send({"type": "websocket.close"})
