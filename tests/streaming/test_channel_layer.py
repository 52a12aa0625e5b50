"""The channel layer on a real Redis: order, storms, and what Redis does to it."""

import asyncio
import gc
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis as Client

from streaming.layer import OneReaderLayer
from tests.services import Redis
from tutor import settings

STUDENTS = 300


@asynccontextmanager
async def layer_on(url: str, **changes: Any) -> AsyncIterator[OneReaderLayer]:
    """A process's layer, with the product's settings."""
    layer = OneReaderLayer(**{**settings.channel_layer(url)["CONFIG"], **changes})
    try:
        yield layer
    finally:
        await layer.close_pools()


@pytest.fixture
def url(redis_service: Redis) -> str:
    return redis_service.database()


class Listener:
    """Receives on a channel of its own as a consumer does, for good."""

    def __init__(self, layer: OneReaderLayer) -> None:
        self._layer = layer
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.failures = 0

    async def __aenter__(self) -> "Listener":
        self.channel = await self._layer.new_channel()
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _listen(self) -> None:
        while True:
            try:
                self.heard.put_nowait(await self._layer.receive(self.channel))
            except ConnectionError:
                self.failures += 1

    async def next(self, seconds: float = 5) -> int:
        async with asyncio.timeout(seconds):
            return int((await self.heard.get())["n"])


@asynccontextmanager
async def listeners(layer: OneReaderLayer, count: int) -> AsyncIterator[list[Listener]]:
    everybody = [Listener(layer) for _ in range(count)]
    for one in everybody:
        await one.__aenter__()
    try:
        yield everybody
    finally:
        await asyncio.gather(*(one.__aexit__() for one in everybody))


async def send(layer: OneReaderLayer, channel: str, n: int) -> None:
    await layer.send(channel, {"type": "test", "n": n})


async def test_messages_of_one_sender_arrive_in_order_at_their_channel(url: str) -> None:
    async with layer_on(url) as here, layer_on(url) as there, listeners(here, 3) as heard:
        for n in range(200):
            await send(there, heard[n % 2].channel, n)
        assert [await heard[0].next() for _ in range(100)] == list(range(0, 200, 2))
        assert [await heard[1].next() for _ in range(100)] == list(range(1, 200, 2))
        assert heard[2].heard.empty()


async def test_a_storm_of_students_who_come_back_loses_nothing(url: str) -> None:
    async with layer_on(url) as here, layer_on(url) as there, listeners(here, STUDENTS) as heard:
        began = time.monotonic()
        await asyncio.gather(*(send(there, one.channel, n) for n, one in enumerate(heard)))
        assert [await one.next(10) for one in heard] == list(range(STUDENTS))
        assert time.monotonic() - began < 5


async def test_students_who_leave_take_no_message_of_others_along(url: str) -> None:
    async with layer_on(url) as here, layer_on(url) as there, listeners(here, 1) as stays:
        for n in range(100):
            leaver = Listener(here)
            await leaver.__aenter__()
            sending = asyncio.create_task(send(there, stays[0].channel, n))
            for _ in range(n % 10):
                await asyncio.sleep(0)
            await leaver.__aexit__()
            await sending
        assert [await stays[0].next() for _ in range(100)] == list(range(100))


async def test_nothing_is_kept_for_those_who_have_left(url: str) -> None:
    async with layer_on(url) as here, layer_on(url) as there, listeners(here, 1) as stays:
        for _ in range(50):
            name = str(await here.new_channel())
            await send(there, name, 1)
        await send(there, stays[0].channel, 2)
        assert await stays[0].next() == 2
        gc.collect()
        assert len(here._open) == 1
        assert not here.receive_buffer
        async with Client.from_url(url) as client:
            keys = [key async for key in client.scan_iter()]
            assert all(key.startswith(b"channel:") for key in keys)
            lives = [await client.ttl(key) for key in keys if not key.endswith(b"inflight")]
            assert all(0 < seconds <= 10 for seconds in lives)


async def outage_kill(server: Redis) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(0.5)
    await asyncio.to_thread(server.start)


async def outage_restart(server: Redis) -> None:
    await asyncio.to_thread(server.restart)


async def outage_flush(server: Redis) -> None:
    async with Client.from_url(server.url) as client:
        await client.flushall()


async def outage_cut(server: Redis) -> None:
    """Redis ends every connection, as it does with readers who are too slow."""
    async with Client.from_url(server.url) as client:
        await client.client_kill_filter(_type="normal", skipme=True)


async def outage_hang(server: Redis) -> None:
    os.kill(server.pid, signal.SIGSTOP)
    await asyncio.sleep(1)
    os.kill(server.pid, signal.SIGCONT)


@pytest.mark.parametrize("outage", [outage_kill, outage_restart, outage_flush, outage_cut, outage_hang])
async def test_after_an_outage_all_hear_again_within_a_second_and_one_line_says_so(
    own_redis: Redis, caplog: pytest.LogCaptureFixture, outage: Callable[[Redis], Any]
) -> None:
    async with (
        layer_on(own_redis.url) as here,
        layer_on(own_redis.url) as there,
        listeners(here, STUDENTS) as heard,
    ):
        await send(there, heard[0].channel, 0)
        assert await heard[0].next() == 0
        caplog.clear()
        await outage(own_redis)
        back = time.monotonic()
        await send(there, heard[-1].channel, 1)  # connections that were cut are noticed before they are used
        assert await heard[-1].next() == 1
        assert time.monotonic() - back < 1
        await asyncio.gather(*(send(there, one.channel, n) for n, one in enumerate(heard)))
        assert [await one.next() for one in heard] == list(range(STUDENTS))
        assert sum(one.failures for one in heard) == 0
    ours = [record.message for record in caplog.records if record.name == "tutor.layer"]
    assert len(ours) <= 1
    assert [record for record in caplog.records if record.levelno > logging.WARNING] == []


async def test_a_redis_that_was_never_there_is_found_when_it_comes(own_redis: Redis) -> None:
    url = own_redis.url
    own_redis.stop()
    async with layer_on(url) as here, layer_on(url) as there, listeners(here, 3) as heard:
        with pytest.raises(Exception, match="connecting to"):
            await send(there, heard[0].channel, 0)
        own_redis.start()
        await send(there, heard[0].channel, 1)
        assert await heard[0].next(1) == 1


async def test_a_full_channel_is_the_senders_to_know_and_others_go_on(url: str) -> None:
    from channels.exceptions import ChannelFull

    async with layer_on(url, capacity=5) as here, layer_on(url, capacity=5) as there:
        name = await here.new_channel()
        with pytest.raises(ChannelFull):
            for n in range(6):
                await send(there, name, n)
        assert [(await here.receive(name))["n"] for _ in range(5)] == list(range(5))


async def test_a_layer_can_be_used_from_one_loop_after_another(url: str) -> None:
    layer = OneReaderLayer(**settings.channel_layer(url)["CONFIG"])

    async def round_trip() -> dict[str, Any]:
        try:
            channel = await layer.new_channel()
            await send(layer, channel, 1)
            return await layer.receive(channel)
        finally:
            await layer.close_pools()

    for _ in range(2):
        assert (await asyncio.to_thread(asyncio.run, round_trip()))["n"] == 1


async def test_the_reader_and_senders_end_when_they_are_told_to(url: str) -> None:
    async with layer_on(url) as there:
        for turn in range(60):
            async with asyncio.timeout(5), layer_on(url) as here:
                name = await here.new_channel()
                for n in range(3):
                    await send(here, name, n)
                for _ in range(3):
                    await here.receive(name)

                async def send_on(name: str = name) -> None:
                    while True:
                        await send(there, name, 0)

                sending = asyncio.create_task(send_on())
                for _ in range(turn % 30):
                    await asyncio.sleep(0)
                sending.cancel()
                await asyncio.wait([sending])


@pytest.mark.parametrize("address", ["rediss://:secret@cache.example:6380/2", "unix:///run/redis.sock?db=1"])
async def test_every_kind_of_address_is_understood(address: str) -> None:
    async with layer_on(address) as layer:
        pool = layer.create_pool(0)
        assert pool.connection_class.__name__ in ("SSLConnection", "UnixDomainSocketConnection")
        assert pool.connection_kwargs.get("socket_timeout") is None, "reads block"
        pool.make_connection()
