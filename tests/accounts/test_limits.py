"""Limits: what is within them passes at once, what is beyond is told how long to wait."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, nullcontext
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis as Client

from accounts.errors import RateLimited, TooManyConnections
from accounts.limits import (
    AskMemory,
    Connections,
    EventRate,
    Limits,
    LoginAttempts,
    ask_storage,
    login_storage,
)
from tests.services import Redis

hour = count(1_800_000_000, 3600)


class Clock:
    def __init__(self) -> None:
        self.now = float(next(hour))

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr("time.time", clock)
    return clock


@pytest.fixture(params=["memory", "redis"])
def redis_url(request: pytest.FixtureRequest) -> str:
    """Where it is counted: nowhere but here, or on a Redis."""
    return "" if request.param == "memory" else str(request.getfixturevalue("redis_service").database())


@pytest.fixture
async def storage(redis_url: str) -> AsyncIterator[AskMemory]:
    async with aclosing(ask_storage(redis_url)) as storage:
        yield storage


async def accepted(limits: Limits, user: str, times: int, *, in_turn: bool = False) -> int:
    turn = asyncio.Lock() if in_turn else nullcontext()

    async def ask() -> None:
        async with turn:
            await limits.ask(user)

    answers = await asyncio.gather(*(ask() for _ in range(times)), return_exceptions=True)
    assert all(answer is None or isinstance(answer, RateLimited) for answer in answers)
    return answers.count(None)


async def test_asks_beyond_the_rate_wait_exactly_until_one_is_free_again(
    clock: Clock, storage: AskMemory
) -> None:
    limits = Limits(storage, "3/minute")
    for _ in range(3):
        await limits.ask("ana")
        clock.now += 10
    with pytest.raises(RateLimited) as refused:
        await limits.ask("ana")
    assert (refused.value.code, refused.value.retry_after) == ("rate_limited", 30)
    clock.now += 29.8
    assert await accepted(limits, "ana", 2) == 0
    clock.now += 0.3
    assert await accepted(limits, "ana", 5) == 1


async def test_refused_asks_do_not_count(clock: Clock, storage: AskMemory) -> None:
    limits = Limits(storage, "3/minute")
    assert await accepted(limits, "ana", 100) == 3
    clock.now += 60.1
    assert await accepted(limits, "ana", 100) == 3


async def test_one_user_does_not_use_up_anothers(clock: Clock, storage: AskMemory) -> None:
    limits = Limits(storage, "3/minute")
    assert await accepted(limits, "ana", 5) == 3
    assert await accepted(limits, "bob", 5) == 3


@pytest.mark.parametrize("rates", ["3/minute;4/hour", "4/hour;3/minute"])
async def test_of_several_rates_each_holds_and_a_refusal_counts_against_none(
    clock: Clock, storage: AskMemory, rates: str
) -> None:
    limits = Limits(storage, rates)
    assert await accepted(limits, "ana", 10, in_turn=True) == 3
    clock.now += 60.1
    assert await accepted(limits, "ana", 10, in_turn=True) == 1
    clock.now += 60.1
    with pytest.raises(RateLimited) as refused:
        await limits.ask("ana")
    assert refused.value.retry_after == 3600 - 120
    clock.now += 3600 - 120 + 0.1
    assert await accepted(limits, "ana", 10, in_turn=True) == 3


async def test_users_who_went_away_are_forgotten(clock: Clock) -> None:
    storage = AskMemory()
    limits = Limits(storage, "30/minute")
    for minute in range(20):
        clock.now += 60.1
        for user in range(500):
            await limits.ask(f"{minute}-{user}")
    assert len(storage._windows) <= 2000


def test_a_flood_of_events_is_cut_to_the_burst_and_then_to_the_rate() -> None:
    rate = EventRate(50, 200, now=7.0)

    def passed(now: float, times: int) -> int:
        count = 0
        for _ in range(times):
            try:
                rate.count(now)
            except RateLimited as refused:
                assert 0 < refused.retry_after <= 1 / 50
            else:
                count += 1
        return count

    assert passed(7.0, 1000) == 200
    assert passed(8.0, 1000) == 50
    assert passed(8.03, 1000) == 1
    assert passed(3600.0, 1000) == 200


@given(st.lists(st.floats(0, 10), max_size=300).map(sorted))
def test_no_pattern_of_events_gets_more_than_burst_and_rate(times: list[float]) -> None:
    rate = EventRate(5, 20, now=0.0)
    passed = 0
    for now in times:
        try:
            rate.count(now)
        except RateLimited:
            continue
        passed += 1
        assert passed <= 20 + 5 * now + 1e-6


def test_a_user_may_have_so_many_connections_and_each_that_ends_frees_one() -> None:
    connections = Connections(2)
    connections.enter("ana")
    connections.enter("ana")
    connections.enter("bob")
    with pytest.raises(TooManyConnections) as refused:
        connections.enter("ana")
    assert refused.value.code == "too_many_connections"
    connections.leave("ana")
    connections.enter("ana")
    for user in ("ana", "ana", "bob"):
        connections.leave(user)
    assert len(connections) == 0
    assert connections._open == {}


def test_leaving_without_having_entered_is_a_mistake_that_shows() -> None:
    with pytest.raises(KeyError):
        Connections(2).leave("ana")


def test_ten_failed_logins_a_minute_and_a_success_starts_anew(clock: Clock, redis_url: str) -> None:
    attempts = LoginAttempts(login_storage(redis_url))
    for _ in range(9):
        attempts.begin("ana", "10.0.0.1")
    attempts.succeeded("ana", "10.0.0.1")
    for _ in range(10):
        attempts.begin("ana", "10.0.0.1")
    with pytest.raises(RateLimited) as refused:
        attempts.begin("ana", "10.0.0.1")
    assert refused.value.retry_after == 60
    attempts.begin("ana", "10.0.0.2")
    attempts.begin("bob", "10.0.0.1")
    clock.now += 61
    attempts.begin("ana", "10.0.0.1")


# --- Several processes, and a Redis in trouble ------------------------------------------------------


async def test_processes_on_one_redis_count_together_under_a_prefix_of_their_own(
    redis_service: Redis, clock: Clock
) -> None:
    url = redis_service.database()
    counted = [Limits(ask_storage(url), "3/minute") for _ in range(2)]
    async with aclosing(counted[0]), aclosing(counted[1]):
        assert await accepted(counted[0], "ana", 2) + await accepted(counted[1], "ana", 5) == 3
    first, second = LoginAttempts(login_storage(url)), LoginAttempts(login_storage(url))
    for _ in range(5):
        first.begin("ana", "10.0.0.1")
        second.begin("ana", "10.0.0.1")
    with pytest.raises(RateLimited):
        first.begin("ana", "10.0.0.1")
    with Client.from_url(url) as client:
        assert all(key.startswith(b"limit:") for key in client.scan_iter())
        assert all(0 < client.ttl(key) <= 60 for key in client.scan_iter())


@pytest.fixture(params=["stopped", "hanging"])
def away(request: pytest.FixtureRequest, own_redis: Redis) -> Iterator[str]:
    """The address of a Redis that does not answer."""
    url = own_redis.url
    if request.param == "stopped":
        own_redis.stop()
        yield url
    else:
        os.kill(own_redis.pid, signal.SIGSTOP)
        yield url
        os.kill(own_redis.pid, signal.SIGCONT)


async def test_a_redis_that_is_away_lets_asks_pass(away: str, caplog: pytest.LogCaptureFixture) -> None:
    began = time.monotonic()
    async with aclosing(Limits(ask_storage(away), "3/minute")) as limits:
        assert await accepted(limits, "ana", 10) == 10
    assert time.monotonic() - began < 2
    lines = [record.message for record in caplog.records if record.name == "tutor.limits"]
    assert len(lines) == 10
    assert set(lines) <= {"limits_away error=ConnectionError", "limits_away error=TimeoutError"}


@pytest.mark.parametrize("away", ["stopped"], indirect=True)
def test_a_redis_that_is_away_leaves_each_process_to_count_logins_alone(away: str) -> None:
    attempts = LoginAttempts(login_storage(away))

    def passed(times: int) -> int:
        for done in range(times):
            try:
                attempts.begin("ana", "10.0.0.1")
            except RateLimited:
                return done
        return times

    began = time.monotonic()
    attempts.begin("ana", "10.0.0.1")
    attempts.succeeded("ana", "10.0.0.1")
    assert time.monotonic() - began < 3
    assert passed(12) == 10


async def test_limits_count_again_after_a_restart(own_redis: Redis) -> None:
    attempts = LoginAttempts(login_storage(own_redis.url))
    attempts.begin("ana", "10.0.0.1")
    async with aclosing(Limits(ask_storage(own_redis.url), "3/minute")) as limits:
        assert await accepted(limits, "ana", 5) == 3
        own_redis.restart()
        assert await accepted(limits, "ana", 5) == 3
    for _ in range(10):
        attempts.begin("ana", "10.0.0.1")
    with pytest.raises(RateLimited):
        attempts.begin("ana", "10.0.0.1")


@pytest.mark.parametrize("make", [ask_storage, login_storage])
@pytest.mark.parametrize("url", ["rediss://:secret@cache.example:6380/2", "unix:///run/redis.sock?db=1"])
def test_every_kind_of_address_is_understood(make: Callable[[str], object], url: str) -> None:
    assert make(url)
