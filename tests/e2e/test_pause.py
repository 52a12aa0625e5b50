"""The first invariant under pauses and restarts: no hole, nothing twice, nothing beyond a pause."""

import asyncio
import random
import signal
import time
from typing import Any

import pytest

from tests.client import StudentClient
from tests.e2e.conftest import SKY, assert_prefix, stored_text
from tests.figures import figure
from tests.server import MakeServer, Server, Student, Template

TRIALS, AT_ONCE = 25, 5  # on each server


def check_pause(client: StudentClient, since: int, whole: dict[int, str]) -> dict[str, Any]:
    """After `streaming_paused` nothing beyond its place has been written, and it was recorded in time."""
    heard = client.events[since:]
    at = next(n for n, event in enumerate(heard) if event.name == "streaming_paused")
    paused, recorded = heard[at], heard[at + 1]
    assert [event.name for event in heard[at + 1 :]] == ["explanation_paused"]
    assert recorded.at - paused.at <= 1.0
    place = {"step": paused.data["step"], "position": paused.data["position"]}
    assert recorded.data == place
    shown = max(client.text, default=1)
    assert (shown, len(client.text.get(shown, ""))) == (place["step"], place["position"])
    assert_prefix(client, whole)
    return place


async def one_trial(url: str, token: str, whole: dict[int, str], chance: random.Random) -> float:
    """Pause at random moments, resume here or elsewhere, hear the rest; return the slowest record."""
    async with StudentClient(url, token) as client:
        ack = await client.ask(SKY, context={"language": "es"}, speed=chance.choice([1, 2, 4]))
        slowest = 0.0
        for _ in range(2):
            await asyncio.sleep(chance.uniform(0, 0.25))  # the moment is what this trial tries
            since = len(client.events)
            if client.events and client.names[-1] == "explanation_complete":
                break
            pause = await client.call("pause_explanation", {})
            if not pause["ok"]:
                assert pause["error"]["code"] == "no_active_session"
                break
            # Whatever would still come beyond the pause has come before the answer to a later command.
            await client.until("explanation_paused", since=since)
            await asyncio.sleep(0.06)
            await client.fence()
            place = check_pause(client, since, whole)
            assert pause == {"ok": True, **place}
            times = {event.name: event.at for event in client.events[since:]}
            slowest = max(slowest, times["explanation_paused"] - times["streaming_paused"])
            if chance.random() < 0.4:
                async with StudentClient(url, token) as second:
                    second.text = dict(client.text)
                    since = len(second.events)
                    resumed = await second.call("resume_explanation", session_id=ack["session_id"], **place)
                    assert resumed == {"ok": True, **place}
                    await second.until("explanation_complete")
                    assert second.text == whole
                return slowest
            since = len(client.events)
            assert await client.call("resume_explanation", {}) == {"ok": True, **place}
            resumed = await client.until("streaming_resumed", since=since)
            assert resumed == place
            chunk = await client.until(("content_chunk", "explanation_complete"), since=since)
            if chunk.get("step") == place["step"]:
                assert chunk["position"] == place["position"], "the next character"
        await client.call("set_speed", speed=8)
        await client.until("explanation_complete")
        assert client.text == whole
        assert client.names.count("explanation_start") == 1
        return slowest


async def test_fifty_pauses_at_random_moments_stand_and_go_on_with_the_next_character(
    server: Server, template: Template
) -> None:
    whole, seed = stored_text(server), random.randrange(2**32)
    figure(f"{server.kind}: seed {seed}")
    chances = [random.Random(f"{seed} {student}") for student in range(AT_ONCE)]

    async def student(chance: random.Random) -> float:
        token = template.student().token()
        return max([await one_trial(server.url, token, whole, chance) for _ in range(TRIALS // AT_ONCE)])

    slowest = await asyncio.gather(*map(student, chances))
    figure(f"slowest explanation_paused {1000 * max(slowest):.0f} ms after streaming_paused")


async def test_a_lost_connection_pauses_where_the_last_character_was_sent(
    server: Server, learner: Student
) -> None:
    whole = stored_text(server)
    async with StudentClient(server.url, learner.token()) as client:
        ack = await client.ask(SKY, context={"language": "es"})
        await client.until_shown(300)
        await client.abandon()
    async with StudentClient(server.url, learner.token()) as second:
        snapshot = await until_free(second, ack["session_id"])
        assert (snapshot["step"], snapshot["position"]) >= client.place
        second.text = {n: step["content"] for n, step in enumerate(snapshot["steps"], 1)}
        assert_prefix(second, whole)
        assert second.place == (snapshot["step"], snapshot["position"])
        resumed = await second.call("resume_explanation", {})
        assert (resumed["step"], resumed["position"]) == (snapshot["step"], snapshot["position"])
        await second.until("explanation_complete")
        assert second.text == whole


async def until_free(client: StudentClient, session_id: str) -> dict[str, Any]:
    """Return the session's snapshot once the connection that played it is known to be lost."""
    async with asyncio.timeout(5):
        while True:
            session = (await client.call("get_session", session_id=session_id))["session"]
            if session["state"] == "paused":
                return session
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def mortal(servers: MakeServer) -> Server:
    return servers("daphne")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
async def test_sessions_survive_the_end_of_their_server(mortal: Server, template: Template, how: int) -> None:
    """One was paused, one played and says where it stands, one played and asks for what it should hold."""
    whole = stored_text(mortal)
    paused, playing, asking = (template.student().token() for _ in range(3))
    clients = [StudentClient(mortal.url, token) for token in (paused, playing, asking)]
    for client in clients:
        await client.__aenter__()
    sessions = [(await client.ask(SKY, context={"language": "es"}))["session_id"] for client in clients]
    for client in clients:
        await client.until("step_start", step=2)
        await client.until_shown(500)
    pause = await clients[0].call("pause_explanation", {})
    await clients[0].until("explanation_paused")
    began = time.monotonic()
    await asyncio.to_thread(mortal.restart, how)
    figure(f"{signal.Signals(how).name}: back after {time.monotonic() - began:.1f} s")
    for client in clients:
        await client.__aexit__(None, None, None)

    async with StudentClient(mortal.url, paused) as client:
        client.text = clients[0].text
        assert await client.call("resume_explanation", session_id=sessions[0]) == pause
        await client.until("explanation_complete")
        assert client.text == whole
        assert "explanation_start" not in client.names
    async with StudentClient(mortal.url, playing) as client:
        client.text, client.board = clients[1].text, clients[1].board
        step, position = clients[1].place
        resumed = await client.call(
            "resume_explanation", session_id=sessions[1], step=step, position=position, speed=8
        )
        assert resumed == {"ok": True, "step": step, "position": position}
        await client.until("explanation_complete")
        assert client.text == whole
    async with StudentClient(mortal.url, asking) as client:
        snapshot = (await client.call("get_session", {}))["session"]
        assert snapshot["session_id"] == sessions[2]
        assert snapshot["state"] == "paused"
        client.text = {n: each["content"] for n, each in enumerate(snapshot["steps"], 1)}
        assert_prefix(client, whole)
        await client.call("resume_explanation", step=snapshot["step"], position=snapshot["position"], speed=8)
        await client.until("explanation_complete")
        assert client.text == whole
