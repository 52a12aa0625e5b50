"""One question, asked by many at once in two processes: one model call, one answer, one text, whoever dies.

The model never says the same twice, so a text that was told anew would show.
"""

import asyncio
import json
import random
import signal
import statistics
import time
import uuid
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from answers.draft_log import LEASE_SECONDS
from answers.drafts import LOST_SECONDS
from tests.client import RawClient
from tests.e2e.conftest import joined
from tests.faults.conftest import SOAK
from tests.figures import figure
from tests.model_server import ModelServer, Reply
from tests.server import MakeCluster, Server, Student, Template

ROUNDS, KILLS, STOPS = 50 * SOAK, 10 * SOAK, 5 * SOAK
CLIENTS = 50
AT_ONCE = 2  # questions that a process writes when it is killed
STEPS, SENTENCES = 3, 8
PER_SECOND = 120.0  # deltas; an answer takes some three seconds to write
TAKE_OVER_SECONDS = LEASE_SECONDS + LOST_SECONDS + 3.0  # what a busy machine adds
TRIES = 5  # of a command that is refused because the server is busy


@dataclass(frozen=True)
class Call:
    question: str
    at: float


class Author:
    """A model that says something else in each call, and goes on from whatever is written."""

    def __init__(self, per_second: float | None = None, hold_at: int | None = None) -> None:
        self.calls: list[Call] = []
        self._per_second, self._hold_at = per_second, hold_at

    def __call__(self, request: Any) -> Reply:
        document = json.loads(request["messages"][-1]["content"])
        self.calls.append(Call(document["question"], time.monotonic()))
        number, schema = len(self.calls), request["response_format"]["json_schema"]["schema"]
        written = len(document.get("written", ()))
        answer: dict[str, Any] = {}
        if "plan" in schema["properties"]:
            titles = [f"Step {step} of call {number}" for step in range(1, STEPS + 1)]
            answer["plan"] = {"total_duration": 60, "titles": titles}
        if "rest" in schema["properties"]:
            answer["rest"] = [{"say": self._words(number, written)}]
        answer["steps"] = [
            {"title": f"Step {step}", "type": "text", "parts": [{"say": self._words(number, step)}]}
            for step in range(written + 1, STEPS + 1)
        ]
        return Reply(json.dumps(answer), per_second=self._per_second, hold_at=self._hold_at)

    def of(self, question: str) -> list[Call]:
        return [call for call in self.calls if call.question == question]

    def _words(self, number: int, step: int) -> str:
        return "".join(f"Call {number} says in step {step} that {n}² is {n * n}. " for n in range(SENTENCES))


class Page(RawClient):
    """A connection that reports every character that was shown and is told in another way."""

    def _write(self, step: int, position: int, chunk: str) -> None:
        shown = self.text.get(step, "")[position:]
        if not (chunk.startswith(shown) or shown.startswith(chunk)):
            self.faults.append(f"rewritten in step {step} at {position}: {shown!r} by {chunk!r}")
        super()._write(step, position, chunk)


class Pupil:
    """Somebody who asks one question, and comes back elsewhere with the place where the text ended."""

    def __init__(self, stack: AsyncExitStack, server: Server, student: Student) -> None:
        self.server, self.session_id, self.refused = server, "", 0
        self._stack, self._student = stack, student
        self._acks = iter(range(1, 1_000_000))
        self.page = Page(server.url, student.token())

    async def connect(self) -> "Pupil":
        await self._stack.enter_async_context(self.page)
        return self

    async def ask(self, question: str) -> None:
        for kept in (self.page.text, self.page.events, self.page.frames):
            kept.clear()
        ack = await self._call("ask_question", question=question, speed=8)
        assert ack["cached"] is False
        self.session_id = ack["session_id"]

    async def return_to(self, server: Server) -> None:
        former, self.server = self.page, server
        self.page = Page(server.url, self._student.token())
        self.page.text, self.page.faults = former.text, former.faults
        await self.connect()
        step, position = former.place
        await self._call("resume_explanation", session_id=self.session_id, step=step, position=position)

    async def finish(self, elsewhere: Server | None = None) -> None:
        """Hear the explanation to its end, elsewhere if this connection ends before."""
        complete = asyncio.create_task(self._completed())
        if elsewhere:
            closed = asyncio.create_task(self.page.until_closed(60))
            await asyncio.wait((complete, closed), return_when=asyncio.FIRST_COMPLETED)
            closed.cancel()
            if not complete.done():
                complete.cancel()
                await self.return_to(elsewhere)
                complete = asyncio.create_task(self._completed())
        await complete

    async def _completed(self) -> None:
        await self.page.until("explanation_complete", seconds=40)

    async def _call(self, event: str, **payload: Any) -> dict[str, Any]:
        """Send a command, again when it was refused for a while; return its acknowledgement."""
        for _ in range(TRIES):
            (ack,) = await self.page.call(event, payload, ack=next(self._acks))
            if ack["ok"]:
                return dict(ack)
            assert ack["error"]["code"] == "server_busy", ack
            self.refused += 1
            await asyncio.sleep(1.0)
        raise AssertionError(f"{event} was refused {TRIES} times")


def new_question() -> str:
    return f"Why is {uuid.uuid4().hex} a number?"


def assert_one_text(server: Server, question: str, pupils: list[Pupil]) -> None:
    (row,) = server.rows("SELECT answer_steps FROM ai_answers WHERE question_text = ?", question)
    whole = {n: step["content"] for n, step in enumerate(json.loads(row["answer_steps"]), 1)}
    assert len(whole) == STEPS
    for pupil in pupils:
        assert not pupil.page.faults, pupil.page.faults
        assert pupil.page.text == whole, joined(pupil.page.text)


async def together(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
    return [task.result() for task in tasks]


@pytest.fixture
def rng() -> random.Random:
    seed = random.randrange(2**32)
    figure(f"seed {seed}")
    return random.Random(seed)


@pytest.fixture
def students(template: Template) -> list[Student]:
    return [template.student() for _ in range(5)]


async def class_of(stack: AsyncExitStack, servers: list[Server], students: list[Student]) -> list[Pupil]:
    """Let pupils connect, in turn to each of the servers."""
    pupils = [Pupil(stack, servers[n % len(servers)], students[n % len(students)]) for n in range(CLIENTS)]
    return await together(*(pupil.connect() for pupil in pupils))


async def test_a_question_asked_by_many_in_two_processes_at_once_costs_one_call(
    cluster: MakeCluster, model_server: ModelServer, students: list[Student]
) -> None:
    servers = cluster(2)
    author = Author(hold_at=150)
    model_server.script(author)
    began, first = time.monotonic(), list[float]()
    async with AsyncExitStack() as stack:
        pupils = await class_of(stack, servers, students)
        for _ in range(ROUNDS):
            question, asked = new_question(), time.monotonic()
            await together(*(pupil.ask(question) for pupil in pupils))
            await model_server.until_held()
            for pupil in pupils:  # in either process, before the model has come to its end
                await pupil.page.until("content_chunk")
                first.append(next(e.at for e in pupil.page.events if e.name == "content_chunk") - asked)
            model_server.release()
            await together(*(pupil.finish() for pupil in pupils))
            assert len(author.of(question)) == 1
            assert_one_text(servers[0], question, pupils)
    figure(
        f"{ROUNDS} questions by {CLIENTS} clients over 2 processes: {len(author.calls)} calls, "
        f"all texts equal; first text after {statistics.median(first):.2f} s, at most {max(first):.2f} s; "
        f"{sum(pupil.refused for pupil in pupils)} asked again; {time.monotonic() - began:.0f} s"
    )


class Rotation:
    """Three processes of which two serve, while the one that ended last starts again."""

    def __init__(self, servers: list[Server]) -> None:
        self._servers, self._round = servers, 0
        self._starting: asyncio.Task[Server] | None = None

    async def pair(self) -> tuple[Server, Server]:
        """Return the process that ends next, and the one that stays."""
        if self._starting:
            await self._starting
        n, self._round = self._round, self._round + 1
        return self._servers[n % 3], self._servers[(n + 1) % 3]

    def start_again(self, server: Server) -> None:
        self._starting = asyncio.create_task(asyncio.to_thread(server.start))


async def ended_while_writing(
    rotation: Rotation, author: Author, students: list[Student], rng: random.Random, how: int
) -> list[float]:
    """End a process at a random moment while it writes; return when each was written on, in seconds."""
    ends, stays = await rotation.pair()
    questions = [new_question() for _ in range(AT_ONCE)]

    async def asked_by_all(question: str, pupils: list[Pupil]) -> None:
        first, *others = pupils
        await first.ask(question)  # so that it is known who writes
        await together(*(pupil.ask(question) for pupil in others))

    async with AsyncExitStack() as stack:
        classes = [await class_of(stack, [ends, stays], students) for _ in questions]
        await together(*map(asked_by_all, questions, classes))
        await asyncio.sleep(rng.uniform(0, 2.5))
        ended = time.monotonic()
        stopped = asyncio.create_task(asyncio.to_thread(ends.stop, how))
        await together(
            *(pupil.finish(stays if pupil.server is ends else None) for pupils in classes for pupil in pupils)
        )
        await stopped
        rotation.start_again(ends)
        for question, pupils in zip(questions, classes, strict=True):
            assert 1 <= len(author.of(question)) <= 2
            assert_one_text(stays, question, pupils)
        if refused := sum(pupil.refused for pupils in classes for pupil in pupils):
            figure(f"busy for a moment: {refused} commands were sent again")
    return [call.at - ended for question in questions for call in author.of(question)[1:]]


async def test_when_the_writing_process_is_killed_another_one_writes_on(
    cluster: MakeCluster, model_server: ModelServer, students: list[Student], rng: random.Random
) -> None:
    rotation = Rotation(cluster(3))
    author = Author(per_second=PER_SECOND)
    model_server.script(author)
    began, seconds = time.monotonic(), list[float]()
    for _ in range(KILLS):
        seconds += await ended_while_writing(rotation, author, students, rng, signal.SIGKILL)
    assert seconds, "never was a process killed while it wrote"
    assert max(seconds) < TAKE_OVER_SECONDS
    figure(
        f"{KILLS * AT_ONCE} questions by {CLIENTS} clients whose writer was killed: "
        f"{len(author.calls)} calls, all texts equal; written on after {min(seconds):.1f} to "
        f"{max(seconds):.1f} s, median {statistics.median(seconds):.1f} s; {time.monotonic() - began:.0f} s"
    )


async def test_a_process_that_ends_in_good_order_hands_its_writing_over_at_once(
    cluster: MakeCluster, model_server: ModelServer, students: list[Student], rng: random.Random
) -> None:
    rotation = Rotation(cluster(3))
    author = Author(per_second=PER_SECOND)
    model_server.script(author)
    began, seconds = time.monotonic(), list[float]()
    for _ in range(STOPS):
        seconds += await ended_while_writing(rotation, author, students, rng, signal.SIGTERM)
    assert seconds, "never did a process end while it wrote"
    assert max(seconds) < LEASE_SECONDS, "it did not let go of what it wrote"
    figure(
        f"{STOPS * AT_ONCE} questions by {CLIENTS} clients whose writer ended: {len(author.calls)} calls, "
        f"all texts equal; written on {min(seconds):.2f} to {max(seconds):.2f} s after SIGTERM; "
        f"{time.monotonic() - began:.0f} s"
    )
