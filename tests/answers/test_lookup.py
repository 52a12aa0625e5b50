"""From a question to the one answer that this student is served."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from answers import curation
from answers.lookup import LookupResult, answer_of, answer_of_draft, look_up
from tests.answers.making import asked, generated, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_user("bob")


def said(result: LookupResult) -> str | None:
    return result.answer_steps[0]["content"] if result.cached else None


def test_a_miss_and_the_hit_after_it_name_the_question_alike(student: User) -> None:
    question = asked()
    miss = look_up(question, student.id)
    assert miss == LookupResult(question.key, question.text, question.normalized, None, False, [], 0)
    answer = curation.add_version(question, told())
    hit = look_up(asked("qué es la fuerza"), str(student.id))
    assert (hit.question_hash, hit.question_text) == (miss.question_hash, "qué es la fuerza")
    assert (hit.answer_id, hit.cached, hit.total_duration) == (str(answer.id), True, 60)
    assert hit.answer_steps == told().steps_json()


def test_the_most_specific_answer_is_served_in_one_query(student: User) -> None:
    place = {"subject": "física", "level": "secundaria"}
    expected = None
    for context in ({}, {"level": "secundaria"}, {"subject": "física"}, place):
        curation.add_version(asked(**context), told(f"Para {context}."))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            result = look_up(asked(**place), student.id)
        expected = f"Para {context}."
        assert (said(result), len(queries)) == (expected, 1)
        assert result.question_hash == asked(**place).key
    assert (
        said(look_up(asked(subject="física", level="primaria"), student.id)) == "Para {'subject': 'física'}."
    )
    assert said(look_up(asked(), student.id)) == "Para {}."


@pytest.mark.parametrize("context", [{"language": "en"}, {"nickname": "Ana"}])
def test_another_language_and_what_only_this_student_said_find_nothing(
    student: User, context: dict[str, str]
) -> None:
    curation.add_version(asked(), told())
    assert not look_up(asked(asker=student.id, **context), student.id).cached


def test_another_wording_leads_to_the_answer_as_it_is_now(student: User) -> None:
    general = curation.add_version(asked(), told("Para todos."))
    curation.add_alias(asked("Define la fuerza"), general.question_hash)
    with CaptureQueriesContext(connection) as queries:
        result = look_up(asked("Define la fuerza", subject="física"), student.id)
    assert (said(result), len(queries)) == ("Para todos.", 1)
    assert result.question_text == "Define la fuerza"
    curation.revise(general, told("Mejor dicho."), published=True)
    assert said(look_up(asked("Define la fuerza"), student.id)) == "Mejor dicho."
    curation.add_version(asked("Define la fuerza", subject="física"), told("La física."))
    assert said(look_up(asked("Define la fuerza", subject="física"), student.id)) == "La física."
    assert said(look_up(asked("Define la fuerza"), student.id)) == "Mejor dicho."


def test_drafts_and_retired_answers_are_served_to_nobody(student: User) -> None:
    curation.add_version(asked(), told(), curation.Status.DRAFT)
    assert not look_up(asked(), student.id).cached
    answer = curation.add_version(asked(), told())
    assert look_up(asked(), student.id).cached
    curation.retire(answer)
    assert not look_up(asked(), student.id).cached


@pytest.mark.parametrize("open_to_all", [True, False])
def test_an_unreviewed_answer_reaches_others_only_if_the_setting_says_so(
    student: User, other: User, settings: Any, open_to_all: bool
) -> None:
    settings.SERVE_UNREVIEWED = open_to_all
    answer = generated(asked(), student.id)
    assert look_up(asked(), student.id).cached
    assert look_up(asked(), other.id).cached == open_to_all
    curation.publish(answer)
    assert look_up(asked(), other.id).cached


def test_a_generated_draft_plays_to_its_asker_until_an_editor_publishes(student: User, other: User) -> None:
    curation.retire(generated(asked(), student.id, "Primero."))
    assert said(look_up(asked(), student.id)) is None
    generated(asked(), student.id, "Segundo.")
    generated(asked(), student.id, "Tercero.")
    assert said(look_up(asked(), student.id)) == "Tercero."
    assert said(look_up(asked(), other.id)) is None
    curation.add_version(asked(), told("Del editor."))
    assert said(look_up(asked(), student.id)) == said(look_up(asked(), other.id)) == "Del editor."


def test_what_is_published_for_all_comes_before_a_draft_for_exactly_this_subject(student: User) -> None:
    curation.retire(generated(asked(subject="física"), student.id, "Primero."))
    generated(asked(subject="física"), student.id, "Segundo.")
    assert said(look_up(asked(subject="física"), student.id)) == "Segundo."
    curation.add_version(asked(), told("Para todos."))
    assert said(look_up(asked(subject="física"), student.id)) == "Para todos."


def test_a_wording_for_exactly_this_subject_comes_before_an_answer_for_any(student: User) -> None:
    physics = curation.add_version(asked(subject="física"), told("La física."))
    curation.add_alias(asked("Define la fuerza", subject="física"), physics.question_hash)
    curation.add_version(asked("Define la fuerza"), told("Para todos."))
    assert said(look_up(asked("Define la fuerza", subject="física"), student.id)) == "La física."
    assert said(look_up(asked("Define la fuerza"), student.id)) == "Para todos."


def test_a_session_finds_what_it_began_with_even_if_it_is_retired(student: User) -> None:
    answer = generated(asked(), student.id, "Como empezó.")
    curation.add_version(asked(), told("Corregido."))
    for found in (answer_of(str(answer.id)), answer_of_draft(str(answer.draft))):
        assert found is not None
        assert (found.answer_id, found.answer_steps[0]["content"]) == (str(answer.id), "Como empezó.")
        assert found.total_duration == 30
    assert answer_of(uuid.uuid4()) is None
    assert answer_of_draft(uuid.uuid4()) is None
