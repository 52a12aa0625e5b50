"""What all connections of one process share; built once, at the composition root."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from accounts.limits import Connections, Limits
from answers.draft import Draft
from answers.drafts import Drafts
from answers.errors import StoreAway
from answers.lookup import LookupResult, StoredAnswer
from answers.questions import Question
from answers.recording import Recording
from streaming.errors import DraftLost, ServerBusy
from streaming.playback import Heading, Pace, Playback
from streaming.protocol import State
from streaming.sessions import SessionRecord, Sessions
from streaming.watch import Watch


@dataclass(eq=False)
class Seat:
    """A place among those who play in this process; while an answer is being written, an ear at its draft."""

    awake: asyncio.Event = field(default_factory=asyncio.Event)
    draft: Draft | None = None

    def wake(self) -> None:
        self.awake.set()


@dataclass
class Stage:
    """The parts that a connection plays with. Nothing here is of one student."""

    sessions: Sessions
    drafts: Drafts
    limits: Limits
    connections: Connections
    pace: Pace
    events_per_second: float
    max_streams: int
    look_up: Callable[[Question, str], Awaitable[LookupResult]]
    answer_of: Callable[[SessionRecord], Awaitable[StoredAnswer | None]]
    playing: set[Seat] = field(default_factory=set)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.sessions)

    def seat(self, instead_of: Seat | None = None) -> Seat:
        """Return a place to play at. Raises `ServerBusy` when as many play as this process is allowed."""
        if len(self.playing - {instead_of}) >= self.max_streams:
            raise ServerBusy
        seat = Seat()
        self.playing.add(seat)
        return seat

    async def heard(self, seat: Seat, question: Question, found: LookupResult, user_id: str) -> Recording:
        """Return what is heard of a question: the answer that was found, or the draft of one."""
        if found.cached:
            stored = (found.answer_steps, found.total_duration, found.answer_id, question.language)
            return Recording.of(*stored)
        return (await self.join(seat, question, user_id)).recording

    async def join(self, seat: Seat, question: Question, asked_by: str) -> Draft:
        """Listen to the draft for a question; from now on it is written for this seat too."""
        seat.draft = await self.drafts.join(question, asked_by, seat.wake)
        return seat.draft

    def leave(self, seat: Seat, *, for_good: bool = False) -> None:
        """Give a place up; `for_good`: its student does not want the answer any more."""
        self.playing.discard(seat)
        if seat.draft:
            self.drafts.leave(seat.draft, seat.wake, for_good=for_good)

    def playback(self, record: SessionRecord, recording: Recording, language: str = "") -> Playback:
        """Return the playhead where the record says it stands; what played is paused until it is resumed."""
        state = State(record.state)
        return Playback(
            recording,
            Heading(record.session_id, record.current_question, record.cached, language),
            self.pace,
            state=State.PAUSED if state is State.PLAYING else state,
            place=record.place,
            speed=record.speed,
            begun=record.begun,
            played=record.played,
        )

    async def recording(self, record: SessionRecord, seat: Seat | None = None) -> Recording:
        """Return what a session hears; while it is being written, the seat listens to it.

        Raises `DraftLost` when it was being written and is gone.
        """
        draft = self.drafts.here(record.draft_id) if record.draft_id else None
        if draft:
            _listen(seat, draft)  # before it is waited for: a draft to which nobody listens may be given up
            with suppress(StoreAway):
                await draft.read()  # the student may have heard more of it in another process
        else:
            stored = await self.answer_of(record)
            if stored:
                return stored.recording()
            # Whoever only looks has nothing written: it may have been given up before its first word.
            follow = seat is not None
            draft = await self.drafts.find(record.draft_id, follow=follow) if record.draft_id else None
        if draft is None:
            raise DraftLost(record.current_step, record.pause_position)
        _listen(seat, draft)
        return draft.recording


def _listen(seat: Seat | None, draft: Draft) -> None:
    if seat:
        seat.draft = draft
        draft.listeners.add(seat.wake)
