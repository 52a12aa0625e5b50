"""The contract in code: every event in and out, the states, the reasons and the error codes.

What clients send is checked here and nowhere else; what they get is built from these classes alone. Their
docstrings stand in `docs/protocol.md`; a command's ends with what its acknowledgement holds besides `ok`.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from streaming.errors import InvalidPayload, InvalidPosition, UnknownEvent

MIN_SPEED, MAX_SPEED = 0.005, 8.0
FARTHEST = 1_000_000  # no step or position lies beyond it, so that no store meets a number too large for it


class ErrorCode(StrEnum):
    UNAUTHORIZED = "unauthorized"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 a code, not a secret
    INVALID_PAYLOAD = "invalid_payload"
    UNKNOWN_EVENT = "unknown_event"
    QUESTION_EMPTY = "question_empty"
    QUESTION_TOO_LONG = "question_too_long"
    INVALID_POSITION = "invalid_position"
    NO_ACTIVE_SESSION = "no_active_session"
    RATE_LIMITED = "rate_limited"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    SERVER_BUSY = "server_busy"
    INSUFFICIENT_CREDITS = "insufficient_credits"
    AWAITING_REVIEW = "awaiting_review"
    CONTENT_BLOCKED = "content_blocked"
    AI_NOT_CONFIGURED = "ai_not_configured"
    AI_UNAVAILABLE = "ai_unavailable"
    AI_TIMEOUT = "ai_timeout"
    AI_REFUSED = "ai_refused"
    AI_INVALID_ANSWER = "ai_invalid_answer"
    INTERNAL_ERROR = "internal_error"


class State(StrEnum):
    """Where a session stands; `streaming.playback` holds the transitions."""

    WAITING = "waiting"
    PLAYING = "playing"
    PAUSED = "paused"
    COMPLETE = "complete"
    STOPPED = "stopped"

    @property
    def finished(self) -> bool:
        return self in (State.COMPLETE, State.STOPPED)


class PauseReason(StrEnum):
    """Why it stands: somebody paused it, it plays elsewhere, a new token is missing, or the server ends."""

    USER = "user"
    MOVED = "moved"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 a reason, not a secret
    RESTART = "restart"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The next character to come: `step` counts from 1, `position` in code points from 0."""

    step: int = 1
    position: int = 0


# --- Client → server -------------------------------------------------------------------------------

Speed = Annotated[float, Field(ge=MIN_SPEED, le=MAX_SPEED)]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class Command(BaseModel):
    """Base of what clients send. Keys that the contract does not know mean nothing.

    None stands for a key that was left out; what clients may send as null is `nullable`.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    event: ClassVar[str]
    nullable: ClassVar[frozenset[str]] = frozenset({"token"})
    token: str | None = None


class SessionCommand(Command):
    session_id: Identifier = ""

    def passed_on(self, session_id: str) -> dict[str, Any]:
        """Return what another connection needs to carry it out, as JSON; `read_command` reads it."""
        payload = self.model_dump(exclude={"token", "answer_data"}, exclude_none=True)
        return {"event": self.event, "payload": {**payload, "session_id": session_id}}


class PlacedCommand(SessionCommand):
    step: int | None = None
    position: int | None = None

    @property
    def place(self) -> Place | None:
        """Where the client says it is, if it says so.

        Raises `InvalidPosition` for what is no place in any explanation.
        """
        if self.step is None:
            if self.position is not None:
                raise InvalidPayload("position without step")
            return None
        return _place(self.step, self.position or 0)


class About(BaseModel):
    """The place in another explanation that was not followed."""

    model_config = ConfigDict(strict=True, frozen=True)

    session_id: Identifier
    step: int
    position: int

    @property
    def place(self) -> Place:
        """Raises `InvalidPosition` for what is no place in any explanation."""
        return _place(self.step, self.position)


class AskQuestion(Command):
    """Makes a session for a question and plays it here: `{session_id, question_hash, cached}`."""

    event = "ask_question"
    question: str
    context: dict[str, str] = Field(default_factory=dict)
    speed: Speed = 1.0
    request_id: Identifier = ""
    about: About | None = None


class PauseExplanation(PlacedCommand):
    """Pauses, at what the client has shown if it says so, else at what was sent: `{step, position}`."""

    event = "pause_explanation"


class ResumeExplanation(PlacedCommand):
    """Plays here, from what the client holds if it says so, else from where it stands: `{step, position}`."""

    event = "resume_explanation"
    nullable = frozenset({"token", "answer_data"})
    speed: Speed | None = None
    answer_data: object = None  # accepted because the seed's clients may send it; never used


class StopExplanation(SessionCommand):
    """Ends it: `{step, position}`."""

    event = "stop_explanation"


class SeekExplanation(PlacedCommand):
    """Moves the playhead: `{step, position}`."""

    event = "seek_explanation"
    step: int


class SetSpeed(SessionCommand):
    """Changes the pace at once, for the whole session: `{step, position}`."""

    event = "set_speed"
    speed: Speed


class GetSession(SessionCommand):
    """Changes nothing: `{session}`, a snapshot or null."""

    event = "get_session"


COMMANDS: dict[str, type[Command]] = {
    command.event: command
    for command in (
        AskQuestion,
        PauseExplanation,
        ResumeExplanation,
        StopExplanation,
        SeekExplanation,
        SetSpeed,
        GetSession,
    )
}


def read_command(event: str, args: list[Any]) -> Command:
    """Return what a client sent as one of the commands.

    Raises `UnknownEvent` or `InvalidPayload`, whose text names the fields and never repeats a value.
    """
    command = COMMANDS.get(event)
    if command is None:
        raise UnknownEvent
    payload = args[0] if args else {}
    if len(args) > 1 or not isinstance(payload, dict):
        raise InvalidPayload("one object is expected")
    known = command.model_fields.keys()
    wrong = {name for name in known - command.nullable if name in payload and payload[name] is None}
    try:
        read = command.model_validate(payload)
    except ValidationError as error:
        wrong |= known & {problem["loc"][0] for problem in error.errors(include_input=False)}
    if wrong:
        raise InvalidPayload(", ".join(sorted(wrong)))
    placed = read.about if isinstance(read, AskQuestion) else read
    if isinstance(placed, PlacedCommand | About):
        _ = placed.place
    return read


def _place(step: int, position: int) -> Place:
    if not (1 <= step <= FARTHEST and 0 <= position <= FARTHEST):
        raise InvalidPosition
    return Place(step, position)


# --- Server → client -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """Base of what clients get; the fields of a subclass are its payload."""

    name: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class WaitingPhrase(Event):
    """The answer is being made; another phrase comes every few seconds."""

    name = "waiting_phrase"
    message: str


@dataclass(frozen=True, slots=True)
class ExplanationStart(Event):
    """Once in a session; while the answer is being written, `total_steps` is planned."""

    name = "explanation_start"
    total_steps: int
    estimated_duration: float
    question_hash: str
    session_id: str
    answer_id: str | None
    cached: bool


@dataclass(frozen=True, slots=True)
class StepStart(Event):
    """A step begins, or begins again after a resume or a seek to its start; `type`: text, math or image."""

    name = "step_start"
    step: int
    title: str
    type: str


@dataclass(frozen=True, slots=True)
class ContentChunk(Event):
    """Write `chunk` at `position` of the step's text, cutting what stood behind."""

    name = "content_chunk"
    step: int
    chunk: str
    position: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class CanvasCommand(Event):
    """The `n`-th drawing of the step, from 0, at `at` of its text; a known one again means nothing."""

    name = "canvas_command"
    step: int
    command: dict[str, Any]
    n: int
    at: int


@dataclass(frozen=True, slots=True)
class StepComplete(Event):
    """All of the step has been said."""

    name = "step_complete"
    step: int


@dataclass(frozen=True, slots=True)
class ExplanationComplete(Event):
    """The end; `total_duration`: seconds of playing, pauses left out."""

    name = "explanation_complete"
    total_duration: float
    steps_completed: int


@dataclass(frozen=True, slots=True)
class StreamingPaused(Event):
    """Nothing beyond this place follows before a resume; `reason` as below."""

    name = "streaming_paused"
    step: int
    position: int
    message: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExplanationPaused(Event):
    """The pause is recorded, at most a second later."""

    name = "explanation_paused"
    step: int
    position: int


@dataclass(frozen=True, slots=True)
class StreamingResumed(Event):
    """It plays on; what the client held behind this place is void."""

    name = "streaming_resumed"
    step: int
    position: int


@dataclass(frozen=True, slots=True)
class ExplanationSeeked(Event):
    """Cut text and board to this place; what was skipped follows at once."""

    name = "explanation_seeked"
    step: int
    position: int


@dataclass(frozen=True, slots=True)
class ExplanationStopped(Event):
    """Nothing more of it follows."""

    name = "explanation_stopped"
    step: int
    position: int


@dataclass(frozen=True, slots=True)
class ServerRestarting(Event):
    """The connection ends now; come back in so many seconds."""

    name = "server_restarting"
    retry_after: float


@dataclass(frozen=True, slots=True)
class Error(Event):
    """A command was refused, or the explanation failed: then `explanation_stopped` follows."""

    name = "error"
    code: str
    message: str
    retry_after: float | None = None

    def payload(self) -> dict[str, Any]:
        payload = {"code": self.code, "message": self.message}
        return payload if self.retry_after is None else {**payload, "retry_after": self.retry_after}
