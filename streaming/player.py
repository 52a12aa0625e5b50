"""The paced loop around a playback, and the writing down of where it stands."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

from answers import listening
from answers.database import in_database
from streaming.messages import error_message
from streaming.playback import Playback
from streaming.protocol import (
    Error,
    ErrorCode,
    Event,
    ExplanationComplete,
    ExplanationStart,
    ExplanationStopped,
    State,
    StepComplete,
)
from streaming.sessions import OwnerChanged, SessionRecord
from streaming.stage import Seat, Stage

logger = logging.getLogger("tutor.player")

HEARD = (ExplanationStart, ExplanationComplete, ExplanationStopped)  # what `Listening` is written after
LISTENING_SECONDS = (0.5, 2.0, 4.0, 4.0, 4.0)  # until a listening that could not be written is tried again
RECORD_SECONDS = 0.9  # how long `explanation_paused` may wait for the record


async def write_listening(record: SessionRecord) -> bool:
    """Write how far the student of a record has come, and say whether it is written; a failure is logged."""
    try:
        await in_database(
            listening.record,
            session_id=record.session_id,
            user_id=record.user_id,
            question_text=record.question,
            question_hash=record.current_question,
            answer_id=record.answer_id,
            draft_id=record.draft_id,
            cached=record.cached,
            state=State.PAUSED if record.state == State.WAITING else record.state,
            step=record.current_step,
            position=record.pause_position,
            speed=record.speed,
            pauses=record.pauses,
            played_seconds=record.played,
            created_at=datetime.fromisoformat(record.created_at),
            context=record.context,
            about=record.about,
        )
    except Exception as error:  # noqa: BLE001 whatever the reason, what plays goes on
        logger.error("listening_failed session=%s error=%s", record.session_id, type(error).__name__)
        return False
    return True


class Player:
    """One session being played on one connection, which owns it.

    It decides nothing: the playback says what is due and when. `say` puts events in the connection's way out,
    `said` waits until they have left: a slow reader slows the loop, and the playback then merges chunks.
    """

    def __init__(
        self,
        record: SessionRecord,
        playback: Playback,
        stage: Stage,
        seat: Seat,
        say: Callable[[Sequence[Event]], None],
        said: Callable[[], Coroutine[Any, Any, None]],
        changed: Callable[["Player", SessionRecord], None],
    ) -> None:
        self.record = record
        self.playback = playback
        self.seat = seat
        self._stage = stage
        self._say = say
        self._said = said
        self._changed = changed  # called when another connection has written the record
        self._owner = {name: getattr(record, name) for name in ("owner", "channel", "connection_id")}
        self._clock = asyncio.get_running_loop().time
        self._loop: asyncio.Task[None] | None = None
        self.pauses = record.pauses
        self.gone = False  # whether another connection plays the session now
        self.obeyed: set[str] = set()  # ids of the commands from elsewhere that were carried out
        self._writing = asyncio.Lock()  # one write after the other, so that the last one stands
        self._unheard: SessionRecord | None = None  # what is to be written of the listening
        self._hearing = asyncio.Lock()
        self._closed = False
        self._writes: set[asyncio.Task[None]] = set()

    @property
    def session_id(self) -> str:
        return self.record.session_id

    def start(self) -> None:
        """Run the loop, unless it runs or there is nothing to play."""
        self.seat.wake()
        if (self._loop is None or self._loop.done()) and not self.playback.state.finished:
            self._stage.playing.add(self.seat)
            self._stage.watch.add(self)
            self._loop = asyncio.create_task(self._play(), name=f"player {self.session_id}")

    def say(self, events: Sequence[Event]) -> None:
        """Send events, and write down where they have led."""
        self._say(events)
        if any(isinstance(event, (*HEARD, StepComplete)) for event in events):
            self.write(heard=any(isinstance(event, HEARD) for event in events))

    async def _play(self) -> None:
        try:
            await self._pace()
        except Exception as error:  # noqa: BLE001 whatever it was, the student must not wait for ever
            logger.error("player_failed session=%s error=%s", self.session_id, type(error).__name__)
            code = ErrorCode.INTERNAL_ERROR
            told = Error(code, error_message(code, self.playback.heading.language))
            self.say([told, *self.playback.stop(self._clock())])
        if self.playback.state.finished:
            self._stage.playing.discard(self.seat)
            self._stage.watch.discard(self)

    async def _pace(self) -> None:
        while not self.playback.state.finished:
            self.seat.awake.clear()
            events = self.playback.pump(self._clock())
            if events:
                self.say(events)
                await self._said()
            if not self.playback.state.finished:
                due = self.playback.next_due()
                await self._rest(None if due is None else due - self._clock())

    async def _rest(self, seconds: float | None) -> None:
        """Sleep until something may be due; always let others run."""
        if seconds is not None and seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            # Some loops wake a little early, and would wake again and again until it is due.
            async with asyncio.timeout(None if seconds is None else max(seconds, 0.001)):
                await self.seat.awake.wait()
        except TimeoutError:
            return

    # --- Writing down ------------------------------------------------------------------------------

    def write(self, *, heard: bool, release: bool = False) -> asyncio.Task[None]:
        """Write the record in the background, with `heard` the listening; `release`: nobody plays it then."""
        if release:
            self._stage.watch.discard(self)
        task = asyncio.create_task(self._write(heard, release))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return task

    async def recorded(self, *, release: bool = False) -> None:
        """Write both, and wait for it, but no longer than a student would."""
        await asyncio.wait({self.write(heard=True, release=release)}, timeout=RECORD_SECONDS)

    async def _write(self, heard: bool, release: bool) -> None:
        async with self._writing:
            if self.gone:
                return
            playback, recording = self.playback, self.playback.recording
            record = self.record.at(
                playback.place,
                playback.state,
                speed=playback.speed,
                begun=playback.begun,
                pauses=self.pauses,
                played=round(playback.played(self._clock()), 3),
                answer_id=recording.answer_id or self.record.answer_id,
                **(dict.fromkeys(self._owner, "") if release else self._owner),
            )
            try:
                await self._stage.sessions.replace(self.record, record)
            except OwnerChanged as error:
                if error.stored:
                    self._changed(self, error.stored)
                return
            except Exception as error:  # noqa: BLE001 a store that is away must not end what plays
                logger.error("record_failed session=%s error=%s", self.session_id, type(error).__name__)
            else:
                self.record = record
            if heard and playback.begun:
                self._unheard = record
        await self._write_listening()

    async def _write_listening(self) -> None:
        """Write the latest, and try again where the database is away, as long as it is played here."""
        async with self._hearing:
            for seconds in LISTENING_SECONDS:
                record, self._unheard = self._unheard, None
                if record is None or await write_listening(record) or self._closed:
                    return
                self._unheard = self._unheard or record
                await asyncio.sleep(seconds)
                if self.gone or self._closed:
                    return

    def compare(self, stored: str | None) -> None:
        """Heed what stands in the store: another owner, a command that was not heard here, or nothing."""
        if stored is None:
            self.write(heard=False)
        elif self._owner["owner"] not in stored:  # most are as they were: reading them all would cost
            self._changed(self, SessionRecord.from_json(stored))

    # --- The end -----------------------------------------------------------------------------------

    async def close(self, *, for_good: bool = False) -> None:
        """Stop playing here; `for_good`: the student does not want it any more."""
        self._closed = True
        self._stage.leave(self.seat, for_good=for_good)
        self._stage.watch.discard(self)
        if self._loop and self._loop is not asyncio.current_task():
            self._loop.cancel()
            await asyncio.wait({self._loop})
        if self._writes:
            await asyncio.wait(set(self._writes), timeout=RECORD_SECONDS)
