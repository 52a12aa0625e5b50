"""The contract in code: every event in and out, the states, the reasons and the error codes.

What clients send is checked here and nowhere else; what they get is built from these classes alone.
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
        place = Place(self.step, self.position or 0)
        if not (1 <= place.step <= FARTHEST and 0 <= place.position <= FARTHEST):
            raise InvalidPosition
        return place


class AskQuestion(Command):
    event = "ask_question"
    question: str
    context: dict[str, str] = Field(default_factory=dict)
    speed: Speed = 1.0
    request_id: Identifier = ""
    about: object = None


class PauseExplanation(PlacedCommand):
    event = "pause_explanation"


class ResumeExplanation(PlacedCommand):
    event = "resume_explanation"
    nullable = frozenset({"token", "answer_data"})
    speed: Speed | None = None
    answer_data: object = None  # accepted because the seed's clients may send it; never used


class StopExplanation(SessionCommand):
    event = "stop_explanation"


class SeekExplanation(PlacedCommand):
    event = "seek_explanation"
    step: int


class SetSpeed(SessionCommand):
    event = "set_speed"
    speed: Speed


class GetSession(SessionCommand):
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
    if isinstance(read, PlacedCommand):
        _ = read.place
    return read


# --- Server → client -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """Base of what clients get; the fields of a subclass are its payload."""

    name: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class WaitingPhrase(Event):
    name = "waiting_phrase"
    message: str


@dataclass(frozen=True, slots=True)
class ExplanationStart(Event):
    name = "explanation_start"
    total_steps: int
    estimated_duration: float
    question_hash: str
    session_id: str
    answer_id: str | None
    cached: bool


@dataclass(frozen=True, slots=True)
class StepStart(Event):
    name = "step_start"
    step: int
    title: str
    type: str


@dataclass(frozen=True, slots=True)
class ContentChunk(Event):
    name = "content_chunk"
    step: int
    chunk: str
    position: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class CanvasCommand(Event):
    name = "canvas_command"
    step: int
    command: dict[str, Any]
    n: int
    at: int


@dataclass(frozen=True, slots=True)
class StepComplete(Event):
    name = "step_complete"
    step: int


@dataclass(frozen=True, slots=True)
class ExplanationComplete(Event):
    name = "explanation_complete"
    total_duration: float
    steps_completed: int


@dataclass(frozen=True, slots=True)
class StreamingPaused(Event):
    name = "streaming_paused"
    step: int
    position: int
    message: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExplanationPaused(Event):
    name = "explanation_paused"
    step: int
    position: int


@dataclass(frozen=True, slots=True)
class StreamingResumed(Event):
    name = "streaming_resumed"
    step: int
    position: int


@dataclass(frozen=True, slots=True)
class ExplanationSeeked(Event):
    name = "explanation_seeked"
    step: int
    position: int


@dataclass(frozen=True, slots=True)
class ExplanationStopped(Event):
    name = "explanation_stopped"
    step: int
    position: int


@dataclass(frozen=True, slots=True)
class ServerRestarting(Event):
    name = "server_restarting"
    retry_after: float


@dataclass(frozen=True, slots=True)
class Error(Event):
    name = "error"
    code: str
    message: str
    retry_after: float | None = None

    def payload(self) -> dict[str, Any]:
        payload = {"code": self.code, "message": self.message}
        return payload if self.retry_after is None else {**payload, "retry_after": self.retry_after}
