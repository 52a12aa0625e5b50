"""What a command is answered, and what it does to a playhead."""

from typing import Any

from streaming.errors import StreamingError, UnknownEvent
from streaming.playback import Playback
from streaming.protocol import (
    Event,
    PauseExplanation,
    Place,
    SeekExplanation,
    SessionCommand,
    SetSpeed,
    State,
    StopExplanation,
    StreamingResumed,
)
from streaming.sessions import SessionRecord

Ack = dict[str, Any]


def steered(playback: Playback, command: SessionCommand, now: float) -> list[Event]:
    """Do to a playhead what a command says. Raises what the playback refuses it with."""
    match command:
        case PauseExplanation():
            return playback.pause(now, command.place)
        case SeekExplanation():
            return playback.seek(now, command.place or playback.place)
        case StopExplanation():
            return playback.stop(now)
        case SetSpeed():
            playback.set_speed(now, command.speed)
            return []
    raise UnknownEvent


def resumed_at(events: list[Event], playback: Playback) -> Place:
    """Return where a resume began: what lies between there and the playhead has been sent at once."""
    for event in events:
        if isinstance(event, StreamingResumed):
            return Place(event.step, event.position)
    return playback.place


def asked(record: SessionRecord) -> Ack:
    return {
        "ok": True,
        "session_id": record.session_id,
        "question_hash": record.current_question,
        "cached": record.cached,
    }


def placed(place: Place) -> Ack:
    return {"ok": True, "step": place.step, "position": place.position}


def accepted(answer: Ack) -> Ack:
    """Return the acknowledgement of an owner's answer, or raise what it refused with."""
    if not answer["ok"]:
        raise StreamingError.of(answer["code"])
    return placed(Place(answer["step"], answer["position"]))


def snapshot(record: SessionRecord, playback: Playback, state: State, *, here: bool) -> dict[str, Any]:
    """Return what a client holds that played to where the playhead stands."""
    place = playback.place
    return {
        "session_id": record.session_id,
        "question": record.question,
        "question_hash": record.current_question,
        "answer_id": playback.recording.answer_id or record.answer_id,
        "cached": record.cached,
        "state": state.value,
        "step": place.step,
        "position": place.position,
        "speed": playback.speed,
        "total_steps": playback.recording.total_steps,
        "estimated_duration": playback.estimated_duration(),
        "playing_here": here,
        "steps": playback.shown(),
    }
