"""A signal between two connections that gets lost or comes late, a store that forgets: it heals."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.layers import get_channel_layer

from accounts.models import User
from accounts.tokens import access_token
from answers.store import MemoryStore
from streaming.playback import Pace
from streaming.stage import Stage
from tests.in_process import InProcessStudent, make_stage

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = {"owner": "another", "connection_id": "another"}
HEALED = 1.5  # seconds until the owner follows a command whose signal got lost


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def stage(store: MemoryStore) -> AsyncIterator[Stage]:
    stage = make_stage(store=store, pace=Pace(5, 0.25))
    yield stage
    assert not stage.playing


@pytest.fixture
async def pair(stage: Stage, student: User) -> AsyncIterator[tuple[InProcessStudent, InProcessStudent]]:
    """One connection that plays, and another one of the same student."""
    token = access_token(student)
    async with (
        InProcessStudent(stage, token, "plays") as plays,
        InProcessStudent(stage, token, "other") as other,
    ):
        await plays.call("ask_question", question="What is a force?")
        await plays.until("content_chunk")
        yield plays, other


class Wire:
    """The channel layer, on which commands may be lost or late."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lost, self.late = False, 0.0
        kind = type(get_channel_layer())
        send = kind.send

        async def send_or_not(layer: Any, channel: str, message: dict[str, Any]) -> None:
            if message["type"] == "session.command":
                if self.lost:
                    return
                if self.late:
                    loop = asyncio.get_running_loop()
                    loop.call_later(self.late, lambda: loop.create_task(send(layer, channel, message)))
                    return
            await send(layer, channel, message)

        monkeypatch.setattr(kind, "send", send_or_not)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(monkeypatch)


Pair = tuple[InProcessStudent, InProcessStudent]


async def record(store: MemoryStore) -> dict[str, Any]:
    (text,) = [text for key, (text, _) in store._values.items() if key.startswith("session:")]
    return json.loads(text)


@pytest.mark.parametrize("lost", [False, True])
async def test_a_resume_elsewhere_ends_the_former_connection_in_time(
    pair: Pair, wire: Wire, lost: bool
) -> None:
    plays, other = pair
    wire.lost = lost
    clock = asyncio.get_running_loop().time
    began = clock()
    resume = asyncio.create_task(other.call("resume_explanation", step=1, position=0))
    paused = await plays.until("streaming_paused", reason="moved")
    assert clock() - began < (HEALED if lost else 0.1)
    assert (await resume)["ok"]
    await other.until("explanation_complete")
    assert "content_chunk" not in plays.names[plays.names.index("streaming_paused") :]
    assert plays.text[paused["step"]] == other.text[paused["step"]][: paused["position"]]


async def test_a_pause_whose_signal_got_lost_pauses_where_the_session_plays(
    pair: Pair, wire: Wire, store: MemoryStore
) -> None:
    plays, other = pair
    wire.lost = True
    began = asyncio.get_running_loop().time()
    assert (await other.call("pause_explanation"))["ok"]
    paused = await plays.until("streaming_paused", reason="user")
    assert asyncio.get_running_loop().time() - began < HEALED
    await plays.until("explanation_paused")
    kept = await record(store)
    assert (kept["current_step"], kept["pause_position"]) == (paused["step"], paused["position"])
    assert (kept["state"], kept["connection_id"]) == ("paused", "plays"), "it is still played there"
    wire.lost = False
    assert (await other.call("set_speed", speed=2))["ok"]
    assert (await plays.call("get_session"))["session"]["speed"] == 2


async def test_a_stop_whose_signal_got_lost_stops(pair: Pair, wire: Wire) -> None:
    plays, other = pair
    wire.lost = True
    assert (await other.call("stop_explanation"))["ok"]
    await plays.until("explanation_stopped")


async def test_a_speed_whose_signal_got_lost_changes_it_and_playing_goes_on(pair: Pair, wire: Wire) -> None:
    plays, other = pair
    wire.lost = True
    assert (await other.call("set_speed", speed=8))["ok"]
    await plays.until("explanation_complete")
    assert "streaming_paused" not in plays.names
    assert (await plays.call("get_session"))["session"]["speed"] == 8


async def test_a_signal_that_comes_late_is_obeyed_once(pair: Pair, wire: Wire) -> None:
    plays, other = pair
    wire.late = 0.6  # after the one who sent it has given up
    assert (await other.call("seek_explanation", step=1, position=3))["ok"]
    await plays.until("explanation_complete")
    assert plays.names.count("explanation_seeked") == 1


async def test_a_record_that_the_store_has_lost_is_written_anew(pair: Pair, store: MemoryStore) -> None:
    plays, _ = pair
    store._values.clear()
    async with asyncio.timeout(HEALED):
        while not any(key.startswith("session:") for key in store._values):  # noqa: ASYNC110 nobody is told
            await asyncio.sleep(0.01)
    assert (await record(store))["connection_id"] == "plays"
    await plays.until("explanation_complete")


async def test_what_only_a_later_version_says_disturbs_nobody(pair: Pair, store: MemoryStore) -> None:
    plays, other = pair
    kept, layer = await record(store), get_channel_layer()
    for message in (
        {"type": "session.dance"},
        {"type": "session.command", "id": "1", "event": "dance"},
        {"type": "session.answer", "answers": []},
    ):
        await layer.send(kept["channel"], {"version": 99, **message})
    key = f"session:{kept['session_id']}"
    control = {"id": "2", "event": "dance", "payload": {}}
    later = kept | {"version": 99, "owner": "", "control": control, "of a later version": 1}
    await store.delete(key)
    await store.compare_and_set(key, None, json.dumps(later), 1800)
    async with asyncio.timeout(HEALED):
        while (await record(store))["owner"] != kept["owner"]:  # noqa: ASYNC110 nobody is told
            await asyncio.sleep(0.01)
    assert (await other.call("set_speed", speed=8))["ok"]
    await plays.until("explanation_complete")
    assert "error" not in plays.names
    assert (await record(store))["of a later version"] == 1


async def test_a_record_that_nobody_can_read_is_no_matter_of_the_others(
    stage: Stage, pair: Pair, store: MemoryStore, student: User
) -> None:
    plays, other = pair
    async with InProcessStudent(stage, access_token(student), "third") as third:
        await third.call("ask_question", question="What is a mass?")
        await third.until("content_chunk")
        mine, theirs = [key for key in store._values if key.startswith("session:")]
        for key, text in (
            (mine, "[]"),
            (theirs, json.dumps(json.loads(await store.get(theirs) or "") | OTHER)),
        ):
            await store.delete(key)
            await store.compare_and_set(key, None, text, 1800)
        await third.until("streaming_paused", reason="moved")
        assert not (await other.call("pause_explanation", session_id=mine.partition(":")[2]))["ok"]
        await plays.until("step_complete")


async def test_nothing_watches_when_nobody_plays(pair: Pair, stage: Stage) -> None:
    plays, _ = pair

    def watching() -> bool:
        return any(task.get_name() == "watch" for task in asyncio.all_tasks())

    assert watching()
    await plays.call("set_speed", speed=8)
    await plays.until("explanation_complete")
    async with asyncio.timeout(1):
        while watching():  # noqa: ASYNC110 tasks end without a word
            await asyncio.sleep(0)
