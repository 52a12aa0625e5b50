"""At SIGTERM every student is told, every place kept, and the process gone in time; nothing is lost."""

import asyncio
import functools
import json
import signal
import time
import urllib.error
import urllib.request
from contextlib import AsyncExitStack

import pytest
import redis
import socketio

from tests.client import StudentClient
from tests.e2e.conftest import SKY, assert_prefix, stored_text
from tests.figures import figure
from tests.processes import frozen
from tests.server import MakeCluster, Server, Student, Template
from tests.services import Postgres, Redis

STUDENTS = 100
LAST_WORDS = ["streaming_paused", "explanation_paused", "server_restarting", "disconnect"]
SERVED: dict[str, dict[str, object]] = {"daphne": {}, "uvicorn": {}, "serve": {"WORKERS": 2, "DEBUG": "on"}}


async def stopped(server: Server) -> tuple[int | None, float]:
    """Send SIGTERM; return the exit code and the seconds until then."""
    began = time.monotonic()
    return await asyncio.to_thread(server.stop), time.monotonic() - began


async def playing(
    stack: AsyncExitStack, server: Server, student: Student, transport: str = "websocket"
) -> StudentClient:
    client = StudentClient(server.url, student.token(), transports=[transport])
    client.socket.on("disconnect", lambda reason: client.hear("disconnect", {"reason": reason}))
    await stack.enter_async_context(client)
    await client.ask(SKY, speed=0.5)
    await client.until_shown(1)
    return client


def is_ready(server: Server) -> bool:
    try:
        return urllib.request.urlopen(f"{server.url}/readyz", timeout=5).status == 200
    except urllib.error.HTTPError:
        return False


@pytest.mark.parametrize("kind", SERVED)
async def test_students_are_told_and_let_go_and_resume_exactly_at_another_process(
    cluster: MakeCluster, template: Template, kind: str
) -> None:
    server, other = cluster(2, kinds=(kind, "uvicorn"), **SERVED[kind])
    whole = stored_text(server)
    students = [template.student() for _ in range(STUDENTS)]
    # Without a proxy a student who polls would meet another worker with each request.
    transports = ["websocket"] * (STUDENTS - 1) + ["websocket" if kind == "serve" else "polling"]
    async with AsyncExitStack() as stack:
        clients = await asyncio.gather(*map(functools.partial(playing, stack, server), students, transports))
        code, seconds = await stopped(server)
        figure(f"{kind}: {seconds:.1f} s from SIGTERM to exit with {STUDENTS} playing students")
        assert seconds < 10
        assert code == (-signal.SIGTERM if kind == "uvicorn" else 0)  # plain uvicorn raises it once more
        for client in clients:
            await client.until("disconnect")
            assert client.names[-4:] == LAST_WORDS
            paused, recorded, restarting, _ = (event.data for event in client.events[-4:])
            assert paused["reason"] == "restart"
            assert {**recorded, **paused} == {**paused, "step": client.place[0], "position": client.place[1]}
            assert restarting["retry_after"] > 0
            assert_prefix(client, whole)
            session_id = client.all("explanation_start")[0]["session_id"]
            with redis.Redis.from_url(other.environment["REDIS_URL"]) as store:
                record = json.loads(store.get(f"session:{session_id}"))
            assert (record["owner"], record["is_paused"]) == ("", True)
            (heard,) = other.rows("SELECT * FROM answers_listening WHERE session_id = ?", session_id)
            for place in (
                (record["current_step"], record["pause_position"]),
                (heard["step"], heard["position"]),
            ):
                assert place == client.place
        for client, student in [*zip(clients, students, strict=True)][9::10]:
            async with StudentClient(other.url, student.token()) as again:
                session = (await again.call("get_session"))["session"]
                assert (session["state"], session["step"], session["position"]) == ("paused", *client.place)
                again.text = client.text
                step, position = client.place
                await again.call("resume_explanation", step=step, position=position, speed=8)
                await again.until("explanation_complete")
                assert again.text == whole


@pytest.mark.parametrize("kind", ["daphne", "serve"])
async def test_it_ends_in_time_and_admits_nobody_whatever_hangs(
    cluster: MakeCluster, template: Template, own_redis: Redis, own_postgres: Postgres, kind: str
) -> None:
    (server,) = cluster(1, kinds=(kind,), redis=own_redis, postgres=own_postgres, **SERVED[kind])
    students = [template.student() for _ in range(5)]
    async with AsyncExitStack() as stack:
        clients = await asyncio.gather(*(playing(stack, server, student) for student in students))
        assert is_ready(server)
        with frozen(own_redis.pid, own_postgres.pid):
            end = asyncio.create_task(stopped(server))
            await clients[0].until("streaming_paused")
            refused = await clients[0].call("ask_question", question=SKY)
            assert refused["error"]["code"] == "server_busy"
            with pytest.raises(socketio.exceptions.ConnectionError):
                await StudentClient(server.url, students[0].token()).__aenter__()
            assert not await asyncio.to_thread(is_ready, server)
            code, seconds = await end
        figure(f"{kind}: {seconds:.1f} s from SIGTERM to exit while Redis and PostgreSQL hang")
        assert (code, seconds < 10) == (0, True)
        for client in clients:
            await client.until("disconnect")
            heard = [name for name in client.names if name in LAST_WORDS]
            assert heard == LAST_WORDS
            (paused,) = (event.at for event in client.events if event.name == "streaming_paused")
            (recorded,) = (event.at for event in client.events if event.name == "explanation_paused")
            assert recorded - paused < 1
