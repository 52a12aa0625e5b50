"""What every store keeps to, in memory and on a real Redis."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest
from redis.asyncio import Redis as Client

from answers.errors import StoreAway
from answers.store import MemoryStore, RedisStore, Store
from tests.services import Redis

SECONDS = 0.3  # the patience of stores here


class Clock:
    """Seconds that pass when told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def redis_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("redis_service").database())


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore(clock)
        return
    async with aclosing(RedisStore(request.getfixturevalue("redis_service").database())) as store:
        yield store


async def test_a_key_holds_what_was_written_last(store: Store) -> None:
    assert await store.get("a") is None
    assert await store.compare_and_set("a", None, "1", 10)
    assert await store.get("a") == "1"
    assert await store.compare_and_set("a", "1", "2", 10)
    assert await store.get("a") == "2"
    assert await store.get("b") is None


@pytest.mark.parametrize(
    "text",
    ["", "2ñ\n∑ 👩‍🚀 \u202e", "nul \0 and \r\n", '{"json": "\\u0000 \\ud800"}', "0", "nil", "x" * 300 * 1024],
    ids=["empty", "unicode", "control", "escapes", "digit", "lua", "300 KiB"],
)
async def test_a_text_comes_back_as_it_was(store: Store, text: str) -> None:
    assert await store.compare_and_set(text[:50] or "a", None, text, 10)
    assert await store.get(text[:50] or "a") == text
    assert not await store.compare_and_set(text[:50] or "a", None, "1", 10)
    assert await store.compare_and_set(text[:50] or "a", text, "1", 10)


async def test_a_write_that_expected_something_else_changes_nothing(store: Store) -> None:
    assert not await store.compare_and_set("a", "1", "2", 10)
    assert await store.get("a") is None
    await store.compare_and_set("a", None, "1", 10)
    for wrong in (None, "2", ""):
        assert not await store.compare_and_set("a", wrong, "3", 10)
    assert await store.get("a") == "1"


async def test_a_repeated_write_is_told_that_it_was_done(store: Store) -> None:
    for _ in range(2):
        assert await store.compare_and_set("a", None, "1", 10)
    for _ in range(2):
        assert await store.compare_and_set("a", "1", "2", 10)
    assert not await store.compare_and_set("a", None, "1", 10)


async def test_of_many_writes_at_once_one_succeeds(store: Store) -> None:
    done = await asyncio.gather(*(store.compare_and_set("a", None, str(n), 10) for n in range(20)))
    assert done.count(True) == 1
    assert await store.get("a") == str(done.index(True))


async def test_many_are_read_at_once_in_the_order_in_which_they_are_asked_for(store: Store) -> None:
    for n in range(5):
        await store.compare_and_set(f"k{n}", None, str(n), 10)
    assert await store.get_many(["k3", "none", "k0", "k3"]) == ["3", None, "0", "3"]
    assert await store.get_many([]) == []
    assert (
        await store.get_many([f"k{n % 7}" for n in range(1000)])
        == (["0", "1", "2", "3", "4", None, None] * 143)[:1000]
    )


async def test_what_was_deleted_is_gone(store: Store) -> None:
    await store.compare_and_set("a", None, "1", 10)
    await store.delete("a")
    await store.delete("a")
    assert await store.get("a") is None
    assert await store.compare_and_set("a", None, "2", 10)


async def test_each_write_renews_the_time_to_live(clock: Clock) -> None:
    store = MemoryStore(clock)
    await store.compare_and_set("a", None, "1", 10)
    clock.now += 9
    assert await store.compare_and_set("a", "1", "2", 10)
    clock.now += 9
    assert await store.get("a") == "2"
    clock.now += 1
    assert await store.get("a") is None
    assert not await store.compare_and_set("a", "2", "3", 10), "what has expired is nothing"
    assert await store.compare_and_set("a", None, "3", 10)


async def test_each_write_renews_the_time_to_live_on_redis(redis_url: str) -> None:
    async with aclosing(RedisStore(redis_url)) as store, Client.from_url(redis_url) as client:
        await store.compare_and_set("a", None, "1", 10)
        assert 9_000 < await client.pttl("a") <= 10_000
        await store.compare_and_set("a", "1", "2", 100)
        assert 99_000 < await client.pttl("a") <= 100_000
        assert not await store.compare_and_set("a", "1", "2?", 500)
        await store.compare_and_set("a", "1", "2", 200)
        assert 199_000 < await client.pttl("a") <= 200_000, "a repeated write is a write"
        await store.compare_and_set("short", None, "1", 0.05)
        await asyncio.sleep(0.06)
        assert await store.get("short") is None
        assert await store.compare_and_set("short", None, "2", 0.0001), "never without an end"
        assert await client.pttl("short") in (-2, 0, 1)


async def test_memory_forgets_what_has_expired(clock: Clock) -> None:
    store = MemoryStore(clock)
    for n in range(MemoryStore.SWEEP_EVERY - 1):
        await store.compare_and_set(str(n), None, "x", 10)
    clock.now += 11
    await store.compare_and_set("last", None, "x", 10)
    assert list(store._values) == ["last"]


def calls(store: Store) -> list[Any]:
    return [
        store.get("a"),
        store.get_many(["a", "b"]),
        store.compare_and_set("a", None, "1", 10),
        store.delete("a"),
    ]


async def all_away(store: Store) -> float:
    """Check that every method says that the store is away; return the seconds of the slowest."""
    began = time.monotonic()
    for result in await asyncio.gather(*calls(store), return_exceptions=True):
        assert isinstance(result, StoreAway), result
        assert (result.code, result.retry_after) == ("server_busy", 1.0)
    return time.monotonic() - began


@pytest.mark.parametrize("end", [Redis.stop, Redis.kill])
async def test_a_redis_that_is_down_is_away_at_once_and_back_as_soon(
    own_redis: Redis, end: Callable[[Redis], None]
) -> None:
    async with aclosing(RedisStore(own_redis.url, SECONDS)) as store:
        await asyncio.gather(*(store.get(str(n)) for n in range(20)))  # connections that then are cut
        await store.compare_and_set("a", None, "1", 10)
        end(own_redis)
        assert await all_away(store) < SECONDS
        own_redis.start()
        assert await asyncio.gather(*(store.get("a") for _ in range(40))) == [None] * 40
        assert await store.compare_and_set("a", None, "2", 10), "the script is known anew"


async def test_a_restart_that_nobody_saw_costs_nothing(own_redis: Redis) -> None:
    async with aclosing(RedisStore(own_redis.url, SECONDS)) as store:
        await asyncio.gather(*(store.compare_and_set(str(n), None, "1", 10) for n in range(20)))
        own_redis.restart()
        written = [store.compare_and_set(str(n), None, "2", 10) for n in range(40)]
        assert all(await asyncio.gather(*written))


async def test_a_redis_that_hangs_is_away_when_patience_is_at_its_end(own_redis: Redis) -> None:
    async with aclosing(RedisStore(own_redis.url, SECONDS)) as store:
        await store.get("a")
        os.kill(own_redis.pid, signal.SIGSTOP)
        try:
            assert SECONDS < await all_away(store) < 2 * SECONDS
        finally:
            os.kill(own_redis.pid, signal.SIGCONT)
        await store.delete("a")
        async with Client.from_url(own_redis.url) as client:
            await client.client_pause(700)
        assert await all_away(store) < 2 * SECONDS
        await asyncio.sleep(0.2)
        assert await store.compare_and_set("b", None, "1", 10)


async def test_an_address_where_nobody_answers_is_away_soon() -> None:
    async with aclosing(RedisStore("redis://192.0.2.1:6379/0", SECONDS)) as store:
        assert await all_away(store) < 2 * SECONDS


async def test_a_caller_who_leaves_midway_never_gives_another_its_reply(redis_url: str) -> None:
    async with aclosing(RedisStore(redis_url)) as store:
        for n in range(50):
            await store.compare_and_set(str(n), None, f"value {n}", 60)
        for turn in range(200):
            leaving = [asyncio.ensure_future(store.get(str(n))) for n in range(3)]
            leaving.append(asyncio.ensure_future(store.get_many([str(n) for n in range(50)])))
            for _ in range(turn % 12):  # at every point of the way
                await asyncio.sleep(0)
            for task in leaving:
                task.cancel()
            n = turn % 50
            assert await store.get(str(n)) == f"value {n}"
            assert await store.get_many([str(n), "none"]) == [f"value {n}", None]
            await asyncio.gather(*leaving, return_exceptions=True)
        async with Client.from_url(redis_url) as client:
            assert len(await client.client_list()) < 50, "connections are used again"


async def test_whoever_is_told_to_end_ends(store: Store) -> None:
    """A cancellation that got lost on the way would leave a task running that somebody waits for."""

    async def work() -> None:
        while True:
            await store.get("a")
            await asyncio.sleep(0)

    for turn in range(60):
        task = asyncio.create_task(work())
        for _ in range(turn):
            await asyncio.sleep(0)
        task.cancel()
        _, running = await asyncio.wait([task], timeout=2)
        assert not running, turn
