"""Limits: what is within them passes at once, what is beyond is told how long to wait."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import RateLimited, TooManyConnections
from accounts.limits import AskMemory, Connections, EventRate, Limits, LoginAttempts


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr("time.time", clock)
    return clock


async def accepted(limits: Limits, user: str, times: int) -> int:
    answers = await asyncio.gather(*(limits.ask(user) for _ in range(times)), return_exceptions=True)
    assert all(answer is None or isinstance(answer, RateLimited) for answer in answers)
    return answers.count(None)


async def test_asks_beyond_the_rate_wait_exactly_until_one_is_free_again(clock: Clock) -> None:
    limits = Limits(AskMemory(), "3/minute")
    for _ in range(3):
        await limits.ask("ana")
        clock.now += 10
    with pytest.raises(RateLimited) as refused:
        await limits.ask("ana")
    assert (refused.value.code, refused.value.retry_after) == ("rate_limited", 30)
    clock.now += 29.9
    assert await accepted(limits, "ana", 2) == 0
    clock.now += 0.1
    assert await accepted(limits, "ana", 5) == 1


async def test_refused_asks_do_not_count(clock: Clock) -> None:
    limits = Limits(AskMemory(), "3/minute")
    assert await accepted(limits, "ana", 100) == 3
    clock.now += 60
    assert await accepted(limits, "ana", 100) == 3


async def test_one_user_does_not_use_up_anothers(clock: Clock) -> None:
    limits = Limits(AskMemory(), "3/minute")
    assert await accepted(limits, "ana", 5) == 3
    assert await accepted(limits, "bob", 5) == 3


@pytest.mark.parametrize("rates", ["3/minute;4/hour", "4/hour;3/minute"])
async def test_of_several_rates_each_holds_and_a_refusal_counts_against_none(
    clock: Clock, rates: str
) -> None:
    limits = Limits(AskMemory(), rates)
    assert await accepted(limits, "ana", 10) == 3
    clock.now += 60
    assert await accepted(limits, "ana", 10) == 1
    clock.now += 60
    with pytest.raises(RateLimited) as refused:
        await limits.ask("ana")
    assert refused.value.retry_after == 3600 - 120
    clock.now += 3600 - 120
    assert await accepted(limits, "ana", 10) == 3


async def test_users_who_went_away_are_forgotten(clock: Clock) -> None:
    storage = AskMemory()
    limits = Limits(storage, "30/minute")
    for minute in range(20):
        clock.now += 60
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


def test_ten_failed_logins_a_minute_and_a_success_starts_anew(clock: Clock) -> None:
    attempts = LoginAttempts()
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
