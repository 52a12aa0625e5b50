"""Sessions that a connection does not play: finding them, steering them where they are, taking them over."""

import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from accounts.tokens import Identity
from answers.questions import read_question
from answers.recording import Recording
from streaming.errors import DraftLost, InvalidPosition, NoActiveSession, StreamingError
from streaming.playback import Playback
from streaming.player import write_listening
from streaming.protocol import (
    About,
    GetSession,
    PauseExplanation,
    Place,
    ResumeExplanation,
    SeekExplanation,
    SessionCommand,
    State,
)
from streaming.replies import Ack, accepted, placed, snapshot, steered
from streaming.sessions import OwnerChanged, SessionRecord
from streaming.stage import Seat, Stage

TRIES = 10  # how often a connection tries for a session that others take at the same moment

# Asks the owner of a session, wherever it is, to obey a command, which has an id so that it is obeyed once.
# None: it does not answer, or owns it no more.
AskOwner = Callable[[SessionRecord, SessionCommand, str], Awaitable[Ack | None]]


class Elsewhere:
    """The student's sessions as one connection sees those that others play, or nobody."""

    def __init__(self, stage: Stage, ask_owner: AskOwner) -> None:
        self._stage = stage
        self._ask_owner = ask_owner

    async def find(self, student: Identity, session_id: str) -> SessionRecord:
        """Return the session that is meant; without an id, the latest unfinished one.

        Raises `NoActiveSession`.
        """
        sessions = self._stage.sessions
        if session_id:
            record = await sessions.load(session_id, student.user_id)
        else:
            record = await sessions.latest_unfinished(student.user_id)
        if record is None:
            raise NoActiveSession
        return record

    async def look(self, record: SessionRecord, command: GetSession) -> dict[str, Any] | None:
        """Return the snapshot of a session where its owner stands now, or None if what it heard is gone."""
        if record.owner:
            answer = await self._ask_owner(record, command, str(uuid.uuid4()))
            if answer is not None:
                place = Place(answer["step"], answer["position"])
                record = record.at(
                    place, State(answer["state"]), speed=answer["speed"], begun=answer["begun"]
                )
            elif record.state == State.PLAYING:  # as it was written last; by now nobody plays it
                record = record.at(record.place, State.PAUSED)
        try:
            recording = await self._stage.recording(record)
        except DraftLost:
            if record.begun:
                return None
            recording = Recording(record.language)
        playback = self._stage.playback(record, recording)
        return snapshot(record, playback, State(record.state), here=False)

    async def standing(self, student: Identity, session_id: str) -> tuple[SessionRecord, Playback]:
        """Return a session with all that is written of what it hears.

        Raises `NoActiveSession`, or `InvalidPosition` when there is nothing left of it.
        """
        record = await self.find(student, session_id)
        try:
            return record, self._stage.playback(record, await self._stage.recording(record))
        except DraftLost:
            raise InvalidPosition from None

    async def rest(self, record: SessionRecord, at: Place, now: float) -> None:
        """Let a session rest at a place; one that has ended stays as it is."""
        place = About(session_id=record.session_id, step=at.step, position=at.position).model_dump()
        with suppress(StreamingError):
            stands = await self.steer(record, PauseExplanation.model_validate(place), now)
            if stands != placed(at):  # it rested already, at another place
                await self.steer(await self._reload(record), SeekExplanation.model_validate(place), now)

    async def steer(self, record: SessionRecord, command: SessionCommand, now: float) -> Ack:
        """Let the owner obey; a session that nobody plays is steered where it rests.

        Raises `NoActiveSession`, and what the playback refuses the command with.
        """
        control = {"id": str(uuid.uuid4()), **command.passed_on(record.session_id)}
        for _ in range(TRIES):
            if owner := record.owner:
                answer = await self._ask_owner(record, command, control["id"])
                if answer is not None:
                    return accepted(answer)
                record = await self._reload(record)
                if record.owner not in ("", owner):
                    continue  # another has it by now, and is the one to obey
            try:
                return await self._steer_at_rest(record, command, control, now)
            except OwnerChanged:
                record = await self._reload(record)
        raise NoActiveSession

    async def _steer_at_rest(
        self, record: SessionRecord, command: SessionCommand, control: dict[str, Any], now: float
    ) -> Ack:
        """Steer a session that nobody plays; an owner that lives after all finds the command there."""
        try:
            recording = await self._stage.recording(record)
        except DraftLost:
            if record.begun and isinstance(command, SeekExplanation):
                await self._lose(record)
                raise
            recording = Recording(record.language)
        playback = self._stage.playback(record, recording)
        steered(playback, command, now)
        if not playback.state.finished:
            playback.pause(now)
        changed = record.at(
            playback.place, playback.state, speed=playback.speed, owner="", channel="", control=control
        )
        await self._stage.sessions.replace(record, changed)
        if changed.begun:
            await write_listening(changed)
        return placed(changed.place)

    async def hear(self, student: Identity, record: SessionRecord, seat: Seat) -> Recording:
        """Return what a session hears. A question that was lost before its first word is asked again.

        Raises `DraftLost`; the session has ended then.
        """
        try:
            return await self._stage.recording(record, seat)
        except DraftLost:
            if record.begun:
                await self._lose(record)
                raise
        question = read_question(
            record.question, record.context, user_language=record.language, asker=student.user_id
        )
        return (await self._stage.join(seat, question, student.user_id)).recording

    async def take(
        self, record: SessionRecord, *, channel: str, connection_id: str, draft_id: str | None
    ) -> SessionRecord:
        """Become the owner of a session, after whoever owns it has let go or turned out to be gone.

        Of several that try at once the last one keeps it. Raises `NoActiveSession`.
        """
        for _ in range(TRIES):
            if owner := record.owner:
                hand_over = ResumeExplanation(session_id=record.session_id)
                await self._ask_owner(record, hand_over, str(uuid.uuid4()))
                record = await self._reload(record)
                if record.owner not in ("", owner):
                    continue  # another was quicker, and has to hear of it too
            try:
                return await self._stage.sessions.take(
                    record,
                    owner=str(uuid.uuid4()),
                    channel=channel,
                    connection_id=connection_id,
                    draft_id=draft_id,
                )
            except OwnerChanged:
                record = await self._reload(record)
        raise NoActiveSession

    async def _reload(self, record: SessionRecord) -> SessionRecord:
        """Return the record as it stands after its owner let go of it, or was found to be gone."""
        fresh = await self._stage.sessions.load(record.session_id, record.user_id)
        if fresh is None:
            raise NoActiveSession
        return fresh

    async def _lose(self, record: SessionRecord) -> None:
        lost = record.at(record.place, State.STOPPED, owner="", channel="")
        with suppress(OwnerChanged):  # whoever has it now finds the same
            await self._stage.sessions.replace(record, lost)
        await write_listening(lost)
