"""What stands is never rewritten; of two who write at once, both leave a clean state."""

import uuid
from collections import Counter

import pytest

from accounts.models import User
from answers import curation
from answers.curation import Status, WordingTaken
from answers.errors import InvalidContent
from answers.models import Alias, Answer
from tests.answers.making import asked, at_once, generated, steps, told


def statuses() -> Counter[str]:
    return Counter(Answer.objects.values_list("status", flat=True))


def test_a_correction_is_a_new_row_and_the_old_one_keeps_what_it_said(db: None) -> None:
    first = curation.add_version(asked(), told("Uno."))
    second = curation.add_version(asked(" qué es la fuerza "), told("Dos.", 20))
    first.refresh_from_db()
    assert (first.status, first.answer_steps, first.total_duration) == ("retired", steps("Uno."), 60)
    assert (second.status, second.question_hash) == ("published", first.question_hash)
    assert second.reviewed_at
    assert second.published_at


@pytest.mark.parametrize("published", [True, False])
def test_editing_what_somebody_may_have_heard_makes_a_version(student: User, published: bool) -> None:
    heard = [
        curation.add_version(asked(), told("Uno.")),
        generated(asked(), student.id, "Uno."),
        generated(asked("otra", asker=student.id, nickname="Ana"), student.id, "Uno."),
    ]
    assert [answer.status for answer in heard] == ["published", "draft", "published"]
    for answer in heard:
        version = curation.revise(answer, told("Dos."), published=published)
        answer.refresh_from_db()
        assert answer.answer_steps == steps("Uno.")
        assert version.pk != answer.pk
        assert (version.status, version.source) == ("published" if published else "draft", "curated")
        assert (version.question_hash, version.private) == (answer.question_hash, answer.private)
        assert version.answer_steps == steps("Dos.")


def test_an_editors_draft_is_edited_in_place_until_it_has_been_published(db: None) -> None:
    draft = curation.add_version(asked(), told("Uno."), Status.DRAFT)
    stale = Answer.objects.get()
    assert curation.revise(draft, told("Dos."), published=False).pk == draft.pk
    assert curation.revise(draft, told("Tres."), published=True).pk == draft.pk
    late = curation.revise(stale, told("Tarde."), published=False)
    assert late.pk != draft.pk
    assert Answer.objects.get(status="published").answer_steps == steps("Tres.")


def test_an_old_version_can_be_served_again(db: None) -> None:
    first, second = (curation.add_version(asked(), told(text)) for text in ("Uno.", "Dos."))
    curation.publish(first)
    second.refresh_from_db()
    assert (first.status, second.status) == ("published", "retired")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_publish_at_once_one_is_served_and_none_is_lost() -> None:
    drafts = [curation.add_version(asked(), told(f"{n}."), Status.DRAFT) for n in range(4)]
    calls = [lambda n=n: curation.add_version(asked(), told(f"Nuevo {n}.")) for n in range(4)]
    at_once(*calls, *(lambda draft=draft: curation.publish(draft) for draft in drafts))
    assert statuses() == {"published": 1, "retired": 7}


@pytest.mark.django_db(transaction=True)
def test_of_many_generated_at_once_the_first_is_published_and_the_rest_are_drafts(student: User) -> None:
    at_once(*(lambda n=n: generated(asked(), student.id, f"{n}.") for n in range(6)))
    assert statuses() == {"published": 1, "draft": 5}


@pytest.mark.django_db(transaction=True)
def test_one_draft_saved_many_times_at_once_is_one_answer(student: User) -> None:
    draft_id = uuid.uuid4()
    rows = at_once(*(lambda: generated(asked(), student.id, draft_id=draft_id) for _ in range(6)))
    assert {row.pk for row in rows} == {Answer.objects.get().pk}


def test_what_is_generated_says_where_it_comes_from(student: User) -> None:
    answer = generated(asked(subject="física"), student.id)
    answer.refresh_from_db()
    assert (answer.source, answer.model, answer.prompt_version) == ("model", "small", "1")
    assert (answer.asked_by_id, answer.subject, answer.reviewed_at) == (student.id, "física", None)
    assert (answer.status, answer.private) == ("published", False)


@pytest.mark.parametrize("status", ["retired", "published"])
def test_where_an_editor_has_decided_a_generated_answer_is_a_draft(student: User, status: str) -> None:
    answer = curation.add_version(asked(), told())
    if status == "retired":
        curation.retire(answer)
    assert generated(asked(), student.id).status == "draft"


def test_a_wording_that_leads_elsewhere_gets_no_published_answer(student: User) -> None:
    answer = curation.add_version(asked(), told())
    curation.add_alias(asked("Define la fuerza"), answer.question_hash)
    curation.retire(answer)
    assert generated(asked("Define la fuerza"), student.id).status == "draft"
    with pytest.raises(WordingTaken, match="another wording"):
        curation.add_version(asked("Define la fuerza"), told())
    assert statuses() == {"retired": 1, "draft": 1}


def test_content_out_of_shape_leaves_nothing_behind(student: User) -> None:
    with pytest.raises(InvalidContent, match="content"):
        generated(asked(), student.id, "NUL \0")
    assert not Answer.objects.exists()


def test_the_answer_outlives_the_account_that_asked(student: User) -> None:
    student_id = student.id
    student.delete()
    assert generated(asked(), student_id).asked_by_id is None


def test_an_alias_is_said_once_and_leads_to_one_answer(db: None) -> None:
    force, mass = (curation.add_version(asked(text), told()) for text in ("la fuerza", "la masa"))
    wording = asked("Define la fuerza")
    assert curation.add_alias(wording, force.question_hash) == curation.add_alias(
        wording, force.question_hash
    )
    for taken, reason in ((wording, "already leads"), (asked("la fuerza"), "answer of its own")):
        with pytest.raises(WordingTaken, match=reason):
            curation.add_alias(taken, mass.question_hash)
    with pytest.raises(WordingTaken, match="question itself"):
        curation.add_alias(asked("la fuerza"), force.question_hash)
    assert Alias.objects.count() == 1
