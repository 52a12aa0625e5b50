"""What one student has asked, as they see it: how far each was heard, and whether it was clear."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Func, IntegerField, OuterRef, QuerySet, Subquery

from answers.lookup import shared_answers
from answers.models import Listening, Remark

PAGE = 30  # explanations at a time
VERDICTS = [Remark.Kind.CLEAR, Remark.Kind.UNCLEAR]


class StepCount(Func):
    """The number of steps, counted by the database: a list of answers need not load them."""

    function = "JSON_ARRAY_LENGTH"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_ARRAY_LENGTH", **context)


class StepLength(Func):
    """The code points of one step, counted by the database; `StepLength(steps, number from 1)`."""

    template = "LENGTH(JSON_EXTRACT(%(expressions)s - 1) || '].content'))"
    arg_joiner = ", '$[' || ("
    arity = 2
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CHAR_LENGTH((%(expressions)s - 1)) ->> 'content')"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" -> (", **context)


@dataclass(frozen=True, slots=True)
class Entry:
    """One explanation of the list. `total_steps` and `heard` are None while no answer is stored."""

    session_id: UUID
    question: str
    answer_id: UUID | None
    state: str
    step: int
    position: int
    total_steps: int | None
    heard: float | None  # 0 to 1, each step weighing the same
    created_at: datetime
    updated_at: datetime
    clear: bool | None  # what the student said
    shared: bool  # whether others who ask its question are served an answer


def own(user_id: str | UUID) -> QuerySet[Listening]:
    """Return what this student has asked and not removed."""
    return Listening.objects.filter(user_id=user_id, removed=False)


def entries(user_id: str | UUID, before: datetime | None = None) -> list[Entry]:
    """Return a page of what this student asked, newest first, in one query; `before`: asked earlier than."""
    rows = own(user_id)
    if before is not None:
        rows = rows.filter(created_at__lt=before)
    verdict = Remark.objects.filter(listening=OuterRef("pk"), kind__in=VERDICTS).values("kind")
    same_key = shared_answers().filter(question_hash=OuterRef("answer__question_hash"))
    page = rows.order_by("-created_at", "-pk").values("pk")[:PAGE]  # first, as counting steps reads them all
    rows = Listening.objects.filter(pk__in=page).annotate(
        total_steps=StepCount("answer__answer_steps"),
        step_length=StepLength(F("answer__answer_steps"), F("step")),
        verdict=Subquery(verdict[:1]),
        shared=Exists(same_key),
    )
    return [_entry(row) for row in rows.order_by("-created_at", "-pk")]


def forget(session_id: UUID, user_id: str | UUID) -> bool:
    """Take an explanation from its student's list, for good; return whether it was there.

    The row stays, as whoever still plays it goes on writing, and as editors want to know what it was about.
    """
    return bool(own(user_id).filter(pk=session_id).update(removed=True))


def _entry(row: Any) -> Entry:
    return Entry(
        session_id=row.session_id,
        question=row.question_text,
        answer_id=row.answer_id,
        state=row.state,
        step=row.step,
        position=row.position,
        total_steps=row.total_steps,
        heard=_heard(row),
        created_at=row.created_at,
        updated_at=row.updated_at,
        clear=None if row.verdict is None else row.verdict == Remark.Kind.CLEAR,
        shared=row.shared,
    )


def _heard(row: Any) -> float | None:
    if row.state == Listening.State.COMPLETE:
        return 1.0
    if not row.total_steps:
        return None
    within = min(row.position / row.step_length, 1) if row.step_length else 0
    heard: float = round(min((row.step - 1 + within) / row.total_steps, 1), 3)
    return heard
