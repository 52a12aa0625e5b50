"""Redis restarts empty, forgets everything, or does not answer for a while: who plays does not notice."""

import asyncio
import functools
import os
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import closing

import pytest
import redis

from tests.faults.audience import SETTINGS, Audience, report, shuffled
from tests.faults.conftest import SOAK
from tests.figures import figure
from tests.model_server import ModelServer
from tests.server import MakeCluster, Template
from tests.services import Redis

pytestmark = pytest.mark.faults

FAULTS = 30 * SOAK
REFUSED_SECONDS = 3.5  # one that counts asks and one that looks at sessions wait in turn

Fault = Callable[[Redis, random.Random], Awaitable[None]]


async def restarted(server: Redis, rng: random.Random) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(rng.uniform(0, 0.8))
    await asyncio.to_thread(server.start)


async def flushed(server: Redis, rng: random.Random) -> None:
    await asyncio.sleep(rng.uniform(0, 0.2))
    await asyncio.to_thread(command, server, "FLUSHALL")


async def paused(server: Redis, rng: random.Random) -> None:
    seconds = rng.uniform(1, 3) if rng.random() < 0.9 else 5.0  # the latter is longer than anybody waits
    await asyncio.to_thread(command, server, f"CLIENT PAUSE {round(seconds * 1000)} ALL")
    await asyncio.sleep(seconds)


async def nothing(server: Redis, rng: random.Random) -> None:
    await asyncio.sleep(rng.uniform(0, 0.8))


def command(server: Redis, words: str) -> None:
    with closing(redis.Redis.from_url(server.address, socket_timeout=5)) as client:
        client.execute_command(*words.split())


@pytest.mark.parametrize("fault", [restarted, flushed, paused])
async def test_who_plays_does_not_notice_that_redis(
    cluster: MakeCluster,
    template: Template,
    own_redis: Redis,
    model_server: ModelServer,
    fault: Fault,
) -> None:
    seed = int(os.environ.get("SEED", random.randrange(2**32)))
    rng = random.Random(seed)
    name = fault.__name__
    figure(f"{name}: seed {seed}")
    servers = cluster(2, redis=own_redis, **SETTINGS)
    began = time.monotonic()
    async with Audience(servers, template, model_server, rng) as audience:
        for broken in shuffled(rng, FAULTS, max(3, FAULTS // 4)):
            await audience.endure(
                functools.partial(fault if broken else nothing, own_redis, rng), broken=broken
            )
    figure(f"{name}: {time.monotonic() - began:.0f} s")
    report(name, audience)
    assert max(audience.refused(), default=0.0) <= REFUSED_SECONDS
