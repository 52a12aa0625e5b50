"""The playhead: where one student stands in one recording, and what is due at a given time.

Pure and synchronous: the clock is an argument, what happens is a list of events to be sent in that order. It
knows no session, socket or storage. The states and their transitions are here and nowhere else:

    WAITING ── text ──► PLAYING ── end ──► COMPLETE
    WAITING, PLAYING ── pause ──► PAUSED
    WAITING, PLAYING, PAUSED ── stop, failure ──► STOPPED
    PAUSED, COMPLETE, STOPPED ── resume ──► PLAYING, or WAITING while there is no text
    COMPLETE, STOPPED ── seek ──► PLAYING

What is paused before there is any text begins paused: `explanation_start` is said, and nothing more.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from answers.recording import RecordedStep, Recording
from streaming.errors import InvalidPosition, NoActiveSession
from streaming.messages import error_message, paused_message, waiting_message
from streaming.protocol import (
    CanvasCommand,
    ContentChunk,
    Error,
    Event,
    ExplanationComplete,
    ExplanationSeeked,
    ExplanationStart,
    ExplanationStopped,
    PauseReason,
    Place,
    State,
    StepComplete,
    StepStart,
    StreamingPaused,
    StreamingResumed,
    WaitingPhrase,
)

WAITING_PHRASE_SECONDS = 4.0
UNWRITTEN_STEP = 600  # code points that a step counts before anybody knows its length
LARGE_CHUNK = 4000  # code points in one chunk of text that is sent at once


@dataclass(frozen=True, slots=True)
class Pace:
    """About `size` code points each `delay` seconds at speed 1."""

    size: int
    delay: float

    def chunk(self, speed: float) -> int:
        return round(self.size * max(1.0, speed))

    def interval(self, speed: float) -> float:
        return self.delay / min(1.0, speed)

    def rate(self, speed: float) -> float:
        """Return code points per second."""
        return self.size * speed / self.delay


@dataclass(frozen=True, slots=True)
class Heading:
    """What `explanation_start` says of the session."""

    session_id: str
    question_hash: str
    cached: bool
    language: str  # of the student: what the server says by itself is in it


class Playback:
    """One playhead over one recording, which may still be growing."""

    def __init__(
        self,
        recording: Recording,
        heading: Heading,
        pace: Pace,
        *,
        state: State = State.WAITING,
        place: Place = Place(),  # noqa: B008 immutable
        speed: float = 1.0,
        begun: bool = False,
        played: float = 0.0,
    ) -> None:
        self.recording = recording
        self.heading = heading
        self.pace = pace
        self.state = state
        self.speed = speed
        self.begun = begun  # whether `explanation_start` has been said; it is said once in a session
        self._step = self._position = 0
        self._opened = False  # whether the student knows of the current step
        self._done = False  # whether `step_complete` of the current step has been said
        self._commands = 0  # how many commands of the current step have been said
        self._stand(place)
        self._due = 0.0  # when the next chunk, or waiting phrase, leaves
        self._starved = False  # whether the clock stands because the draft had nothing more
        self._phrases = 0
        self._played = played
        self._playing_since = 0.0

    # --- What stands -------------------------------------------------------------------------------

    @property
    def place(self) -> Place:
        return Place(self._step, self._position)

    def played(self, now: float) -> float:
        """Return the seconds of playing so far, pauses left out."""
        return self._played + (now - self._playing_since if self.state is State.PLAYING else 0.0)

    def estimated_duration(self) -> float:
        """Return the seconds that the rest takes at the present pace."""
        recording, rest = self.recording, 0
        for number, step in enumerate(recording.steps, 1):
            length = len(step.content) if step.closed else max(len(step.content), UNWRITTEN_STEP)
            if number == self._step:
                rest += length - self._position
            elif number > self._step:
                rest += length
        rest += UNWRITTEN_STEP * (recording.total_steps - len(recording.steps))
        return round(rest / self.pace.rate(self.speed), 3)

    def shown(self) -> list[dict[str, Any]]:
        """Return the steps as a client holds them that played to this place."""
        written = self.recording.as_steps()[: self._step] if self.begun else []
        steps = [{"step": number, **step} for number, step in enumerate(written, 1)]
        if steps:
            current = steps[-1]
            current["content"] = current["content"][: self._position]
        for step in steps:
            count = self._commands if step["step"] == self._step else None
            step["canvas_commands"] = self.recording.shown(step["step"], count)
        return steps

    def believed(self, at: Place) -> Place:
        """Return the cut at or before a place that a client named.

        Raises `InvalidPosition` for a place beyond what is written.
        """
        steps = self.recording.steps
        if not self._has_text:
            if at == Place():
                return at
            raise InvalidPosition
        if at.step > len(steps) or at.position > len(steps[at.step - 1].content):
            raise InvalidPosition
        step = steps[at.step - 1]
        return Place(at.step, step.cuts.floor(step.content, step.closed, at.position))

    # --- Time --------------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """Return when `pump` has something to do, or None: then only a command or new text changes that."""
        if self.state.finished:
            return None
        if not self._has_text:
            if self.recording.failure:
                return 0.0
            return self._due if self.state is State.WAITING else None
        if not self.begun:
            return 0.0
        if self.state is State.PAUSED:
            return None
        if self._available:
            return 0.0 if self._starved else self._due
        return 0.0 if self.recording.failure or not self._starved else None

    def pump(self, now: float) -> list[Event]:
        """Return what is due at `now`: at most one chunk with what belongs to it."""
        if self.state.finished:
            return []
        if not self._has_text:
            return self._fail(now) if self.recording.failure else self._wait(now)
        events = [] if self.begun else self._begin(now)
        if self.state is State.PAUSED:
            return events
        if self._available:
            if self._starved:
                self._starved, self._due = False, max(self._due, now)
            if now >= self._due:
                events += self._play(now)
        elif self.recording.failure:
            events += self._fail(now)
        else:
            self._starved = True
        return events

    # --- Commands ----------------------------------------------------------------------------------

    def pause(
        self, now: float, at: Place | None = None, reason: PauseReason = PauseReason.USER
    ) -> list[Event]:
        """Stand still at the place that the client has shown, else at the last character sent."""
        if self.state.finished:
            raise NoActiveSession
        if self.state is State.PAUSED and reason is not PauseReason.MOVED:
            return []
        if at is not None:
            self._stand(self.believed(at))
        self._leave_playing(now, State.PAUSED)
        message = paused_message(self.heading.language)
        return [StreamingPaused(self._step, self._position, message, reason.value)]

    def resume(
        self, now: float, at: Place | None = None, speed: float | None = None, *, elsewhere: bool = False
    ) -> list[Event]:
        """Play on, from the place that the client holds if it says so.

        `elsewhere`: the client is another one than before, and may not know the board.
        """
        if at is not None:
            at = self.believed(at)
        if speed is not None:
            self.set_speed(now, speed)
        if at is None and not elsewhere and self.state in (State.PLAYING, State.WAITING):
            return []
        if not self._has_text:
            if self.state is not State.WAITING:
                self.state, self._due = State.WAITING, now
            return [StreamingResumed(self._step, self._position)]
        events = [] if self.begun else self._start()
        reached = Place() if self.state.finished else self.place
        if at is not None:
            self._stand(at)
        self._enter_playing(now)
        events.append(StreamingResumed(self._step, self._position))
        return events + self._arrive(now, board=at is not None or elsewhere) + self._send_up_to(reached, now)

    def seek(self, now: float, to: Place) -> list[Event]:
        """Move the playhead; text that is skipped follows at once."""
        if not self._has_text:
            raise InvalidPosition
        to = self.believed(to)
        events = [] if self.begun else self._start()
        if self.state is not State.PAUSED:
            self._enter_playing(now)
        events.append(ExplanationSeeked(to.step, to.position))
        if to > self.place:
            return events + self._send_up_to(to, now)
        self._stand(to)
        return events + self._arrive(now, board=False)

    def set_speed(self, now: float, speed: float) -> None:
        """Change the pace at once: what is left of the present wait shrinks or grows with it."""
        if self.state is State.PLAYING and self._due > now:
            self._due = now + (self._due - now) * self.speed / speed
        self.speed = speed

    def stop(self, now: float) -> list[Event]:
        """End it; a finished one stays as it is."""
        if self.state.finished:
            return []
        self._leave_playing(now, State.STOPPED)
        return [ExplanationStopped(self._step, self._position)]

    # --- Transitions -------------------------------------------------------------------------------

    def _enter_playing(self, now: float) -> None:
        if self.state is not State.PLAYING:
            self._playing_since = now
        self.state, self._due, self._starved = State.PLAYING, now, False

    def _leave_playing(self, now: float, state: State) -> None:
        self._played = self.played(now)
        self.state = state

    def _begin(self, now: float) -> list[Event]:
        if self.state is State.WAITING:
            self._enter_playing(now)
        return self._start()

    def _start(self) -> list[Event]:
        self.begun = True
        return [
            ExplanationStart(
                self.recording.total_steps,
                self.estimated_duration(),
                self.heading.question_hash,
                self.heading.session_id,
                self.recording.answer_id,
                self.heading.cached,
            )
        ]

    def _wait(self, now: float) -> list[Event]:
        if self.state is State.PAUSED or now < self._due:
            return []
        message = waiting_message(self._phrases, self.heading.language)
        self._phrases, self._due = self._phrases + 1, now + WAITING_PHRASE_SECONDS
        return [WaitingPhrase(message)]

    def _fail(self, now: float) -> list[Event]:
        failure = self.recording.failure
        assert failure is not None  # noqa: S101 the caller looked
        retry_after: float | None = getattr(failure, "retry_after", None)
        message = error_message(failure.code, self.heading.language)
        return [Error(failure.code, message, retry_after), *self.stop(now)]

    # --- The playhead ------------------------------------------------------------------------------

    @property
    def _has_text(self) -> bool:
        """Whether there is something to show."""
        steps = self.recording.steps
        return bool(steps) and (steps[0].closed or steps[0].playable > 0)

    @property
    def _available(self) -> bool:
        """Whether the playhead can move, or something is to be said where it stands."""
        if self._done:
            return self._step < len(self.recording.steps) or self.recording.complete
        step = self._current
        return step is not None and (
            not self._opened
            or step.closed
            or step.playable > self._position
            or self._commands < self._commands_up_to(self._position)
        )

    @property
    def _current(self) -> RecordedStep | None:
        steps = self.recording.steps
        return steps[self._step - 1] if self._step <= len(steps) else None

    def _commands_up_to(self, position: int) -> int:
        step = self._current
        return bisect_right(step.commands, position, key=lambda command: command["at"]) if step else 0

    def _stand(self, at: Place) -> None:
        """Put the playhead somewhere, as if all before it had been said; a step at 0 is not opened yet."""
        self._step, self._position = at.step, at.position
        step = self._current
        self._opened = at.position > 0
        self._done = self._opened and step is not None and step.closed and at.position == len(step.content)
        self._commands = self._commands_up_to(at.position)

    def _arrive(self, now: float, *, board: bool) -> list[Event]:
        """Say what belongs to the place where the playhead stands, before it moves on."""
        if self._position == 0 and (board or self._done):
            self._opened = self._done = False
        if board:
            self._commands = 0
        events = self._open_step() + self._draw()
        return events + self._end_step(now) if self._done else events

    def _play(self, now: float) -> list[Event]:
        """Move on by one chunk: of the pace's size, or larger by what is late."""
        pace = self.pace.chunk(self.speed)
        late = int((now - self._due) / self.pace.interval(self.speed))
        before = 0 if self._done else self._position
        events = self._chunk(pace * (1 + late), now)
        step, sent = self._current, self._position - before
        if step and not step.closed and sent > 0 and step.playable < before + pace:
            sent = pace  # a draft that trickles is heard in steps of the pace, not letter by letter
        self._due += sent / self.pace.rate(self.speed)
        return events

    def _send_up_to(self, to: Place, now: float) -> list[Event]:
        """Say at once all that lies between the playhead and a cut further on."""
        events: list[Event] = []
        while self.place < to:
            events += self._chunk(LARGE_CHUNK, now, to)
        return events

    def _chunk(self, size: int, now: float, stop: Place | None = None) -> list[Event]:
        """Move on by about `size` code points within one step, not beyond `stop`; say what belongs to it."""
        if self._done:
            if self._step == len(self.recording.steps):
                return self._finish(now)
            self._stand(Place(self._step + 1))
        step = self.recording.steps[self._step - 1]
        events = self._open_step() + self._draw()
        end = self._end_of_chunk(step, size)
        if stop and stop.step == self._step:
            end = min(end, stop.position)
            if end == self._position:
                return events
        final = step.closed and end == len(step.content)
        if final or end > self._position:
            chunk = step.content[self._position : end]
            events.append(ContentChunk(self._step, chunk, self._position, final))
            self._position = end
            events += self._draw()
        return events + self._end_step(now) if final else events

    def _end_of_chunk(self, step: RecordedStep, size: int) -> int:
        """Return where a chunk of about `size` ends: the rest of a closed step is divided evenly."""
        if step.closed:
            rest = len(step.content) - self._position
            parts = max(1, round(rest / size))
            if parts == 1:
                return len(step.content)
            size = round(rest / parts)
            slack = size // 4
        else:
            size = min(size, step.playable - self._position)
            slack = max(0, size - 1)
        return step.cuts.chunk_end(step.content, step.closed, self._position, size, slack)

    def _open_step(self) -> list[Event]:
        step = self._current
        if self._opened or step is None:
            return []
        self._opened, self._commands = True, 0
        return [StepStart(self._step, step.title, step.type)]

    def _draw(self) -> list[Event]:
        """Say the commands whose place is reached."""
        first = self._commands
        self._commands = max(first, self._commands_up_to(self._position))
        if first == self._commands:
            return []
        return [
            CanvasCommand(self._step, command, n, command["at"])
            for n, command in enumerate(self.recording.shown(self._step, self._commands)[first:], first)
        ]

    def _end_step(self, now: float) -> list[Event]:
        self._done = True
        last = self._step == len(self.recording.steps) and self.recording.complete
        finish = self._finish(now) if last and self.state is State.PLAYING else []
        return [StepComplete(self._step), *finish]

    def _finish(self, now: float) -> list[Event]:
        self._leave_playing(now, State.COMPLETE)
        return [ExplanationComplete(round(self._played, 3), len(self.recording.steps))]
