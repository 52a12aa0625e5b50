"""Whether this process lives, and whether what it needs answers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from redis.asyncio import Redis

from answers.database import in_database

logger = logging.getLogger("tutor.health")

PROBE_SECONDS = 2.0


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


async def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when every part answers in time, else 503; the body names each part."""
    names = list(PROBES)
    answers = await asyncio.gather(*(_answers(name, PROBES[name]) for name in names))
    parts = dict(zip(names, answers, strict=True))
    return JsonResponse({"ok": all(answers), **parts}, status=200 if all(answers) else 503)


async def _answers(name: str, probe: Callable[[], Awaitable[None]]) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except Exception as error:  # noqa: BLE001 each part has its own errors
        logger.warning("not_ready part=%s error=%s", name, type(error).__name__)
        return False
    return True


async def _database() -> None:
    def connect() -> None:
        connection.ensure_connection()  # that of the thread in which it runs

    await in_database(connect)


async def _redis() -> None:
    if settings.REDIS_URL:
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
