"""`manage.py ask` against the workers of `make serve`: whichever is killed, it goes on to the exact text."""

import asyncio
import json
import os
import random
import signal
import sys
import time
from contextlib import suppress

import pytest

from tests.client import Recorder
from tests.e2e.conftest import SKY, stored_text
from tests.faults.conftest import SOAK
from tests.faults.test_single_flight import Author, new_question
from tests.figures import figure
from tests.model_server import ModelServer
from tests.processes import frozen, serving
from tests.server import ROOT, MakeCluster, Server, Student, Template
from tests.services import Redis

KILLS = 3 * SOAK
SECONDS = 60.0


class Terminal(Recorder):
    """The command as a process of its own; its lines of JSON are what a page hears."""

    def __init__(self, server: Server, student: Student, question: str) -> None:
        super().__init__()
        self._server, self._question = server, question
        self._options = ["--json", "--url", server.url, "--token", student.token()]

    async def __aenter__(self) -> "Terminal":
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "manage.py", "ask", self._question, *self._options),
            cwd=ROOT,
            env=self._server.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reading

    async def ended(self) -> int:
        """Return the exit code, once everything that was printed has been heard."""
        async with asyncio.timeout(SECONDS):
            await self._reading
            return await self._process.wait()

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            event = json.loads(line)
            self.hear(event["event"], event["data"])


@pytest.mark.parametrize("written", ["before", "meanwhile"])
async def test_it_goes_on_by_itself_when_the_worker_that_plays_is_killed(
    cluster: MakeCluster, template: Template, model_server: ModelServer, written: str
) -> None:
    (server,) = cluster(1, kinds=("serve",), WORKERS=2, DEBUG="on", CHUNK_DELAY=0.05)
    rng = random.Random(seed := random.randrange(2**32))
    figure(f"seed {seed}")
    author, seconds = Author(per_second=100), list[float]()
    model_server.script(author)
    for _ in range(KILLS):
        question = SKY if written == "before" else new_question()
        async with Terminal(server, template.student(), question) as terminal:
            await terminal.until_shown(rng.randrange(1, 700))
            (plays,) = serving(server.pid, server.port)
            os.kill(plays, signal.SIGKILL)
            killed, heard = time.monotonic(), len(terminal.events)
            await terminal.until("streaming_resumed", since=heard)
            await terminal.until("content_chunk", since=heard, seconds=SECONDS)
            seconds.append(next(e.at for e in terminal.events[heard:] if e.name == "content_chunk") - killed)
            assert await terminal.ended() == 0
        assert terminal.names[-1] == "explanation_complete"
        assert terminal.text == stored_text(server, question)
        assert not terminal.faults, terminal.faults
    assert all(len(author.of(call.question)) <= 2 for call in author.calls)
    how = "a stored answer" if written == "before" else "an answer being written"
    back = f"{min(seconds):.1f} to {max(seconds):.1f} s"
    figure(f"{how}, its worker killed {KILLS} times: text again after {back}")


async def test_it_is_patient_with_what_is_refused_for_a_while(
    cluster: MakeCluster, learner: Student, own_redis: Redis
) -> None:
    (server,) = cluster(1, kinds=("serve",), redis=own_redis, WORKERS=2, DEBUG="on", CHUNK_DELAY=0.05)
    async with Terminal(server, learner, SKY) as terminal:
        await terminal.until_shown(300)
        (plays,) = serving(server.pid, server.port)
        with frozen(own_redis.pid):
            os.kill(plays, signal.SIGKILL)
            await terminal.until("error", code="server_busy")
        assert await terminal.ended() == 0
    assert terminal.text == stored_text(server, SKY)
    assert not terminal.faults, terminal.faults
