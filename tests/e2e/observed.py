"""The product's own application, and beside it a page that counts what the process holds."""

import asyncio
import json
from typing import Any

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
        "sockets": sum(not socket.closed for socket in bridge.server.eio.sockets.values()),
        "playing": len(stage.playing),
        "entered": len(stage.connections),
        "drafts": len(drafts),
        "listeners": sum(len(draft.listeners) for draft in drafts),
    }


def is_ping(task: asyncio.Task[Any]) -> bool:
    """Whether a task is Engine.IO waiting for its next PING: that sleeps to its end whatever happens."""
    return getattr(task.get_coro(), "__name__", "") == "_send_ping"


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http" or scope["path"] != "/counts":
        await product(scope, receive, send)
        return
    body = json.dumps(counts()).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
