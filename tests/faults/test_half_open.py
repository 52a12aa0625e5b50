"""A peer that has vanished without a word is noticed, and nothing is left of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path

import redis

from tests.client import RawClient
from tests.faults.conftest import SOAK
from tests.faults.long_answer import ASK, PACE, narrow_wire, tell_long_answer
from tests.figures import figure
from tests.server import MakeServer, Server, Template

CONNECTIONS = 10  # every other one plays, the others are idle
NOTICED = 5 + 20 + 10  # seconds: between PINGs, their timeout, and some for the end of what is left


class Tunnel:
    """A TCP proxy; once `dark`, it takes and passes on nothing more, and closes nothing."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._light = asyncio.Event()
        self._light.set()
        self._wires: set[asyncio.StreamWriter] = set()

    def go_dark(self) -> None:
        self._light.clear()
        for wire in self._wires:
            wire.transport.pause_reading()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(sock=narrow_wire(self._server))
        self._wires |= {writer, inner_writer}
        with suppress(ConnectionError):
            await asyncio.gather(self._pass(reader, inner_writer), self._pass(inner_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            await self._light.wait()
            writer.write(data)

    def cut(self) -> None:
        for wire in self._wires:
            wire.transport.abort()


@asynccontextmanager
async def tunnel(server: Server) -> AsyncIterator[tuple[Tunnel, str]]:
    through = Tunnel(server)
    async with await asyncio.start_server(through.accept, "127.0.0.1", 0) as listening:
        yield through, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        through.cut()


async def vanish(server: Server, template: Template) -> None:
    """Let ten peers vanish, and wait until nothing is left of them."""
    student = template.student()
    async with RawClient(server.url, student.token()) as client:  # what only the first one costs
        await client.call("ask_question", ASK, ack=1)
        await client.call("stop_explanation", {}, ack=2)
    await asyncio.sleep(1)
    baseline, files = await server.counts(), (await server.weights())["files"]
    loop, sessions = asyncio.get_running_loop(), []
    async with AsyncExitStack() as stack:
        through, url = await stack.enter_async_context(tunnel(server))
        for number in range(CONNECTIONS):
            options = {"query": "&narrow", "ping_interval": None, "close_timeout": 0.1}
            client = RawClient(url, student.token(), **options)
            await stack.enter_async_context(client)
            if number % 2:
                (ack,) = await client.call("ask_question", ASK, ack=1)
                await client.until_shown(2_000)
                sessions.append(ack["session_id"])
        through.go_dark()
        began = loop.time()
        assert (await server.counts())["sockets"] >= CONNECTIONS + baseline["sockets"]
        await server.settled(baseline, NOTICED)
        noticed = loop.time() - began
        while (left := (await server.weights())["files"]) > files:
            assert loop.time() - began < NOTICED, f"{left - files} files are left open"
            await asyncio.sleep(0.2)
        figure(
            f"{server.kind}: {CONNECTIONS} peers that vanish: tasks, connections and sessions let go of "
            f"after {noticed:.1f} s, files after {loop.time() - began:.1f} s"
        )
        through.cut()
    async with RawClient(server.url, student.token()) as client:
        for number, session in enumerate(sessions):
            (ack,) = await client.call("get_session", {"session_id": session}, ack=number)
            assert ack["session"]["state"] == "paused"
    if url := server.environment["REDIS_URL"]:
        with closing(redis.Redis.from_url(url)) as store:
            assert not [*store.scan_iter("lease:*"), *store.scan_iter("draft*")]


async def test_nothing_is_left_of_peers_that_vanish(
    servers: MakeServer, template: Template, tmp_path: Path
) -> None:
    started = [servers(kind, **PACE) for kind in ("uvicorn", "daphne")]
    tell_long_answer(started, tmp_path)
    for _ in range(SOAK):
        await asyncio.gather(*(vanish(server, template) for server in started))
