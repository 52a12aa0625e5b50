"""Who heard what and how far: what a resume starts from when nothing else remembers the session."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import F, QuerySet

from answers.models import Answer, Listening

# What a later write changes; who asked what, and when, is written once.
PROGRESS = ["draft", "cached", "state", "step", "position", "speed", "pauses", "played_seconds", "updated_at"]
UNFINISHED = [Listening.State.PLAYING, Listening.State.PAUSED]


@dataclass(frozen=True, slots=True)
class Heard:
    """How far one session has come. While its answer is being written, only the draft is known.

    `step` counts from 1, `position` in code points; both name the next character to come.
    """

    session_id: str
    user_id: str
    question_text: str
    question_hash: str
    answer_id: str | None
    draft_id: str | None
    cached: bool
    state: str
    step: int
    position: int
    speed: float
    pauses: int
    played_seconds: float
    created_at: datetime
    context: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, Any] | None = None  # {session_id, step, position} that it is a question about


def record(
    *,
    session_id: str | UUID,
    user_id: str | UUID,
    question_text: str,
    question_hash: str,
    answer_id: str | UUID | None,
    draft_id: str | UUID | None,
    cached: bool,
    state: str,
    step: int,
    position: int,
    speed: float,
    pauses: int,
    played_seconds: float,
    created_at: datetime,
    context: Mapping[str, str] | None = None,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write down how far a session has come, in one statement; repeating it changes nothing.

    The last write wins, so whoever plays a session lets one write end before the next begins.
    """
    lost = about or {}
    row = Listening(
        session_id=session_id,
        user_id=user_id,
        question_text=question_text,
        question_hash=question_hash,
        answer_id=answer_id,
        draft=draft_id,
        cached=cached,
        state=state,
        step=step,
        position=position,
        speed=speed,
        pauses=pauses,
        played_seconds=played_seconds,
        created_at=created_at,
        context=dict(context or {}),
        about_session=lost.get("session_id"),
        about_step=lost.get("step"),
        about_position=lost.get("position"),
    )
    try:
        _write(row)
    except IntegrityError:
        if not get_user_model()._default_manager.filter(pk=user_id).exists():
            return  # The account was deleted while it played: nothing of the student may be kept.
        if answer_id is None or Answer.objects.filter(pk=answer_id).exists():
            raise
        row.answer_id = None
        _write(row)


def of_session(session_id: str | UUID, user_id: str | UUID) -> Heard | None:
    """Return how far this user's session has come; another user's is as good as none."""
    try:
        return _first(Listening.objects.filter(session_id=session_id, user_id=user_id))
    except ValidationError:  # No UUID, so no session.
        return None


def latest_unfinished(user_id: str | UUID) -> Heard | None:
    """Return the session of this user that was heard last among those that have not ended."""
    rows = Listening.objects.filter(user_id=user_id, state__in=UNFINISHED, removed=False)
    return _first(rows.order_by("-updated_at"))


def _write(row: Listening) -> None:
    # A known answer stays: a late writer may still hold only the draft that it was played from.
    changed = PROGRESS if row.answer_id is None else [*PROGRESS, "answer"]
    Listening.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["session_id"], update_fields=changed
    )


def _first(rows: QuerySet[Listening]) -> Heard | None:
    row = rows.annotate(private=F("answer__private")).first()
    if row is None:
        return None
    return Heard(
        session_id=str(row.session_id),
        user_id=str(row.user_id),
        question_text=row.question_text,
        question_hash=row.question_hash,
        answer_id=str(row.answer_id) if row.answer_id else None,
        draft_id=str(row.draft) if row.draft else None,
        cached=row.cached,
        state=row.state,
        step=row.step,
        position=row.position,
        speed=row.speed,
        pauses=row.pauses,
        played_seconds=row.played_seconds,
        created_at=row.created_at,
        context=_context(row),
        about=row.about,
    )


def _context(row: Any) -> Mapping[str, str]:
    if row.context is not None:
        return cast(Mapping[str, str], row.context)
    # Nobody wrote down what was said with the question. Unless the answer is everybody's that may have been
    # the student's own: then what is asked about it is theirs alone, too.
    return {} if row.private is False else {"session": str(row.session_id)}
