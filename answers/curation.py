"""The only writer of answers.

What a row says never changes once somebody may have heard it: a correction is a new row of the same key,
and the index over published rows decides who wins where two write at once.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.errors import AnswersError
from answers.models import Alias, Answer, Listening
from answers.questions import NORMALISER, Question
from answers.schema import Explanation, read_explanation

Status = Answer.Status
ATTEMPTS = 10  # each time an index refuses, another writer of the same key has come through


class WordingTaken(AnswersError):
    """A wording can lead to one answer only."""

    code = "invalid_payload"


def add_version(
    question: Question, explanation: Explanation, status: Answer.Status = Status.PUBLISHED
) -> Answer:
    """Keep an editor's answer, by default served in place of the version that the question has now.

    Raises `WordingTaken` where the question is another wording of one that has its own answer.
    """
    answer = _version(question, explanation)
    with transaction.atomic():
        if status == Status.RETIRED:
            answer.status = status
        answer.save()
        return publish(answer) if status == Status.PUBLISHED else answer


def revise(answer: Answer, explanation: Explanation, *, published: bool) -> Answer:
    """Keep an editor's changes in a version of their own, or in the draft itself if nobody can have heard it.

    Raises `WordingTaken`.
    """
    content = {"answer_steps": explanation.steps_json(), "total_duration": explanation.total_duration}
    unheard = Answer.objects.filter(pk=answer.pk, status=Status.DRAFT, source=Answer.Source.CURATED)
    with transaction.atomic():
        if unheard.update(**content):
            answer.refresh_from_db()
        else:
            answer = _copy(answer, content)
            answer.save()
        return publish(answer) if published else answer


def publish(answer: Answer) -> Answer:
    """Serve this version, whether new or old, instead of the one its key has; it counts as reviewed.

    Raises `WordingTaken`.
    """
    ensure_own_question(answer.question_hash)

    def replace() -> Answer:
        now = timezone.now()
        served = Answer.objects.filter(question_hash=answer.question_hash, status=Status.PUBLISHED)
        served.exclude(pk=answer.pk).update(status=Status.RETIRED)
        answer.status, answer.published_at, answer.reviewed_at = Status.PUBLISHED, now, now
        answer.save(update_fields=["status", "published_at", "reviewed_at"])
        return answer

    return _until_it_fits(replace)


def retire(answer: Answer) -> None:
    """Serve this version to nobody any more; what is generated for its key from now on is a draft."""
    Answer.objects.filter(pk=answer.pk).update(status=Status.RETIRED)
    answer.status = Status.RETIRED


def save_generated(
    question: Question,
    *,
    steps: list[dict[str, Any]],
    duration: float,
    source: str,
    model: str,
    prompt_version: str,
    draft_id: str | UUID,
    asked_by: str | UUID,
) -> Answer:
    """Keep what was generated; saving the same draft again returns the row that it became.

    Published only where no editor has had a hand in the key and nobody was first: else a draft, which
    only `asked_by` is served. Raises `InvalidContent`.
    """
    explanation = read_explanation({"answer_steps": steps, "total_duration": duration})
    answer = _version(question, explanation)
    answer.source, answer.model, answer.prompt_version, answer.draft = source, model, prompt_version, draft_id

    def insert() -> Answer:
        known = Answer.objects.filter(draft=draft_id).first()
        if known is not None:
            return known
        decided = Answer.objects.filter(question_hash=question.key).exclude(status=Status.DRAFT)
        alias = Alias.objects.filter(question_hash=question.key)
        first = not decided.exists() and not alias.exists()
        answer.status = Status.PUBLISHED if first else Status.DRAFT
        answer.published_at = timezone.now() if first else None
        # The account may be gone by now; what the others listen to is kept all the same.
        students = get_user_model()._default_manager.filter(pk=asked_by)
        answer.asked_by_id = students.values_list("pk", flat=True).first()
        answer.save(force_insert=True)
        Listening.objects.filter(draft=draft_id).update(answer=answer)
        return answer

    return _until_it_fits(insert)


def add_alias(wording: Question, answer_key: str) -> Alias:
    """Let another wording lead to the answers of a key; saying it again changes nothing.

    Raises `WordingTaken` where the wording has a published answer, or leads to another one.
    """
    ensure_free_wording(wording, answer_key)
    alias, _created = Alias.objects.get_or_create(
        question_hash=wording.key,
        defaults={"normaliser": NORMALISER, "question_text": wording.text, "answer_hash": answer_key},
    )
    ensure_free_wording(wording, answer_key)  # somebody else may have been first
    return alias


def ensure_own_question(key: str) -> None:
    """Raise `WordingTaken` where a question is another wording of one that has its own answer."""
    if Alias.objects.filter(question_hash=key).exists():
        raise WordingTaken(_("This is another wording of a question that has its own answer."))


def ensure_free_wording(wording: Question, answer_key: str) -> None:
    """Raise `WordingTaken` where a wording cannot lead to the answers of this key."""
    if wording.key == answer_key:
        raise WordingTaken(_("This wording is already read as the question itself."))
    if Answer.objects.filter(question_hash=wording.key, status=Status.PUBLISHED).exists():
        raise WordingTaken(_("This wording has an answer of its own."))
    if Alias.objects.filter(question_hash=wording.key).exclude(answer_hash=answer_key).exists():
        raise WordingTaken(_("This wording already leads to another answer."))


def _version(question: Question, explanation: Explanation) -> Answer:
    return Answer(
        question_hash=question.key,
        normaliser=NORMALISER,
        question_text=question.text,
        normalized_text=question.normalized,
        language=question.language,
        subject=question.subject,
        level=question.level,
        private=bool(question.other),
        answer_steps=explanation.steps_json(),
        total_duration=explanation.total_duration,
    )


def _copy(answer: Answer, content: dict[str, Any]) -> Answer:
    """Return an editor's draft of the same question, not saved yet."""
    same = ("question_hash", "normaliser", "question_text", "normalized_text", "language", "subject", "level")
    return Answer(private=answer.private, **{name: getattr(answer, name) for name in same}, **content)


def _until_it_fits(write: Callable[[], Answer]) -> Answer:
    """Run `write` in a transaction, again after an index has refused it."""
    for _attempt in range(ATTEMPTS - 1):
        try:
            with transaction.atomic():
                return write()
        except IntegrityError:
            continue  # A row of another writer stands there now: it is seen this time.
    with transaction.atomic():
        return write()
