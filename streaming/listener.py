"""One connection's student: commands in, events out.

Here stands what a connection may do with sessions: it plays at most one, a session plays on one connection,
and any connection of the same student may steer it. How a session goes on is for the playback to say.
"""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from accounts.tokens import Identity
from answers.questions import Question, read_question
from answers.recording import Recording
from streaming.elsewhere import AskOwner, Elsewhere
from streaming.errors import NoActiveSession, ServerBusy, StreamingError
from streaming.follow_up import follow_up, rested
from streaming.log import log_event
from streaming.playback import Playback
from streaming.player import Player
from streaming.protocol import (
    AskQuestion,
    Event,
    ExplanationPaused,
    GetSession,
    PauseExplanation,
    PauseReason,
    Place,
    ResumeExplanation,
    SessionCommand,
    State,
    StopExplanation,
    StreamingPaused,
    read_command,
)
from streaming.replies import Ack, asked, placed, resumed_at, snapshot, steered
from streaming.sessions import SessionRecord
from streaming.stage import Seat, Stage

Reply = Callable[[Ack], None]


class Listener:
    """What one connection plays and steers.

    Every command answers through `reply`, once, as soon as it is decided; refusals are raised.
    """

    def __init__(
        self,
        stage: Stage,
        connection_id: str,
        channel: str,
        say: Callable[[Sequence[Event]], None],
        said: Callable[[], Coroutine[Any, Any, None]],
        ask_owner: AskOwner,
    ) -> None:
        self._stage = stage
        self._connection_id = connection_id
        self._channel = channel
        self._say = say
        self._said = said
        self._elsewhere = Elsewhere(stage, ask_owner)
        self._clock = asyncio.get_running_loop().time
        self._player: Player | None = None
        self._pseudonym = ""
        self._expired = False  # whether only a new token is missing for it to play on
        self._restarting = False  # whether this process ends, so that nothing may be taken up any more
        self._background: set[asyncio.Task[None]] = set()

    # --- Commands of this connection ---------------------------------------------------------------

    async def ask(self, student: Identity, command: AskQuestion, reply: Reply) -> None:
        """Make a session for a question and play it here."""
        stage, question = self._stage, _read(command, student)
        earlier = await stage.sessions.of_request(student.user_id, command.request_id)
        if earlier:
            return await self._ask_again(student, earlier, reply)
        if command.about:
            parent, playback = await self._elsewhere.standing(student, command.about.session_id)
            command = follow_up(command, command.about.place, parent, playback)
            question = _read(command, student)
        with self._seat() as seat:
            found = await stage.look_up(question, student.user_id)
            await stage.limits.ask(student.user_id)  # what a database that is away refuses does not count
            recording = await stage.heard(seat, question, found, student.user_id)
            record = SessionRecord(
                user_id=student.user_id,
                connection_id=self._connection_id,
                current_question=question.key,
                question=question.text,
                language=question.language,
                context=command.context,
                answer_id=found.answer_id,
                draft_id=seat.draft.id if seat.draft else None,
                request_id=command.request_id,
                about=command.about.model_dump() if command.about else None,
                cached=found.cached,
                speed=command.speed,
                owner=str(uuid.uuid4()),
                channel=self._channel,
            )
            first = await stage.sessions.create(record)
            if first is record:
                if command.about:
                    await self._rest(parent, command.about.place)
                await self._stop_own()
                player = self._take_up(student, record, recording, seat)
                reply(asked(record))
                self._log("question_processed", player, cached=found.cached)
                self._log("answer_cached" if found.cached else "answer_generating", player)
                player.start()
                return None
        return await self._ask_again(student, first, reply)

    async def resume(self, student: Identity, command: ResumeExplanation, reply: Reply) -> None:
        """Play a session on this connection, wherever it was played before."""
        own = self._own(command)
        if own is None:
            record = await self._elsewhere.find(student, command.session_id)
            return await self._resume_here(student, record, command, reply)
        if own.playback.state.finished and not own.playback.begun:
            # It ended before there was any text, so there is nothing to go on with: it is asked again.
            await self._stop_own()
            return await self._resume_here(student, own.record, command, reply)
        self._expired = False
        self._go_on(own, command, reply, elsewhere=False)
        own.write(heard=True)
        return None

    async def steer(self, student: Identity, command: SessionCommand, reply: Reply) -> None:
        """Pause, seek, stop a session or change its speed, wherever it plays."""
        own = self._own(command)
        if own is None:
            record = await self._elsewhere.find(student, command.session_id)
            return reply(await self._elsewhere.steer(record, command, self._clock()))
        events = self._steer_own(own, command)
        reply(placed(own.playback.place))
        if isinstance(command, PauseExplanation):
            await self._settle(own, events)
        else:
            own.write(heard=True)
        return None

    async def snapshot(self, student: Identity, command: GetSession) -> dict[str, Any] | None:
        """Return what a client holds that played to where the session stands, or None if there is none."""
        own = self._own(command)
        if own:
            return snapshot(own.record, own.playback, own.playback.state, here=True)
        try:
            record = await self._elsewhere.find(student, command.session_id)
        except NoActiveSession:
            return None
        return await self._elsewhere.look(record, command)

    # --- What happens to this connection ------------------------------------------------------------

    async def obey(self, command: SessionCommand, command_id: str) -> Ack | None:
        """Do what another connection of the student commands; None if its session is not played here.

        A resume means that the other one takes the session; a look at it changes nothing.
        """
        player = self._player
        if player is None or player.session_id != command.session_id:
            return None
        playback = player.playback
        if isinstance(command, ResumeExplanation):
            await self._leave_own(lambda playback: playback.pause(self._clock(), reason=PauseReason.MOVED))
        elif not isinstance(command, GetSession) and command_id not in player.obeyed:
            try:
                events = self._steer_own(player, command)
            except StreamingError as error:
                return {"ok": False, "code": error.code}
            player.obeyed.add(command_id)
            self._later(self._settle(player, events))
        stands = {"state": playback.state.value, "speed": playback.speed, "begun": playback.begun}
        return {**placed(playback.place), **stands}

    def expire(self) -> None:
        """Rest until there is a valid token again."""
        player = self._player
        if player and player.playback.state in (State.PLAYING, State.WAITING):
            self._expired = True
            events = player.playback.pause(self._clock(), reason=PauseReason.TOKEN_EXPIRED)
            player.say(events)
            self._later(self._settle(player, events))

    def renew(self) -> None:
        """Play on where only the token was missing."""
        player, expired = self._player, self._expired
        self._expired = False
        if player and expired and player.playback.state is State.PAUSED:
            player.say(player.playback.resume(self._clock()))
            self._log("streaming_resumed", player)
            player.write(heard=True)
            player.start()

    async def restart(self) -> None:
        """Rest, and let go of the session, because this process ends."""
        self._restarting = True
        await self._leave_own(lambda playback: playback.pause(self._clock(), reason=PauseReason.RESTART))

    async def disconnect(self) -> None:
        """Leave the session where its last character was sent."""
        player, self._player = self._player, None
        if player:
            if not player.playback.state.finished:
                player.playback.pause(self._clock())
            try:
                await player.recorded(release=True)
            finally:
                await player.close()
        if self._background:  # each waits for nothing but a record, and for that not long
            await asyncio.wait(set(self._background))

    # --- Taking up and letting go ---------------------------------------------------------------------

    def _own(self, command: SessionCommand) -> Player | None:
        """Return the session that is played here, if it is meant."""
        own = self._player
        return own if own and command.session_id in ("", own.session_id) else None

    async def _rest(self, record: SessionRecord, at: Place) -> None:
        """Let a session rest at a place, wherever it plays; one that has ended stays as it is."""
        if self._player and self._player.session_id == record.session_id:
            await self._leave_own(lambda playback: rested(playback, at, self._clock()))
        else:
            await self._elsewhere.rest(record, at, self._clock())

    @contextmanager
    def _seat(self) -> Iterator[Seat]:
        """Hold a place among those who play in this process; given up if no player takes it."""
        if self._restarting:
            raise ServerBusy
        seat = self._stage.seat(instead_of=self._player.seat if self._player else None)
        try:
            yield seat
        finally:
            if self._player is None or self._player.seat is not seat:
                self._stage.leave(seat)

    async def _ask_again(self, student: Identity, record: SessionRecord, reply: Reply) -> None:
        """Answer a repeated ask with the session that it made, and play it here."""
        command = ResumeExplanation(session_id=record.session_id)
        await self.resume(student, command, lambda _: reply(asked(record)))

    async def _resume_here(
        self, student: Identity, record: SessionRecord, command: ResumeExplanation, reply: Reply
    ) -> None:
        with self._seat() as seat:
            recording = await self._elsewhere.hear(student, record, seat)
            if command.place:  # a refused resume disturbs nobody
                self._stage.playback(record, recording).believed(command.place)
            taken = await self._elsewhere.take(
                record,
                channel=self._channel,
                connection_id=self._connection_id,
                draft_id=seat.draft.id if seat.draft else record.draft_id,
            )
            if seat.draft:
                await seat.draft.read()  # whoever played it may have been further
            await self._leave_own(lambda playback: playback.pause(self._clock()))
            player = self._take_up(student, taken, recording, seat)
            self._go_on(player, command, reply, elsewhere=True)
        player.write(heard=True)

    def _take_up(self, student: Identity, record: SessionRecord, recording: Recording, seat: Seat) -> Player:
        if self._restarting:
            raise ServerBusy
        playback = self._stage.playback(record, recording, student.language)
        player = Player(record, playback, self._stage, seat, self._say, self._said, self._changed)
        self._player, self._pseudonym, self._expired = player, student.pseudonym, False
        return player

    def _go_on(self, player: Player, command: ResumeExplanation, reply: Reply, *, elsewhere: bool) -> None:
        playback = player.playback
        events = playback.resume(self._clock(), command.place, command.speed, elsewhere=elsewhere)
        reply(placed(resumed_at(events, playback)))
        if events:
            self._log("streaming_resumed", player)
        player.say(events)
        player.start()

    def _steer_own(self, player: Player, command: SessionCommand) -> list[Event]:
        events = steered(player.playback, command, self._clock())
        if isinstance(command, PauseExplanation):
            self._expired = False  # the student wants it to rest
        player.say(events)
        player.start()
        if isinstance(command, StopExplanation) and not player.playback.begun:
            self._stage.leave(player.seat, for_good=True)
        return events

    async def _settle(self, player: Player, events: list[Event], *, release: bool = False) -> None:
        """Write down what a command has done, and say so where it was a pause."""
        paused = next((event for event in events if isinstance(event, StreamingPaused)), None)
        if paused:
            player.pauses += paused.reason == PauseReason.USER
            self._log("streaming_paused", player)
        await player.recorded(release=release)
        if paused and not player.gone and player.playback.state is State.PAUSED:
            player.say([ExplanationPaused(paused.step, paused.position)])

    async def _leave_own(self, end: Callable[[Playback], list[Event]], *, for_good: bool = False) -> None:
        """Pause or stop what is played here, and let go of it; `for_good`: nobody wants it any more."""
        player, self._player = self._player, None
        if player is None:
            return
        try:
            events = []
            if not player.playback.state.finished:
                events = end(player.playback)
                player.say(events)
            await self._settle(player, events, release=True)
        finally:
            await player.close(for_good=for_good)

    async def _stop_own(self) -> None:
        await self._leave_own(lambda playback: playback.stop(self._clock()), for_good=True)

    def _changed(self, player: Player, stored: SessionRecord) -> None:
        """Follow what another connection did to the record without this one hearing a word of it."""
        if self._player is player and not stored.owner:
            # It thought that nobody plays here, or knew only the database: the next write says who does.
            player.record = stored
            events: list[Event] = []
            if (control := stored.control) and control["id"] not in player.obeyed:
                with suppress(StreamingError):  # it may be one that only a later version knows
                    command = read_command(control["event"], [control["payload"]])
                    if isinstance(command, SessionCommand):
                        events = self._steer_own(player, command)
            self._later(self._settle(player, events))
            return
        player.gone = True
        if self._player is player:
            self._player = None
            if not player.playback.state.finished:
                self._say(player.playback.pause(self._clock(), reason=PauseReason.MOVED))
        self._later(player.close())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _log(self, event: str, player: Player, **fields: object) -> None:
        log_event(event, session=player.session_id, user=self._pseudonym, **fields)


def _read(command: AskQuestion, student: Identity) -> Question:
    language, asker = student.language, student.user_id
    return read_question(command.question, command.context, user_language=language, asker=asker)
