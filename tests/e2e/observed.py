"""The product's own application, and beside it pages that count and weigh what the process holds."""

import asyncio
import json
import os
import resource
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from django.conf import settings
from twisted.internet import tcp

from tutor.asgi import application as product
from tutor.asgi import bridge, stage


def counts() -> dict[str, int]:
    manager = bridge.server.manager
    drafts = stage.drafts._by_id.values()
    return {
        "tasks": sum(not is_ping(task) for task in asyncio.all_tasks()),
        "connections": len(bridge._connections),
        "rooms": len(manager.rooms.get("/", {}).get(None, {})),
        "environs": len(bridge.server.environ),
        "sockets": sum(not wire.closed for wire in bridge.server.eio.sockets.values()),
        "playing": len(stage.playing),
        "entered": len(stage.connections),
        "drafts": len(drafts),
        "listeners": sum(len(draft.listeners) for draft in drafts),
    }


TRANSPORTS: WeakSet[Any] = WeakSet()  # of all WebSockets


def weights() -> dict[str, int]:
    """Return bytes: of the process, and of what waits for clients; and how many files are open."""
    packets = [packet for wire in bridge.server.eio.sockets.values() for packet in wire.queue._queue]
    coroutines: list[Any] = [task.get_coro() for task in asyncio.all_tasks()]
    outboxes = [each.cr_frame.f_locals["self"] for each in coroutines if each.__qualname__ == "Outbox.run"]
    return {
        "resident": int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize(),
        "written": sum(map(unsent, TRANSPORTS)),
        "queued": sum(len(packet.encode()) for packet in packets if packet),
        "outboxes": sum(outbox._size for outbox in outboxes),
        "files": files(),
    }


def files() -> int:
    """Return how many files are open, but for connections to the services: their pools grow with the need."""
    services = {settings.DATABASES["default"]["PORT"], urlsplit(settings.REDIS_URL).port} - {None}
    peers = [peer_port(int(path.name)) for path in Path("/proc/self/fd").iterdir()]
    return sum(port not in services for port in peers)


def peer_port(number: int) -> int | None:
    """Return the port that an open file is connected to, if it is one end of a TCP connection."""
    try:
        copy = os.dup(number)
    except OSError:
        return None  # it has been closed meanwhile
    try:
        end = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None  # no socket
    with end:
        try:
            return int(end.getpeername()[1]) if end.family == socket.AF_INET else None
        except OSError:
            return None  # it listens


def unsent(transport: Any) -> int:
    if isinstance(transport, tcp.Connection):
        return len(transport.dataBuffer) - transport.offset + transport._tempDataLen
    return int(transport.get_write_buffer_size())


def observe(send: Any, *, narrow: bool) -> None:
    """Watch the transport of a WebSocket; `narrow`: let the kernel keep little of what is not read."""
    protocol = getattr(send, "__self__", None) or send.args[0]
    transport = protocol.transport
    TRANSPORTS.add(transport)
    if narrow:
        twisted = isinstance(transport, tcp.Connection)
        wire = transport.socket if twisted else transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


PAGES = {"/counts": counts, "/weights": weights}


def is_ping(task: asyncio.Task[Any]) -> bool:
    """Whether a task is Engine.IO waiting for its next PING: that sleeps to its end whatever happens."""
    return getattr(task.get_coro(), "__name__", "") == "_send_ping"


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    page = PAGES.get(scope["path"]) if scope["type"] == "http" else None
    if scope["type"] == "websocket":
        observe(send, narrow=b"narrow" in scope["query_string"])
    if page is None:
        await product(scope, receive, send)
        return
    body = json.dumps(page()).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
