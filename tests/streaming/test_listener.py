"""What a connection leaves behind, and what it says while something else is still being written down."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from accounts.tokens import access_token
from answers.store import MemoryStore
from streaming.playback import Pace
from streaming.sessions import Sessions
from streaming.stage import Stage
from tests.in_process import InProcessStudent, make_stage

pytestmark = pytest.mark.django_db(transaction=True)


class SlowStore(MemoryStore):
    """A store that takes its time for a write while it is told to."""

    seconds = 0.0

    async def compare_and_set(self, *args: Any) -> bool:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return await super().compare_and_set(*args)


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest.fixture
async def stage(store: SlowStore) -> AsyncIterator[Stage]:
    stage = make_stage(sessions=Sessions(store, 1800), pace=Pace(5, 0.5))
    yield stage
    assert not stage.playing
    assert not len(stage.connections)


def short_token(user: User) -> str:
    token = AccessToken.for_user(user)
    token.set_exp(lifetime=timedelta(seconds=2))
    return str(token)


async def kept(store: MemoryStore, ack: dict[str, Any]) -> dict[str, Any]:
    return json.loads(await store.get(f"session:{ack['session_id']}") or "")


async def test_a_pause_that_is_still_being_written_when_the_connection_goes_is_written(
    student: User, stage: Stage, store: SlowStore
) -> None:
    async with InProcessStudent(stage, access_token(student)) as client:
        ack = await client.call("ask_question", question="What is a force?")
        await client.until("content_chunk")
        store.seconds = 0.05
        paused = await client.call("pause_explanation")
    record = await kept(store, ack)
    assert (record["state"], record["owner"], record["pauses"]) == ("paused", "", 1)
    assert (record["current_step"], record["pause_position"]) == (paused["step"], paused["position"])


async def test_nothing_of_a_session_is_said_after_it_was_stopped_for_another(
    student: User, stage: Stage, store: SlowStore
) -> None:
    async with (
        InProcessStudent(stage, access_token(student), "one") as plays,
        InProcessStudent(stage, access_token(student), "two") as steers,
    ):
        first = await plays.call("ask_question", question="What is a force?")
        await plays.until("content_chunk")
        await steers.call("get_session", session_id=first["session_id"])
        store.seconds = 0.3
        await steers.call("pause_explanation", session_id=first["session_id"])
        store.seconds = 0.0  # from now on; the pause is still being written
        await plays.call("ask_question", question="What is a mass?")
        await plays.until("explanation_stopped")
        await asyncio.sleep(0.1)  # for whatever might still be said
        await plays.call("get_session")
        assert "explanation_paused" not in plays.names[plays.names.index("explanation_stopped") :]


async def test_what_was_paused_elsewhere_after_expiry_is_not_resumed_by_a_new_token(
    student: User, stage: Stage
) -> None:
    async with (
        InProcessStudent(stage, short_token(student), "one") as plays,
        InProcessStudent(stage, access_token(student), "two") as steers,
    ):
        ack = await plays.call("ask_question", question="What is a force?")
        began = time.monotonic()
        await plays.until("streaming_paused", reason="token_expired")
        assert time.monotonic() - began < 2.1
        assert (await steers.call("pause_explanation", session_id=ack["session_id"]))["ok"]
        plays.token = access_token(student)
        assert (await plays.call("get_session"))["session"]["state"] == "paused"
        assert "streaming_resumed" not in plays.names


async def test_a_resume_that_is_refused_disturbs_nobody(student: User, stage: Stage) -> None:
    async with (
        InProcessStudent(stage, access_token(student), "one") as plays,
        InProcessStudent(stage, access_token(student), "two") as other,
    ):
        ack = await plays.call("ask_question", question="What is a force?")
        await plays.until("content_chunk")
        for place in ({"step": 9}, {"step": 1, "position": 10_000}):
            refused = await other.call("resume_explanation", session_id=ack["session_id"], **place)
            assert refused["error"]["code"] == "invalid_position"
        assert len(stage.playing) == 1
        session = (await plays.call("get_session"))["session"]
        assert (session["state"], session["playing_here"]) == ("playing", True)


@pytest.mark.parametrize("going", ["stop_explanation", "ask_question", "resume_explanation"])
async def test_a_connection_lost_in_the_middle_of_a_command_leaves_nothing(
    student: User, going: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost while the session that it leaves is being written down."""
    stage = make_stage(pace=Pace(5, 0.5))
    async with InProcessStudent(stage, access_token(student)):
        tasks = asyncio.all_tasks()  # with the channel layer's, which is the process's
    async with InProcessStudent(stage, access_token(student)) as client:
        first = await client.call("ask_question", question="What is a force?")
        await client.call("pause_explanation")
        await client.call("ask_question", question="What is a mass?")
        await client.until("content_chunk")
        entered, gate = asyncio.Event(), asyncio.Event()

        async def slow(*args: Any) -> bool:
            ours = args[0].startswith("session:")
            if ours and (
                going == "stop_explanation" or '"owner":""' in args[2]
            ):  # what is left is being let go of
                entered.set()
                await gate.wait()
            return await MemoryStore.compare_and_set(stage.sessions._store, *args)

        monkeypatch.setattr(stage.sessions._store, "compare_and_set", slow)
        payload = {"question": "What is a force?", "session_id": first["session_id"]}
        args = [{"token": client.token, **payload}]
        await client._communicator.send_input(
            {"type": "socketio.event", "event": going, "args": args, "ack": 99}
        )
        await entered.wait()
        asyncio.get_running_loop().call_later(0.02, gate.set)
    assert not stage.playing
    assert not len(stage.connections)
    async with asyncio.timeout(5):  # what is cancelled may have Redis to answer it first
        while any(not task.done() for task in asyncio.all_tasks() - tasks):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
