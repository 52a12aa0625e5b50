"""Whether this process lives, and whether it can do its work."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import close_old_connections, connection
from django.http import HttpRequest, JsonResponse
from redis.asyncio import Redis

from tutor.lifespan import Ending

logger = logging.getLogger("tutor.health")

PROBE_SECONDS = 2.0  # how long an answer waits for a part
GIVE_UP_SECONDS = 10.0  # when a probe that hangs is given up, and the next one begins anew

_thread = ThreadPoolExecutor(1, thread_name_prefix="probe")  # all that a database that hangs can hold
_probing: dict[str, asyncio.Task[None]] = {}


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


async def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when every part answers in time, else 503; the body names each part."""
    if Ending.begun:
        return JsonResponse({"ok": False, "ending": True}, status=503)
    names = list(PROBES)
    answers = await asyncio.gather(*(_answers(name) for name in names))
    parts = dict(zip(names, answers, strict=True))
    return JsonResponse({"ok": all(answers), **parts}, status=200 if all(answers) else 503)


async def _answers(name: str) -> bool:
    """Whether a part answers. Whoever asks while it is being probed shares that probe."""
    probe = _probing.get(name)
    if probe is None:
        probe = _probing[name] = asyncio.create_task(_probe(name))

        def probed(task: asyncio.Task[None]) -> None:
            del _probing[name]
            if not task.cancelled():
                task.exception()  # seen, where nobody waits for it any more

        probe.add_done_callback(probed)
    await asyncio.wait({probe}, timeout=PROBE_SECONDS)
    error = probe.exception() if probe.done() else TimeoutError()
    if error:
        logger.warning("not_ready part=%s error=%s", name, type(error).__name__)
    return error is None


async def _probe(name: str) -> None:
    async with asyncio.timeout(GIVE_UP_SECONDS):
        await PROBES[name]()


async def _database() -> None:
    def ask() -> None:
        close_old_connections()
        try:
            with connection.cursor() as cursor:  # of the thread in which this runs
                cursor.execute("SELECT 1")
        finally:
            close_old_connections()

    await asyncio.get_running_loop().run_in_executor(_thread, ask)


async def _redis() -> None:
    if settings.REDIS_URL:
        # A new client: that an old connection hangs says nothing of Redis.
        async with Redis.from_url(settings.REDIS_URL, socket_timeout=PROBE_SECONDS) as client:
            await client.get("probe")


async def _channel_layer() -> None:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.send(channel, {"type": "probe"})
    await layer.receive(channel)


PROBES: dict[str, Callable[[], Awaitable[None]]] = {
    "database": _database,
    "redis": _redis,
    "channel_layer": _channel_layer,
}
