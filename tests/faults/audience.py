"""Students who play while something breaks, and what must hold for each of them meanwhile."""

import asyncio
import itertools
import json
import os
import random
import time
import uuid
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

import socketio

from tests.client import ENDED, StudentClient
from tests.e2e.conftest import SKY, stored_text
from tests.figures import figure
from tests.model_server import ModelServer, Reply, answer, tokens, told
from tests.server import Server, Student, Template

SIZE, DELAY = 10, 0.05
RATE = SIZE / DELAY  # characters a second
ASKS = 12  # how many one student may make in eight seconds
SETTINGS: dict[str, object] = {"CHUNK_SIZE": SIZE, "CHUNK_DELAY": DELAY, "RATE_LIMIT_ASK": f"{ASKS}/8second"}

DRAFT = answer(2, 6)  # what the model says to every question, in about three seconds
DRAFT_TEXT = {n: content for n, (_, content) in enumerate(told(DRAFT), 1)}
DELTAS = 80  # a second
WRITTEN_SECONDS = len(tokens(DRAFT)) / DELTAS

# How long what may take at most, whatever is away: commands of the connection that plays, from
# `streaming_paused` to `explanation_paused`, until the one that had a session knows that it moved, and until
# all works again after what was away is back.
MOST_SECONDS = {"pause": 1.0, "resume": 1.0, "recorded": 1.0, "moved": 1.5, "again": 2.5}
# How much later chunks of finished answers may come than in the rounds of the same run without a fault.
P99_SECONDS, GAP_SECONDS = 0.05, 0.15
LINES = 30  # of a fault in one process's log
STRETCH = 150  # characters that are heard after a resume
LISTENERS = 3  # of a finished answer, at each process

Text = dict[int, str]
Break = Callable[[], Awaitable[None]]


class Page(StudentClient):
    """A page that holds every character against the explanation, and every chunk against the pace."""

    def __init__(self, server: Server, student: Student) -> None:
        super().__init__(server.url, student.token())
        self.whole: Text = {}  # what is explained
        self.asked: Text = {}  # what the next explanation says
        self.session_id = ""
        self.refused: list[float] = []  # seconds until each refusal
        self.starts: list[
            tuple[float, float]
        ] = []  # of each chunk: when it came, when the first was due by it

    def turn(self, whole: Text, text: Text) -> None:
        """Show another explanation, of which another page has shown something."""
        self.whole, self.text, self.board, self.starts = whole, dict(text), {}, []

    def hear(self, name: str, data: Any) -> None:
        if name == "explanation_start":
            self.turn(self.asked, {})
        super().hear(name, data)

    async def attempt(self, event: str, **fields: Any) -> dict[str, Any]:
        """Return the acknowledgement of an event; a refusal is one coded error."""
        since, began = len(self.events), time.monotonic()
        ack = await self.call(event, fields)
        errors = [heard.data["code"] for heard in self.events[since:] if heard.name == "error"]
        if ack["ok"]:
            assert not errors, (event, errors)
        else:
            self.refused.append(time.monotonic() - began)
            assert errors == ["server_busy"] == [ack["error"]["code"]], (event, ack, errors)
        return ack

    async def ask_for(self, whole: Text, question: str = SKY) -> dict[str, Any]:
        self.asked = whole
        return await self.attempt("ask_question", question=question)

    async def ask_until_accepted(self, whole: Text, question: str = SKY) -> None:
        ack = await self.ask_for(whole, question)
        while not ack["ok"]:
            await asyncio.sleep(0.25)
            ack = await self.ask_for(whole, question)
        self.session_id = ack["session_id"]

    async def heard_whole(self, since: int) -> None:
        ended = await self.until(ENDED, since=since, seconds=60)
        assert "steps_completed" in ended, [heard for heard in self.events[since:] if heard.name == "error"]
        assert not self.faults, self.faults
        assert self.text == self.whole

    def lateness(self) -> list[tuple[float, float]]:
        """Return of each chunk when it came, and how much later than by the pace of the earliest one."""
        earliest = min((start for _, start in self.starts), default=0.0)
        return [(at, start - earliest) for at, start in self.starts]

    def _write(self, step: int, position: int, chunk: str) -> None:
        super()._write(step, position, chunk)
        whole = self.whole.get(step, "")
        if whole[position : position + len(chunk)] != chunk:
            self.faults.append(f"step {step} at {position}: {chunk!r}")
        before = sum(len(self.whole[earlier]) for earlier in range(1, step)) + position
        now = time.monotonic()
        self.starts.append((now, now - before / RATE))


class Starvation:
    """How long processes were ready to run while the machine ran others, as Linux tells."""

    SECONDS = 0.02

    def __init__(self, pids: Iterable[int]) -> None:
        self._files = {pid: Path(f"/proc/{pid}/schedstat") for pid in pids}
        self._samples: list[tuple[float, dict[int, float]]] = []

    async def watch(self) -> None:
        while all(file.exists() for file in self._files.values()):
            waited = {pid: int(file.read_text().split()[1]) / 1e9 for pid, file in self._files.items()}
            self._samples.append((time.monotonic(), waited))
            await asyncio.sleep(self.SECONDS)

    def between(self, pid: int, begin: float, end: float) -> float:
        first = bisect_left(self._samples, begin, key=itemgetter(0)) - 1
        last = bisect_left(self._samples, end, key=itemgetter(0))
        if not self._samples:
            return 0.0
        last = min(last, len(self._samples) - 1)
        return self._samples[last][1][pid] - self._samples[max(0, first)][1][pid]


@dataclass
class Round:
    """One fault, or a round like the others without one; when it began and ended, and what was measured."""

    broken: bool
    began: float = field(default_factory=time.monotonic)
    mended: float = 0.0
    ended: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)


class Audience:
    """Several students at each of two processes.

    Some listen to a finished answer, over and over; pairs hear answers being written, each of a pair at
    another process; one with a tab at each process steers while things break; newcomers ask.
    """

    def __init__(
        self, servers: Sequence[Server], template: Template, model: ModelServer, rng: random.Random
    ) -> None:
        self.servers, self.rng, self.model = servers, rng, model
        self.whole = stored_text(servers[0])
        self.rounds: list[Round] = []
        self.samples: list[tuple[float, float]] = []
        self.asked: list[str] = []  # the questions whose answers were heard while they were written
        self.heard: list[str] = []  # the sessions that were heard to their end
        self.saving: list[float] = [0.0, 0.0]  # when the pairs' answers will have been told
        self._ended = asyncio.Event()
        self._starvation = Starvation([os.getpid(), *(server.pid for server in servers)])
        self._template, self._stack = template, AsyncExitStack()
        self._arriving = template.student()
        self._tasks: list[asyncio.Task[None]] = []
        self.pages: list[Page] = []
        model.script(Reply(DRAFT, per_second=DELTAS))

    async def __aenter__(self) -> "Audience":
        one, other = self.servers
        self._listeners = [await self._page(self.servers[n % 2]) for n in range(2 * LISTENERS)]
        self._pairs = [[await self._page(one), await self._page(other)] for _ in range(2)]
        self._newcomers = itertools.cycle(
            [[await self._page(one), await self._page(other)] for _ in range(4)]
        )
        self._tab_pair = await self._tabs()
        self._counters = itertools.cycle([await self._tabs() for _ in range(9)])
        self._watching = asyncio.create_task(self._starvation.watch())
        self._tasks = [
            *(
                asyncio.create_task(self._listen(page, self.servers[n % 2].pid))
                for n, page in enumerate(self._listeners)
            ),
            *(asyncio.create_task(self._hear(n, *pair)) for n, pair in enumerate(self._pairs)),
        ]
        return self

    async def __aexit__(self, *error: object) -> None:
        """Let everybody hear to the end."""
        self._ended.set()
        if error[0] is None:
            for page in self._listeners:
                await page.call("set_speed", {"speed": 8})
        else:
            for task in self._tasks:
                task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._watching.cancel()
        await self._stack.__aexit__(*error)  # type: ignore[arg-type]
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _page(self, server: Server, student: Student | None = None) -> Page:
        page = Page(server, student or self._template.student())
        self.pages.append(page)
        return await self._stack.enter_async_context(page)  # type: ignore[return-value]

    async def _tabs(self) -> list[Page]:
        """Return one student's pages at both processes."""
        student = self._template.student()
        return [await self._page(server, student) for server in self.servers]

    # --- Who listens all the time --------------------------------------------------------------------

    async def _listen(self, page: Page, pid: int) -> None:
        while not self._ended.is_set():
            since = len(page.events)
            await page.ask_until_accepted(self.whole)
            await page.heard_whole(since)
            self.heard.append(page.session_id)
            for came, late in () if self._ended.is_set() else page.lateness():
                # What the machine did not give to the server or to this process says nothing about either.
                waited = sum(self._starvation.between(who, came - late, came) for who in (pid, os.getpid()))
                self.samples.append((came, max(0.0, late - waited)))

    async def _hear(self, number: int, *pages: Page) -> None:
        """Ask one new question at both processes, the one or the other first."""
        while not self._ended.is_set():
            question = new_question()
            first, second = self.rng.sample(pages, 2)
            since = [len(first.events), len(second.events)]
            for page in (first, second):
                await page.ask_until_accepted(DRAFT_TEXT, question)
                if page is first:
                    self.saving[number] = time.monotonic() + WRITTEN_SECONDS
            self.asked.append(question)
            await asyncio.gather(first.heard_whole(since[0]), second.heard_whole(since[1]))
            self.heard += [first.session_id, second.session_id]

    # --- One fault -----------------------------------------------------------------------------------

    async def endure(self, break_: Break, *, broken: bool = True) -> Round:
        """Play, break, steer meanwhile, and find that all works again."""
        failed = [task for task in self._tasks if task.done()]
        assert not failed, failed[0].exception()
        rng = self.rng
        here, there = rng.sample(self._tab_pair, 2)
        since = len(here.events)
        await here.ask_until_accepted(*rng.choice([(self.whole, SKY), (DRAFT_TEXT, new_question())]))
        await here.until("content_chunk", since=since)
        there.session_id = here.session_id
        await asyncio.sleep(rng.uniform(0, 0.2))

        now = Round(broken)
        breaking = asyncio.create_task(self._timed(now, break_))
        await asyncio.sleep(rng.uniform(0, 0.1))
        newcomers = next(self._newcomers)
        newcomer = rng.choice(newcomers)
        asking = asyncio.create_task(newcomer.ask_for(self.whole))
        arriving = asyncio.create_task(self._arrive())
        here, there = await self._meanwhile(now, here, there)
        await asking
        await arriving
        await breaking
        results = await asyncio.gather(
            self._signalled(here, there), *map(self._answered, newcomers), self._counted()
        )
        now.seconds["again"] = max(results) - now.mended
        await self._exact(here, there)
        now.ended = time.monotonic()
        self.rounds.append(now)
        return now

    async def until_nearly_saved(self) -> None:
        """Wait until an answer will have been told to its end about when the next fault is due."""
        now = time.monotonic()
        soon = min((moment for moment in self.saving if moment > now), default=now)
        await asyncio.sleep(max(0.0, soon - now - self.rng.uniform(0.3, 0.8)))

    async def _timed(self, now: Round, break_: Break) -> None:
        await break_()
        now.mended = time.monotonic()

    async def _meanwhile(self, now: Round, here: Page, there: Page) -> tuple[Page, Page]:
        """Steer while it is broken; return the pages anew: where it plays, and the other."""
        event, fields = self.rng.choice([("get_session", {}), ("set_speed", {"speed": 1})])
        looking = asyncio.create_task(there.attempt(event, session_id=here.session_id, **fields))
        since, began = len(here.events), time.monotonic()
        assert (await here.attempt("pause_explanation"))["ok"]
        now.seconds["pause"] = time.monotonic() - began
        await here.until("explanation_paused", since=since)
        paused, recorded = (
            next(heard for heard in here.events[since:] if heard.name == name)
            for name in ("streaming_paused", "explanation_paused")
        )
        now.seconds["recorded"] = recorded.at - paused.at
        assert here.place == (paused.data["step"], paused.data["position"])
        if self.rng.random() < 0.5:
            began = time.monotonic()
            assert (await here.attempt("resume_explanation"))["ok"]
            now.seconds["resume"] = time.monotonic() - began
            await looking
            return here, there
        await looking
        there.turn(here.whole, here.text)
        step, position = here.place
        place = {"step": step, "position": position}
        taken = await there.attempt("resume_explanation", session_id=here.session_id, **place)
        if not taken["ok"]:
            return here, there
        assert (taken["step"], taken["position"]) == (step, position)
        began = time.monotonic()
        await here.until("streaming_paused", since=since, reason="moved")
        now.seconds["moved"] = time.monotonic() - began
        return there, here

    async def _arrive(self) -> None:
        """Connect at one process; a refusal is coded too."""
        page = Page(self.rng.choice(self.servers), self._arriving)
        try:
            async with page:
                pass
        except socketio.exceptions.ConnectionError:
            (refusal,) = page.all("connect_error")
            assert refusal["data"]["code"] == "server_busy", refusal

    async def _signalled(self, here: Page, there: Page) -> float:
        """Pause from the other tab, until that is heard over the channel layer; return when it was."""
        while True:
            assert (await here.attempt("resume_explanation"))["ok"]
            since = len(here.events)
            ack = await there.attempt("pause_explanation", session_id=here.session_id)
            now = time.monotonic()
            if ack["ok"]:
                paused = await here.until("streaming_paused", since=since, reason="user")
                assert (paused["step"], paused["position"]) == here.place
                # A player that did not hear of it finds it later, where the session was thought to rest.
                (told,) = (heard.at for heard in here.events[since:] if heard.data is paused)
                if told < now + 0.05 and here.place == (ack["step"], ack["position"]):
                    return now
            await asyncio.sleep(0.05)

    async def _answered(self, page: Page) -> float:
        """Ask at one process until that is accepted; return when it was."""
        since = len(page.events)
        await page.ask_until_accepted(self.whole)
        now = time.monotonic()
        await page.until("explanation_start", since=since)
        assert (await page.attempt("stop_explanation"))["ok"]
        return now

    async def _counted(self) -> float:
        """Ask too often, at both processes at once, until exactly as many are accepted as may be."""
        tabs = next(self._counters)
        accepted = await asyncio.gather(*(self._count(page, ASKS // 2 + 1) for page in tabs))
        assert sum(accepted) == ASKS, accepted
        return time.monotonic()

    async def _count(self, page: Page, asks: int) -> int:
        accepted, page.asked = 0, self.whole
        for _ in range(asks):
            ack = await page.call("ask_question", question=SKY)
            accepted += ack["ok"]
            assert ack["ok"] or ack["error"]["code"] == "rate_limited", ack
        await page.call("stop_explanation", {})
        return accepted

    async def _exact(self, here: Page, there: Page) -> None:
        """Resume what is paused here, at the one process or the other, and hear on."""
        page = self.rng.choice((here, there))
        if page is there:
            there.turn(here.whole, here.text)
        step, position = here.place
        place = {"step": step, "position": position} if self.rng.random() < 0.5 else {}
        ack = await page.attempt("resume_explanation", session_id=here.session_id, speed=8, **place)
        assert (ack["ok"], ack["step"], ack["position"]) == (True, step, position)
        whole, shown = (sum(map(len, text.values())) for text in (page.whole, page.text))
        await page.until_shown(min(whole, shown + STRETCH))
        assert (await page.attempt("stop_explanation"))["ok"]
        assert not page.faults, page.faults

    # --- What came of it -----------------------------------------------------------------------------

    def lateness(self, *, broken: bool) -> list[list[float]]:
        """Return of each such round how late the chunks of finished answers came."""
        rounds = [now for now in self.rounds if now.broken is broken]
        return [[late for came, late in self.samples if now.began <= came <= now.ended] for now in rounds]

    def refused(self) -> list[float]:
        return [seconds for page in self.pages for seconds in page.refused]

    def calls(self) -> list[int]:
        """Return how often the model was asked each question."""
        bodies = [json.dumps(body) for body in self.model.requests]
        return [sum(question in body for body in bodies) for question in self.asked]


def new_question() -> str:
    return f"What is written about {uuid.uuid4().hex}?"


def shuffled(rng: random.Random, broken: int, calm: int) -> Iterator[bool]:
    """Yield which rounds break something."""
    kinds = [True] * broken + [False] * calm
    rng.shuffle(kinds)
    return iter(kinds)


def at(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def worsts(rounds: Sequence[Sequence[float]]) -> list[float]:
    return sorted(max(late) for late in rounds if late)


def complaints(server: Server) -> list[str]:
    """Return the lines of a server's log that say that something went wrong, without their times."""
    return [
        line.split(" ", 2)[2] for line in server.log.splitlines() if " WARNING " in line or " ERROR " in line
    ]


def report(name: str, audience: Audience) -> None:
    """Show what was measured, and hold it against what must be."""
    calm, broken = audience.lateness(broken=False), audience.lateness(broken=True)
    for kind, late in (("calm", calm), ("broken", broken)):
        every = sorted(itertools.chain(*late))
        shares = " ".join(
            f"p{100 * share:g} {1000 * at(every, share):.0f}" for share in (0.5, 0.99, 0.999, 1)
        )
        worst = " ".join(f"p{100 * share:g} {1000 * at(worsts(late), share):.0f}" for share in (0.5, 0.9, 1))
        figure(f"{name}: {kind}: {len(every)} chunks, late by ms: {shares}; the worst of each round: {worst}")
    rounds = [now for now in audience.rounds if now.broken]
    for what in MOST_SECONDS:
        values = sorted(now.seconds[what] for now in rounds if what in now.seconds)
        figure(f"{name}: {what}: {len(values)}, p50 {at(values, 0.5):.2f} s, max {at(values, 1):.2f} s")
    refused, calls = audience.refused(), audience.calls()
    figure(
        f"{name}: {len(rounds)} faults, {len(refused)} refusals, the slowest after "
        f"{max(refused, default=0):.2f} s; {len(calls)} questions, {sum(calls)} calls of the model, "
        f"at most {max(calls)} for one"
    )
    lines = [complaints(server) for server in audience.servers]
    kinds = Counter(" ".join(line.split(" ")[1:3]) for line in itertools.chain(*lines))
    figure(f"{name}: {sum(map(len, lines))} complaints in the logs: {dict(kinds)}")

    every, as_ever = sorted(itertools.chain(*broken)), sorted(itertools.chain(*calm))
    assert at(every, 0.99) <= at(as_ever, 0.99) + P99_SECONDS
    # Not the one worst chunk of all: a machine that stands still for a moment does so in any round.
    assert at(worsts(broken), 0.9) <= at(worsts(calm), 1) + GAP_SECONDS
    for what, most in MOST_SECONDS.items():
        slowest = max((now.seconds.get(what, 0.0) for now in rounds), default=0.0)
        assert slowest <= most, (what, slowest)
    assert max(calls) <= 2
    assert max(map(len, lines)) <= LINES * len(rounds)
    for question in audience.asked:
        query = "SELECT id FROM ai_answers WHERE question_text = ? AND status = ?"
        assert len(audience.servers[0].rows(query, question, "published")) == 1, question
