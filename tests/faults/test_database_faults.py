"""PostgreSQL restarts, or cuts the connections: who plays does not notice, and nothing is forgotten."""

import asyncio
import functools
import json
import os
import random
import time
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from tests.client import StudentClient
from tests.e2e.conftest import SKY
from tests.faults.audience import SETTINGS, Audience, report, shuffled
from tests.faults.conftest import SOAK
from tests.figures import figure
from tests.model_server import ModelServer
from tests.server import MakeCluster, Student, Template
from tests.services import Postgres

pytestmark = pytest.mark.faults

FAULTS = 15 * SOAK
REFUSED_SECONDS = 6.0  # a piece of work in the database may take five
CONNECTIONS = 2 * 10  # of both processes' pools
SETTLED_SECONDS = 10.0  # until all that was heard during the last fault is written down

OURS = "FROM pg_stat_activity WHERE application_name = 'tutor'"
Fault = Callable[[Postgres, random.Random], Awaitable[None]]


async def restarted(server: Postgres, rng: random.Random) -> None:
    await asyncio.to_thread(server.stop)
    # The latter is longer than anybody waits.
    await asyncio.sleep(rng.uniform(0, 0.8) if rng.random() < 0.9 else 5.0)
    await asyncio.to_thread(server.start)


async def terminated(server: Postgres, rng: random.Random) -> None:
    await asyncio.sleep(rng.uniform(0, 0.2))
    await asyncio.to_thread(
        query,
        server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tutor'",
    )


async def nothing(server: Postgres, rng: random.Random) -> None:
    await asyncio.sleep(rng.uniform(0, 0.8))


def query(server: Postgres, statement: str) -> int:
    """Return how many rows it has."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        return len(connection.execute(statement.encode()).fetchall())


def open_connections(server: Postgres) -> int:
    return query(server, f"SELECT pid {OURS}")


@pytest.mark.parametrize("fault", [restarted, terminated])
async def test_who_plays_does_not_notice_that_postgresql(
    cluster: MakeCluster,
    template: Template,
    own_postgres: Postgres,
    model_server: ModelServer,
    fault: Fault,
) -> None:
    seed = int(os.environ.get("SEED", random.randrange(2**32)))
    rng = random.Random(seed)
    name = fault.__name__
    figure(f"{name}: seed {seed}")
    servers = cluster(2, postgres=own_postgres, **SETTINGS)
    began = time.monotonic()
    saved_meanwhile = 0
    async with Audience(servers, template, model_server, rng) as audience:
        before = await asyncio.to_thread(open_connections, own_postgres)
        for number, broken in enumerate(shuffled(rng, FAULTS, max(3, FAULTS // 4))):
            if number % 2:
                await audience.until_nearly_saved()
            saving = [*audience.saving]
            now = await audience.endure(
                functools.partial(fault if broken else nothing, own_postgres, rng), broken=broken
            )
            saved_meanwhile += broken and sum(now.began < moment < now.mended + 0.2 for moment in saving)
    figure(f"{name}: {time.monotonic() - began:.0f} s; {saved_meanwhile} answers ended meanwhile")
    after = await asyncio.to_thread(open_connections, own_postgres)
    figure(f"{name}: {before} connections before, {after} after")
    report(name, audience)
    assert after <= CONNECTIONS
    assert max(audience.refused(), default=0.0) <= REFUSED_SECONDS
    deadline = time.monotonic() + SETTLED_SECONDS
    while wrong := await asyncio.to_thread(wrongly_heard, audience):
        assert time.monotonic() < deadline, (len(wrong), wrong[:3])
        await asyncio.sleep(0.1)


async def test_the_end_of_an_explanation_is_written_down_however_long_the_database_is_away(
    cluster: MakeCluster, own_postgres: Postgres, learner: Student
) -> None:
    (server,) = cluster(1, postgres=own_postgres)
    async with StudentClient(server.url, learner.token()) as client:
        await client.ask(SKY, speed=2)
        await client.until("content_chunk")
        await asyncio.to_thread(own_postgres.stop)
        await client.until("explanation_complete")
        await asyncio.sleep(4)  # longer than anybody waits for a connection
        await asyncio.to_thread(own_postgres.start)
        deadline = time.monotonic() + SETTLED_SECONDS
        while server.rows("SELECT state FROM answers_listening") != [{"state": "complete"}]:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)


def wrongly_heard(audience: Audience) -> list[dict[str, object]]:
    """Return what the database says of those who heard an explanation whole, where it says something else."""
    server = audience.servers[0]
    rows = {row["session_id"].replace("-", ""): row for row in server.rows("SELECT * FROM answers_listening")}
    ends = {}
    for answer in server.rows("SELECT id, answer_steps FROM ai_answers"):
        steps = json.loads(answer["answer_steps"])
        ends[answer["id"]] = ("complete", len(steps), len(steps[-1]["content"]))
    wrong = []
    for session_id in audience.heard:
        row = rows.get(session_id.replace("-", ""), {})
        if (row.get("state"), row.get("step"), row.get("position")) != ends.get(row.get("answer_id")):
            wrong.append({"session": session_id, **row})
    return wrong
