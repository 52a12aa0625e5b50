"""One answer while it is being written: a recording that grows by what stands in its log."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from answers.draft_log import DraftLog, Entry, Lease, decoded
from answers.errors import AnswersError, StoreAway
from answers.generation.base import Drawn, Piece, Plan, Said, StepClosed, StepOpened
from answers.questions import Question
from answers.recording import Recording

STORE_SECONDS = 0.25  # between two tries to reach a store that is away

T = TypeVar("T")


class Told(NamedTuple):
    """By whom an answer was told to its end."""

    source: str
    model: str
    prompt_version: str


class Superseded(Exception):
    """Another process has taken over the writing."""


@dataclass(eq=False)
class Draft:
    """One answer being written; each of its `listeners` is called whenever it has grown."""

    id: str
    question: Question
    asked_by: str
    recording: Recording
    log: DraftLog
    lease: Lease
    told: Told | None = None  # set before it is saved
    listeners: set[Callable[[], None]] = field(default_factory=set)
    keeper: asyncio.Task[None] | None = None  # writes it, or follows who does
    whole: bool = True  # whether the store has all that is known here, as far as its writer knows
    _author: str = ""  # who holds the pen by what was read so far
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)  # so that no entry is taken twice

    @property
    def ended(self) -> bool:
        return self.recording.complete or self.recording.failure is not None

    @property
    def wanted(self) -> bool:
        """Whether somebody here listens to it, or may have seen something of it."""
        return bool(self.listeners) or self.recording.has_text

    async def read(self) -> None:
        """Let the recording grow by what others have written."""
        async with self._one_at_a_time:
            for entry in await self.log.read():
                self.take(entry)

    async def append(self, **what: Any) -> None:
        """Write an entry, and only then let the recording grow by it. Raises `Superseded`."""
        entry = {"by": self.lease.token, **what}
        async with self._one_at_a_time:
            if not await self.log.append(entry):
                raise Superseded
            self.take(entry)

    def take(self, entry: Entry) -> None:
        """Let the recording grow by an entry of the log."""
        recording = self.recording
        if "question" in entry:
            self._author = entry["by"]
        elif entry["by"] != self._author:
            return  # The store has lost what came before, and another writes on from there.
        if "anew" in entry:
            recording.steps.clear()
        for piece in decoded(entry.get("pieces", ())):
            apply(piece, recording)
        if "told" in entry:
            self.told = Told(*entry["told"])
        if "stored" in entry:
            recording.take(*entry["stored"])
        if "answer" in entry:
            recording.answer_id = entry["answer"]
            recording.finish()
        if "failed" in entry:
            recording.failure = AnswersError.of(*entry["failed"])
        self.grew()

    def grew(self) -> None:
        for wake in tuple(self.listeners):
            wake()


async def reached(call: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Call again until the store answers, for at most so many seconds. Raises `StoreAway`."""
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        try:
            return await call()
        except StoreAway:
            if clock() - began >= seconds:
                raise
        await asyncio.sleep(STORE_SECONDS)


def apply(piece: Piece, recording: Recording) -> None:
    """Let a recording grow by what a provider told."""
    match piece:
        case Plan(titles, duration):
            recording.plan(len(titles), duration)
        case StepOpened(title, type):
            recording.begin_step(title, type)
        case Said(text):
            recording.say(text)
        case Drawn(command):
            recording.draw(command)
        case StepClosed():
            recording.end_step()
