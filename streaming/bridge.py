"""Socket.IO ⇄ ASGI: python-socketio speaks the wire, a Channels consumer does the rest.

Every Socket.IO connection becomes one run of an ordinary ASGI application with the scope
`{"type": "socketio", "sid", "headers", "client"}`, driven as `asgiref.testing.ApplicationCommunicator` drives
one: a task of ours, a queue in, a callable out. `streaming.consumers` lists the messages.
"""

import asyncio
import functools
import logging
import time
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import socketio
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from streaming.connection import CLOSE_SECONDS, Application, Connection
from streaming.wire import (
    EVENT,
    MAX_FRAME,
    Message,
    Quiet,
    Receive,
    Send,
    TextPacket,
    Utf8Json,
    checked_payload,
    checked_websocket,
)

logger = logging.getLogger("tutor.bridge")

PING_INTERVAL, PING_TIMEOUT = 5, 20
DRAIN_SECONDS = 6.0  # how long all connections together may take to end when the process does
POLL_SECONDS = 2.0  # how long a client that polls may take to come for the last of what it is sent
PONG_SECONDS = 2.0  # how long a PING may stay unanswered before its client counts as not reading
WINDOW = 16  # packets that may wait in Engine.IO's queue: what a client that polls gets at once


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


class Bridge:
    """The Socket.IO server, as an ASGI application, over a Channels application for its connections."""

    def __init__(self, application: Application, allowed_origins: list[str], **options: Any) -> None:
        self._application = application
        self._connections: dict[str, Connection] = {}
        self._calls = 0  # requests and WebSockets under way
        self._fewer = asyncio.Event()
        self._draining = False
        self.server = socketio.AsyncServer(
            async_mode="asgi",
            serializer=TextPacket,
            json=Utf8Json,
            max_http_buffer_size=MAX_FRAME,
            # With the first response of a polling client: a proxy learns from it who keeps the session.
            cookie={"name": "io", "path": "/socket.io/", "HttpOnly": True, "SameSite": "Lax"},
            cors_allowed_origins=functools.partial(_is_allowed, allowed_origins),
            ping_interval=PING_INTERVAL,
            ping_timeout=PING_TIMEOUT,
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
                async with asyncio.timeout(PING_INTERVAL + PING_TIMEOUT):
                    await send(message)
            except TimeoutError as error:
                _cut(send)
                raise _Gone from error
            except Exception as error:
                raise _Gone from error

        # The libraries ask only here and there whether whom they answer is still there.
        self._calls += 1
        try:
            with suppress(_Gone):
                await self._serve(scope, receive, send_while_there)
        finally:
            self._calls -= 1
            self._fewer.set()
            if scope["type"] == "websocket":
                asyncio.get_running_loop().call_later(CLOSE_SECONDS, _cut, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        sid = parse_qs(scope["query_string"].decode(errors="replace")).get("sid", [""])[0]
        if self._draining and not sid:
            # Not by a word of Socket.IO: a client whom that refuses does not come back.
            refusal = refuse_websocket(scope, receive, send)
            await (refusal if scope["type"] == "websocket" else _respond(send, 503))
            return
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

    async def _room(self, eio_sid: str) -> None:
        """Wait while a client does not take what it is sent: it has stopped reading, or polling.

        uvicorn's `send` waits for the client, so that Engine.IO's queue grows. daphne's never does: there an
        unanswered PING has to tell.
        """
        transport = self.server.eio.sockets.get(eio_sid)
        while transport and not transport.closed:
            if transport.queue.qsize() >= WINDOW:
                await transport.queue.join()
            elif transport.last_ping and time.time() - transport.last_ping > PONG_SECONDS:
                await asyncio.sleep(0.1)
            else:
                return

    async def _end(self, eio_sid: str) -> None:
        """End a transport, and the request in which it polls."""
        transport = self.server.eio.sockets.get(eio_sid)
        if transport:
            await transport.close(wait=False)

    # --- The end of the process ---------------------------------------------------------------------

    async def drain(self, retry_after: float) -> None:
        """Let every student go, told when to come back; let nobody in. Takes `DRAIN_SECONDS` at most."""
        self._draining = True
        known = {self.server.manager.eio_sid_from_sid(sid, "/") for sid in self._connections}
        for connection in self._connections.values():
            connection.restart(retry_after)
        silent = [self._let_go(eio_sid) for eio_sid in self.server.eio.sockets if eio_sid not in known]
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await asyncio.gather(*silent)
                while self._connections or self._calls:
                    self._fewer.clear()
                    await self._fewer.wait()
        except TimeoutError:
            logger.warning("drain_unfinished connections=%d calls=%d", len(self._connections), self._calls)

    async def _let_go(self, eio_sid: str) -> None:
        """End a transport, once what was sent on it has left."""
        transport = self.server.eio.sockets.get(eio_sid)
        if transport and not transport.upgraded:
            with suppress(TimeoutError):
                await asyncio.wait_for(transport.queue.join(), POLL_SECONDS)
        if transport and transport.upgraded:
            transport.queue.put_nowait(None)  # behind all else: here its writer closes the WebSocket
        elif transport:
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
            lambda: self._room(eio_sid),
            lambda event, payload: self.server.emit(event, payload, to=sid),
            lambda: self._end(eio_sid),
            lambda: self._let_go(eio_sid),
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
            self._fewer.set()

    async def _event(self, kind: object, sid: str, name: str, args: list[Any]) -> Any:
        connection = self._connections.get(sid)
        if connection is None:
            return None
        return await connection.event(name, args, valid=kind is EVENT)


def _cut(send: Send) -> None:
    """Cut a connection whose client takes nothing any more.

    ASGI has no word for it: to close one means to wait until its client has read everything. uvicorn's
    `send` is a method of what holds the transport; daphne cuts by itself.
    """
    transport: Any = getattr(getattr(send, "__self__", None), "transport", None)
    if hasattr(transport, "abort"):
        transport.abort()


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
