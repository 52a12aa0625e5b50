"""The client that docs/protocol.md shows works as it is printed there."""

import asyncio
import os
import re
import signal
from asyncio.subprocess import PIPE, Process

from streaming.protocol_docs import FILE
from tests.e2e.conftest import SKY, stored_text
from tests.js.test_js_clients import HERE, node  # noqa: F401
from tests.server import MakeServer, Server, Student

LINES = 45


def program() -> str:
    (found,) = re.findall(r"```js\n(.*?)```", FILE.read_text(), re.DOTALL)
    return found


async def until(client: Process, words: str) -> None:
    assert client.stderr
    async with asyncio.timeout(20):
        while words not in (line := (await client.stderr.readline()).decode()):
            assert line, f"ended before {words!r}"


async def start(node: str, server: Server, student: Student) -> Process:  # noqa: F811
    return await asyncio.create_subprocess_exec(
        *(node, "--input-type=module", "--eval", program()),
        cwd=HERE,
        env={"PATH": os.environ["PATH"], "SERVER": server.url, "TOKEN": student.token(), "QUESTION": SKY},
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )


async def enter(client: Process) -> None:
    assert client.stdin
    client.stdin.write(b"\n")
    await client.stdin.drain()


def whole(server: Server) -> str:
    return "\n\n".join(stored_text(server).values()) + "\n"


async def heard(client: Process) -> str:
    async with asyncio.timeout(60):
        out, err = await client.communicate()
    assert client.returncode == 0, err.decode()
    return out.decode()


def test_it_is_short() -> None:
    assert len(program().splitlines()) <= LINES


async def test_it_pauses_goes_on_and_ends_with_the_exact_text(
    node: str,  # noqa: F811
    server: Server,
    learner: Student,
) -> None:
    client = await start(node, server, learner)
    await until(client, "step 1, ")
    for answer in ("paused", "playing", "paused", "playing"):
        await enter(client)
        await until(client, answer)
    assert await heard(client) == whole(server)


async def test_it_goes_on_after_the_server_was_killed(
    node: str,  # noqa: F811
    servers: MakeServer,
    learner: Student,
) -> None:
    server = servers("daphne", CHUNK_DELAY=0.05)
    client = await start(node, server, learner)
    await until(client, "step 2, ")
    await asyncio.to_thread(server.restart, signal.SIGKILL)
    await until(client, "playing")
    assert await heard(client) == whole(server)
