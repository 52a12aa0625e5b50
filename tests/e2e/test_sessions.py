"""Whose session plays where, and what each command does in each state."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.client import StudentClient
from tests.e2e.conftest import SKY, assert_prefix, stored_text
from tests.model_server import ModelServer, Reply, answer
from tests.server import Server, Student, Template

ES = {"context": {"language": "es"}}
Prepare = Callable[[StudentClient], Awaitable[None]]


async def waiting(client: StudentClient) -> None:
    await client.ask(f"What is still unwritten by {id(client)}?")


async def playing(client: StudentClient) -> None:
    await client.ask(SKY, **ES)
    await client.until_shown(50)


async def paused(client: StudentClient) -> None:
    await playing(client)
    await client.call("pause_explanation", {})


async def complete(client: StudentClient) -> None:
    await client.ask(SKY, **ES, speed=8)
    await client.until("explanation_complete")


async def stopped(client: StudentClient) -> None:
    await playing(client)
    await client.call("stop_explanation", {})


OK, NONE, BAD = "ok", "no_active_session", "invalid_position"
# state: what each of pause, resume, seek, speed, stop answers, and the state after it
TABLE: dict[Prepare, tuple[tuple[str, str], ...]] = {
    waiting: ((OK, "paused"), (OK, "waiting"), (BAD, "waiting"), (OK, "waiting"), (OK, "stopped")),
    playing: ((OK, "paused"), (OK, "playing"), (OK, "playing"), (OK, "playing"), (OK, "stopped")),
    paused: ((OK, "paused"), (OK, "playing"), (OK, "paused"), (OK, "paused"), (OK, "stopped")),
    complete: ((NONE, "complete"), (OK, "complete"), (OK, "playing"), (OK, "complete"), (OK, "complete")),
    stopped: ((NONE, "stopped"), (OK, "playing"), (OK, "playing"), (OK, "stopped"), (OK, "stopped")),
}
COMMANDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("pause_explanation", {}),
    ("resume_explanation", {}),
    ("seek_explanation", {"step": 1, "position": 10}),
    ("set_speed", {"speed": 0.5}),
    ("stop_explanation", {}),
)


@pytest.mark.parametrize("state", TABLE, ids=lambda state: state.__name__)
async def test_the_state_table(
    daphne: Server, template: Template, model_server: ModelServer, state: Prepare
) -> None:
    model_server.script(Reply(answer(2), hold_at=0))

    async def row(command: tuple[str, dict[str, Any]], expected: tuple[str, str]) -> None:
        async with StudentClient(daphne.url, template.student().token()) as client:
            await state(client)
            for _ in range(2):  # repeating a command is harmless
                since = len(client.events)
                ack = await client.call(command[0], command[1])
                session = (await client.call("get_session", {}))["session"]
                answered = OK if ack["ok"] else ack["error"]["code"]
                assert (answered, session["state"]) == expected, command[0]
                errors = [event.data["code"] for event in client.events[since:] if event.name == "error"]
                assert errors == ([] if ack["ok"] else [answered])
            assert session["playing_here"] is True
            if command[0] == "set_speed":
                assert session["speed"] == 0.5
            await client.call("stop_explanation", {})

    await asyncio.gather(*map(row, COMMANDS, TABLE[state]))


async def test_an_answer_that_was_paused_before_its_first_word_begins_paused(
    daphne: Server, learner: Student, model_server: ModelServer
) -> None:
    model_server.script(Reply(answer(2), hold_at=0))
    async with StudentClient(daphne.url, learner.token()) as client:
        await client.ask("What begins paused?")
        assert await client.call("pause_explanation", {}) == {"ok": True, "step": 1, "position": 0}
        await model_server.until_held()
        model_server.release()
        await client.until("explanation_start")
        await client.fence()
        assert "content_chunk" not in client.names
        await client.call("resume_explanation", speed=8)
        await client.until("explanation_complete")


async def test_a_snapshot_is_what_the_client_holds(
    daphne: Server, learner: Student, sky: dict[int, str]
) -> None:
    async with StudentClient(daphne.url, learner.token()) as client:
        assert await client.call("get_session", {}) == {"ok": True, "session": None}
        ack = await client.ask(SKY, **ES, speed=4)
        await client.until("step_start", step=3)
        await client.call("pause_explanation", {})
        session = (await client.call("get_session", {}))["session"]
        assert session.keys() == {
            *("session_id", "question", "question_hash", "answer_id", "cached", "state", "step", "position"),
            *("speed", "total_steps", "estimated_duration", "playing_here", "steps"),
        }
        assert (session["session_id"], session["question_hash"]) == (ack["session_id"], ack["question_hash"])
        assert (session["question"], session["speed"], session["total_steps"]) == (SKY, 4, len(sky))
        assert (session["step"], session["position"]) == client.place
        assert [step["content"] for step in session["steps"]] == [client.text[n] for n in sorted(client.text)]
        for n, step in enumerate(session["steps"], 1):
            drawn = [data["command"] for _, data in sorted(client.board.get(n, {}).items())]
            assert step["canvas_commands"] == drawn
        async with StudentClient(daphne.url, learner.token()) as other:
            assert (await other.call("get_session", {}))["session"] == {**session, "playing_here": False}


async def test_asking_again_stops_the_own_one_and_nothing_of_it_follows(
    daphne: Server, learner: Student, sky: dict[int, str]
) -> None:
    async with StudentClient(daphne.url, learner.token()) as client:
        await client.ask(SKY, **ES)
        await client.until_shown(100)
        refused = await client.call("ask_question", question="?")
        assert not refused["ok"]
        await client.until_shown(200)
        assert "explanation_stopped" not in client.names, "a refused ask stops nothing"

        second = await client.ask(SKY, **ES)
        await client.until("explanation_start", session_id=second["session_id"])
        at = client.names.index("explanation_stopped")
        assert client.names[at + 1] == "explanation_start"
        client.text = {}
        for event in client.events[at + 2 :]:
            if event.name == "content_chunk":
                client._write(event.data["step"], event.data["position"], event.data["chunk"])
        await client.call("set_speed", speed=8)
        await client.until("explanation_complete")
        assert client.text == sky


async def test_a_question_asked_twice_in_a_row_is_heard_although_the_first_was_stopped(
    daphne: Server, learner: Student, model_server: ModelServer
) -> None:
    model_server.script(Reply(answer(2), hold_at=10))
    async with StudentClient(daphne.url, learner.token()) as client:
        question = "What is clicked twice?"
        await asyncio.gather(client.ask(question, speed=8), client.ask(question, speed=8))
        await model_server.until_held()
        model_server.release()
        await client.until("explanation_complete")
        assert "error" not in client.names
        assert model_server.calls == 1


async def test_a_request_is_repeated_and_its_session_moves(
    daphne: Server, learner: Student, sky: dict[int, str]
) -> None:
    ask = {"question": SKY, "request_id": "one", **ES}
    async with StudentClient(daphne.url, learner.token()) as first:
        one = await first.ask(**ask)
        assert await first.ask(**ask) == one
        await first.until_shown(100)
        async with StudentClient(daphne.url, learner.token()) as second:
            assert await second.ask(**ask) == one
            moved = await first.until("streaming_paused")
            assert moved["reason"] == "moved"
            second.text = dict(first.text)
            resumed = await second.until("streaming_resumed")
            assert resumed == {"step": moved["step"], "position": moved["position"]}
            await second.call("set_speed", speed=8)
            await second.until("explanation_complete")
            assert second.text == sky
            assert first.names.count("explanation_start") + second.names.count("explanation_start") == 1
    rows = daphne.rows("SELECT * FROM answers_listening WHERE user_id = ?", learner.id.replace("-", ""))
    assert len(rows) == 1


async def test_the_same_request_from_many_connections_at_once_makes_one_session(
    daphne: Server, learner: Student
) -> None:
    clients = [StudentClient(daphne.url, learner.token()) for _ in range(5)]
    await asyncio.gather(*(client.__aenter__() for client in clients))
    acks = await asyncio.gather(*(client.ask(SKY, request_id="same", **ES) for client in clients))
    assert len({ack["session_id"] for ack in acks}) == 1
    here = [(await client.call("get_session", {}))["session"]["playing_here"] for client in clients]
    assert sum(here) == 1
    await clients[0].call("stop_explanation", session_id=acks[0]["session_id"])
    for client in clients:
        client.faults.clear()  # whoever took it had not heard the beginning
        await client.__aexit__(None, None, None)


async def test_resuming_another_session_pauses_the_own_one(daphne: Server, learner: Student) -> None:
    async with StudentClient(daphne.url, learner.token()) as client:
        first = await client.ask(SKY, **ES)
        await client.until_shown(60)
        await client.call("pause_explanation", {})
        async with StudentClient(daphne.url, learner.token()) as other:
            second = await other.ask(SKY, **ES)
            await other.until_shown(60)
            since = len(other.events)
            assert (await other.call("resume_explanation", session_id=first["session_id"]))["ok"]
            await other.until("streaming_resumed")
            names = [event.name for event in other.events[since:]]
            own = names.index("streaming_paused")
            assert "explanation_paused" in names[own:]
            assert names.index("streaming_resumed") > own
            assert "explanation_stopped" not in names
            snapshot = await other.call("get_session", session_id=second["session_id"])
            assert snapshot["session"]["state"] == "paused"


async def test_a_session_is_taken_over_and_the_one_that_had_it_is_told(
    server: Server, learner: Student
) -> None:
    async with (
        StudentClient(server.url, learner.token()) as first,
        StudentClient(server.url, learner.token()) as second,
    ):
        ack = await first.ask(SKY, **ES)
        await first.until_shown(100)
        taken = await second.call("resume_explanation", session_id=ack["session_id"])
        assert taken["ok"]
        moved = await first.until("streaming_paused")
        assert moved["reason"] == "moved"
        assert (moved["step"], moved["position"]) == (taken["step"], taken["position"]) == first.place
        heard = len(first.all("content_chunk"))
        await second.until("content_chunk")
        await second.until_shown(200)
        assert len(first.all("content_chunk")) == heard
        assert (await first.call("get_session", {}))["session"]["playing_here"] is False
        # and back again, from where this one's page stands
        step, position = first.place
        back = {"session_id": ack["session_id"], "step": step, "position": position, "speed": 8}
        assert (await first.call("resume_explanation", back))["position"] == position
        await second.until("streaming_paused", reason="moved")
        await first.until("explanation_complete")
        assert first.text == stored_text(server)
        second.faults.clear()  # it took the session without what had been heard before


async def test_two_that_take_a_session_at_once_leave_it_with_one(daphne: Server, learner: Student) -> None:
    clients = [StudentClient(daphne.url, learner.token()) for _ in range(4)]
    await asyncio.gather(*(client.__aenter__() for client in clients))
    ack = await clients[0].ask(SKY, **ES)
    await clients[0].until_shown(50)
    await asyncio.gather(
        *(client.call("resume_explanation", session_id=ack["session_id"]) for client in clients)
    )
    here = [
        (await client.call("get_session", session_id=ack["session_id"]))["session"]["playing_here"]
        for client in clients
    ]
    assert sum(here) == 1
    await clients[0].call("set_speed", session_id=ack["session_id"], speed=8)
    winner = clients[here.index(True)]
    await winner.until("explanation_complete")
    for client in clients:
        client.faults.clear()
        await client.__aexit__(None, None, None)


@pytest.fixture
async def pair(daphne: Server, learner: Student) -> AsyncIterator[tuple[StudentClient, StudentClient, str]]:
    """One that plays, and another of the same student."""
    async with (
        StudentClient(daphne.url, learner.token()) as plays,
        StudentClient(daphne.url, learner.token()) as steers,
    ):
        ack = await plays.ask(SKY, **ES)
        await plays.until_shown(50)
        yield plays, steers, ack["session_id"]


async def test_another_connection_steers_what_it_does_not_play(
    pair: tuple[StudentClient, StudentClient, str], sky: dict[int, str]
) -> None:
    plays, steers, session_id = pair
    paused = await steers.call("pause_explanation", {})
    told = await plays.until("streaming_paused", reason="user")
    assert paused == {"ok": True, "step": told["step"], "position": told["position"]}
    await plays.until("explanation_paused")
    assert plays.place == (told["step"], told["position"])

    sought = await steers.call("seek_explanation", session_id=session_id, step=2, position=0)
    assert sought == {"ok": True, "step": 2, "position": 0}
    await plays.until("explanation_seeked", step=2, position=0)
    assert (await steers.call("seek_explanation", step=99))["error"]["code"] == "invalid_position"
    assert "error" not in plays.names
    assert (await steers.call("set_speed", speed=4))["ok"]
    snapshot = (await steers.call("get_session", {}))["session"]
    assert (snapshot["state"], snapshot["speed"], snapshot["step"]) == ("paused", 4, 2)
    assert snapshot["playing_here"] is False
    assert_prefix(plays, sky)
    assert (await steers.call("stop_explanation", {}))["ok"]
    await plays.until("explanation_stopped")
    assert steers.names == ["error"], "what happens is told to the one that plays"
    assert (await steers.call("pause_explanation", {}))["error"]["code"] == "no_active_session"


async def test_anothers_session_is_as_good_as_none(
    pair: tuple[StudentClient, StudentClient, str], daphne: Server, template: Template
) -> None:
    plays, _, session_id = pair
    async with StudentClient(daphne.url, template.student().token()) as stranger:
        for event, fields in COMMANDS:
            ack = await stranger.call(event, session_id=session_id, **fields)
            assert ack["error"]["code"] == "no_active_session", event
        assert await stranger.call("get_session", session_id=session_id) == {"ok": True, "session": None}
    before = len(plays.all("content_chunk"))
    await plays.until_shown(300)
    assert len(plays.all("content_chunk")) > before


async def test_a_session_that_nobody_plays_is_steered_where_it_rests(
    daphne: Server, learner: Student, sky: dict[int, str]
) -> None:
    async with StudentClient(daphne.url, learner.token()) as client:
        ack = await client.ask(SKY, **ES)
        await client.until_shown(60)
        await client.call("pause_explanation", {})
    async with StudentClient(daphne.url, learner.token()) as client:
        assert (await client.call("seek_explanation", step=3, position=0)) == {
            "ok": True,
            "step": 3,
            "position": 0,
        }
        assert (await client.call("set_speed", speed=8))["ok"]
        snapshot = (await client.call("get_session", {}))["session"]
        assert (snapshot["state"], snapshot["step"], snapshot["speed"]) == ("paused", 3, 8)
        client.text = {n: step["content"] for n, step in enumerate(snapshot["steps"], 1)}
        assert (await client.call("resume_explanation", session_id=ack["session_id"]))["step"] == 3
        await client.until("explanation_complete")
        assert client.text == sky
