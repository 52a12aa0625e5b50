"""A client that stops reading costs a bounded amount of memory, and misses nothing."""

import asyncio

import pytest

from tests.client import RawClient
from tests.e2e.conftest import stored_text
from tests.faults.conftest import SOAK
from tests.faults.long_answer import ASK, PACE, QUESTION, RATE, STEPS, narrow_wire, tell_long_answer
from tests.figures import figure
from tests.server import MakeServer, Server, Template

ENDED = ("explanation_complete", "closed")
CLIENTS = 20
SHORT, LONG = 5, 30  # seconds without reading
BOUND = 64 * 1024 + 5 * RATE  # bytes for each client: 64 KiB and the text of one interval between PINGs


@pytest.fixture(scope="module")
def reader_servers(servers: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> list[Server]:
    started = [servers(kind, **PACE) for kind in ("uvicorn", "daphne")]
    tell_long_answer(started, tmp_path_factory.mktemp("long"))
    return started


async def slow_student(server: Server, token: str, seconds: float, stop: asyncio.Event) -> int:
    """Hear the answer with a stop in the middle; return how often the server had cut the connection."""
    options = {"query": "&narrow", "sock": narrow_wire(server), "ping_interval": None}
    async with RawClient(server.url, token, **options) as client:
        (ack,) = await client.call("ask_question", ASK, ack=1)
        await client.until_shown(5_000)
        await stop.wait()
        if seconds:
            client.stop_reading()
        await asyncio.sleep(seconds)
        client.read_on()
        await client.event("seek_explanation", {"step": STEPS})
        await client.until(ENDED, seconds=30)
        text, faults, cuts = client.text, client.faults, 0
    while "explanation_complete" not in client.names:
        cuts += 1
        assert cuts < 5
        async with RawClient(server.url, token) as client:
            client.text, step = text, max(text)
            place = {"session_id": ack["session_id"], "step": step, "position": len(text[step])}
            assert (await client.call("resume_explanation", place, ack=1))[0]["ok"]
            await client.event("seek_explanation", {"step": STEPS})
            await client.until(ENDED, seconds=30)
            text, faults = client.text, faults + client.faults
    assert text == stored_text(server, QUESTION)
    assert not faults
    return cuts


async def weigh(server: Server, seconds: float) -> dict[str, int]:
    """Return by how much each weight of the process grew at most."""
    loop = asyncio.get_running_loop()
    before, end = await server.weights(), loop.time() + seconds
    most = dict.fromkeys(before, 0)
    while loop.time() < end:
        await asyncio.sleep(1)
        now = await server.weights()
        most = {name: max(most[name], now[name] - before[name]) for name in now}
    return most


async def slow_students(server: Server, template: Template, seconds: float) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        students = [
            tasks.create_task(slow_student(server, template.student().token(), seconds, stop))
            for _ in range(CLIENTS)
        ]
        await asyncio.sleep(1.5)  # all play now, at full speed
        stop.set()
        most = await weigh(server, seconds - 2)
    if not seconds:
        return
    waited = most["written"] + most["queued"] + most["outboxes"]
    cuts = sum(student.result() for student in students)
    figure(
        f"{server.kind}: {CLIENTS} clients that do not read for {seconds} s: {cuts} cut, at most "
        f"{waited / CLIENTS / 1024:.1f} KiB each waited ({BOUND / 1024:.0f} allowed), the process grew by "
        f"{most['resident'] / CLIENTS / 1024:.1f} KiB each"
    )
    assert waited <= BOUND * CLIENTS
    assert most["resident"] <= BOUND * CLIENTS
    assert cuts == (CLIENTS if seconds == LONG else 0)


async def test_slow_readers_cost_little_and_miss_nothing(
    reader_servers: list[Server], template: Template
) -> None:
    for seconds in (0, *SOAK * (SHORT, LONG)):  # a first round without a stop warms the servers up
        await asyncio.gather(*(slow_students(server, template, seconds) for server in reader_servers))
