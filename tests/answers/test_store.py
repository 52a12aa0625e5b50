"""What every store keeps to; a new kind of store joins by adding itself to `make`."""

import asyncio
from collections.abc import Callable

import pytest

from answers.store import MemoryStore, Store


class Clock:
    """Seconds that pass when told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory"])
def store(request: pytest.FixtureRequest, clock: Clock) -> Store:
    make: dict[str, Callable[[], Store]] = {"memory": lambda: MemoryStore(clock)}
    return make[request.param]()


async def test_a_key_holds_what_was_written_last(store: Store) -> None:
    assert await store.get("a") is None
    assert await store.compare_and_set("a", None, "1", 10)
    assert await store.get("a") == "1"
    assert await store.compare_and_set("a", "1", "2ñ\n∑", 10)
    assert await store.get("a") == "2ñ\n∑"
    assert await store.get("b") is None


async def test_a_write_that_expected_something_else_changes_nothing(store: Store) -> None:
    assert not await store.compare_and_set("a", "1", "2", 10)
    assert await store.get("a") is None
    await store.compare_and_set("a", None, "1", 10)
    for wrong in (None, "2", ""):
        assert not await store.compare_and_set("a", wrong, "3", 10)
    assert await store.get("a") == "1"


async def test_an_empty_text_is_a_text(store: Store) -> None:
    assert await store.compare_and_set("a", None, "", 10)
    assert await store.get("a") == ""
    assert not await store.compare_and_set("a", None, "1", 10)
    assert await store.compare_and_set("a", "", "1", 10)


async def test_of_many_writes_at_once_one_succeeds(store: Store) -> None:
    done = await asyncio.gather(*(store.compare_and_set("a", None, str(n), 10) for n in range(20)))
    assert done.count(True) == 1
    assert await store.get("a") == str(done.index(True))


async def test_what_was_deleted_is_gone(store: Store) -> None:
    await store.compare_and_set("a", None, "1", 10)
    await store.delete("a")
    await store.delete("a")
    assert await store.get("a") is None
    assert await store.compare_and_set("a", None, "2", 10)


async def test_each_write_renews_the_time_to_live(store: Store, clock: Clock) -> None:
    await store.compare_and_set("a", None, "1", 10)
    clock.now += 9
    assert await store.compare_and_set("a", "1", "2", 10)
    clock.now += 9
    assert await store.get("a") == "2"
    clock.now += 1
    assert await store.get("a") is None
    assert not await store.compare_and_set("a", "2", "3", 10), "what has expired is nothing"
    assert await store.compare_and_set("a", None, "3", 10)


async def test_memory_forgets_what_has_expired(clock: Clock) -> None:
    store = MemoryStore(clock)
    for n in range(MemoryStore.SWEEP_EVERY - 1):
        await store.compare_and_set(str(n), None, "x", 10)
    clock.now += 11
    await store.compare_and_set("last", None, "x", 10)
    assert list(store._values) == ["last"]
