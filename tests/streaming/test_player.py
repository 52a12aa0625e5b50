"""The paced loop, and the writing down, when something fails or is slow."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from accounts.models import User
from answers.recording import Recording
from answers.store import MemoryStore
from streaming.player import RECORD_SECONDS, Player
from streaming.protocol import Event, Place, State
from streaming.sessions import SessionRecord, Sessions
from streaming.stage import Stage
from tests.in_process import make_stage

pytestmark = pytest.mark.django_db(transaction=True)
STEP = {"title": "S", "type": "text", "content": "One sentence after another. " * 20, "canvas_commands": []}


class Store(MemoryStore):
    """A store that does before each write what a test wants."""

    before: Callable[[], Any] | None = None

    async def compare_and_set(self, *args: Any) -> bool:
        if self.before:
            await self.before()
        return await super().compare_and_set(*args)


class World:
    def __init__(self, stage: Stage, record: SessionRecord) -> None:
        self.stage, self.events, self.lost = stage, list[Event](), list[Player]()
        recording = Recording.of([STEP, STEP], 10, None, "en")
        playback = stage.playback(record, recording, "en")
        self.player = Player(
            record, playback, stage, stage.seat(), self.events.extend, self._said, self._changed
        )

    def _changed(self, player: Player, stored: SessionRecord) -> None:
        player.gone = True
        self.lost.append(player)

    async def _said(self) -> None:
        await asyncio.sleep(0)

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not true():  # noqa: ASYNC110 what is true changes without a word
                await asyncio.sleep(0.001)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def world(store: Store, student: User) -> AsyncIterator[World]:
    stage = make_stage(sessions=Sessions(store, 1800))
    record = SessionRecord(str(student.pk), "c", "k" * 64, owner="me", cached=True)
    await stage.sessions.create(record)
    world = World(stage, record)
    yield world
    store.before = None
    await world.player.close()
    assert not stage.playing


async def kept(world: World) -> SessionRecord:
    record = await world.stage.sessions.load(world.player.session_id, world.player.record.user_id)
    assert record
    return record


async def test_it_plays_to_the_end_writes_it_down_and_gives_its_place_up(world: World) -> None:
    world.player.start()
    await world.until(lambda: "explanation_complete" in world.names)
    await world.player.recorded()
    assert (await kept(world)).state == State.COMPLETE
    assert (await kept(world)).place == Place(2, len(STEP["content"]))
    await world.until(lambda: not world.stage.playing)


async def test_a_store_that_hangs_keeps_nobody_waiting_for_long(world: World, store: Store) -> None:
    world.player.start()
    store.before = asyncio.Event().wait
    began = asyncio.get_running_loop().time()
    await world.player.recorded()
    took = asyncio.get_running_loop().time() - began
    assert took < 1.0
    assert took == pytest.approx(RECORD_SECONDS, abs=0.1)
    await world.until(lambda: "explanation_complete" in world.names)
    for task in world.player._writes:
        task.cancel()


async def test_a_store_that_is_away_ends_nothing(
    world: World, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    async def away() -> None:
        raise ConnectionError("kanarienvogel")

    store.before = away
    world.player.start()
    await world.until(lambda: "explanation_complete" in world.names)
    await world.player.recorded()
    assert "record_failed" in caplog.text
    assert "kanarienvogel" not in caplog.text
    store.before = None
    await world.player.recorded()
    assert (await kept(world)).state == State.COMPLETE, "once it is back, what it missed is written"


async def test_the_last_write_stands_however_slow_the_ones_before(world: World, store: Store) -> None:
    delays = iter([0.05, 0.0, 0.02, 0.0])

    async def slow() -> None:
        await asyncio.sleep(next(delays, 0))

    store.before = slow
    playback = world.player.playback
    for position in (3, 8, 15):
        playback.seek(0.0, Place(1, position))
        world.player.write(heard=False)
    await world.player.recorded()
    assert (await kept(world)).place == Place(1, 15)


async def test_who_has_lost_the_session_is_told_once_and_writes_no_more(world: World) -> None:
    taken = await world.stage.sessions.take(
        world.player.record, owner="another", channel="there", connection_id="d", draft_id=None
    )
    await world.player.recorded()
    await world.player.recorded(release=True)
    assert world.lost == [world.player]
    assert await kept(world) == taken


async def test_a_player_that_breaks_says_so_and_ends(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(now: float) -> Sequence[Event]:
        raise ValueError("kanarienvogel")

    monkeypatch.setattr(world.player.playback, "pump", broken)
    world.player.start()
    await world.until(lambda: len(world.events) == 2)
    assert [event.payload().get("code") for event in world.events] == ["internal_error", None]
    assert world.names == ["error", "explanation_stopped"]
    assert "player_failed" in caplog.text
    assert "kanarienvogel" not in caplog.text
    await world.until(lambda: not world.stage.playing)
