"""The only reader of answers on behalf of students: from a question to what answers it."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from answers.models import Alias, Answer
from answers.questions import Question
from answers.recording import Recording

VOUCHED_FOR = Q(source=Answer.Source.CURATED) | Q(reviewed_at__isnull=False)


@dataclass(frozen=True, slots=True)
class LookupResult:
    """What a question leads to; without an answer `cached` is false and there are no steps.

    `question_hash` is the key of the question as it was asked, the same for a miss and a later hit.
    """

    question_hash: str
    question_text: str
    normalized_text: str
    answer_id: str | None = None
    cached: bool = False
    answer_steps: list[dict[str, Any]] = field(default_factory=list)
    total_duration: float = 0.0  # seconds


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One version as it is played, whatever has become of it since."""

    answer_id: str
    answer_steps: list[dict[str, Any]]
    total_duration: float  # seconds
    language: str
    question_text: str

    def recording(self) -> Recording:
        return Recording.of(
            self.answer_steps, self.total_duration, self.answer_id, self.language, self.question_text
        )


def look_up(question: Question, user_id: str | UUID) -> LookupResult:
    """Return the answer that this user is served: the most specific one, in one query.

    Published answers come first; a draft that was generated for this user holds where none is published.
    """
    found = _candidates(list(question.keys()), user_id).first()
    asked = (question.key, question.text, question.normalized)
    if found is None:
        return LookupResult(*asked)
    return LookupResult(*asked, str(found["id"]), True, found["answer_steps"], found["total_duration"])


def answer_of(answer_id: str | UUID) -> StoredAnswer | None:
    """Return this version; a retired one too: a session stays on what it began with."""
    return _stored(Q(id=answer_id))


def answer_of_draft(draft_id: str | UUID) -> StoredAnswer | None:
    """Return the version that this draft became."""
    return _stored(Q(draft=draft_id))


@dataclass(frozen=True, slots=True)
class SharedQuestion:
    """A question that everybody may ask and be served an answer; empty: it holds for any."""

    text: str
    language: str
    subject: str
    level: str


def shared_answers() -> QuerySet[Answer]:
    """Return the answers that whoever asks is served."""
    served = Q(status=Answer.Status.PUBLISHED, private=False)
    return Answer.objects.filter(served if settings.SERVE_UNREVIEWED else served & VOUCHED_FOR)


def shared_question(answer_id: UUID) -> SharedQuestion | None:
    """Return the question that a version answers, if everybody is served it or one that took its place."""
    key = Answer.objects.filter(pk=answer_id).values("question_hash")
    columns = ("question_text", "language", "subject", "level")
    row = shared_answers().filter(question_hash__in=key).values_list(*columns).first()
    return SharedQuestion(*row) if row else None


def examples(language: str, count: int) -> list[str]:
    """Return questions that need no model: the latest curated ones that hold for any subject and level."""
    curated = Answer.objects.filter(
        status=Answer.Status.PUBLISHED,
        source=Answer.Source.CURATED,
        language=language,
        subject="",
        level="",
        private=False,
    )
    return list(curated.order_by("-created_at").values_list("question_text", flat=True)[:count])


def _candidates(keys: list[str], user_id: str | UUID) -> Any:
    served = Q(status=Answer.Status.PUBLISHED)
    if not settings.SERVE_UNREVIEWED:
        served &= VOUCHED_FOR
    own = Q(asked_by=user_id, status__in=[Answer.Status.PUBLISHED, Answer.Status.DRAFT])
    answers = Answer.objects.filter(served | own).annotate(
        unpublished=Case(When(status=Answer.Status.PUBLISHED, then=0), default=1)
    )
    place = Case(*(When(question_hash=key, then=place) for place, key in enumerate(keys)), default=len(keys))
    wordings = Alias.objects.filter(question_hash__in=keys)
    columns = ("id", "answer_steps", "total_duration", "unpublished", "place", "by_wording", "created_at")
    direct = (
        answers.filter(question_hash__in=keys)
        .annotate(place=place, by_wording=Value(0, output_field=IntegerField()))
        .values(*columns)
    )
    by_wording = (
        answers.filter(question_hash__in=wordings.values("answer_hash"))
        .annotate(
            place=Coalesce(
                Subquery(
                    wordings.filter(answer_hash=OuterRef("question_hash"))
                    .annotate(place=place)
                    .order_by("place")
                    .values("place")[:1]
                ),
                len(keys),
            ),
            by_wording=Value(1, output_field=IntegerField()),
        )
        .values(*columns)
    )
    # Two halves, because an OR of them would keep PostgreSQL from using the index of either.
    return direct.union(by_wording, all=True).order_by("unpublished", "place", "by_wording", "-created_at")


def _stored(which: Q) -> StoredAnswer | None:
    columns = ("id", "answer_steps", "total_duration", "language", "question_text")
    row = Answer.objects.filter(which).values_list(*columns).first()
    return None if row is None else StoredAnswer(str(row[0]), *row[1:])
