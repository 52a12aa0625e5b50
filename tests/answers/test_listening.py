"""How far a session has come survives whatever else forgets it."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from answers import listening
from answers.models import Answer, Listening
from tests.answers.making import asked, at_once, generated

pytestmark = pytest.mark.django_db


def heard(student: User, **changes: Any) -> dict[str, Any]:
    return {
        "session_id": str(uuid.uuid4()),
        "user_id": str(student.id),
        "question_text": "¿Qué es?",
        "question_hash": "0" * 64,
        "answer_id": None,
        "draft_id": None,
        "cached": False,
        "state": "playing",
        "step": 1,
        "position": 50,
        "speed": 1.0,
        "pauses": 0,
        "played_seconds": 1.5,
        "created_at": timezone.now(),
    } | changes


def test_what_is_recorded_is_what_is_read(student: User) -> None:
    answer = generated(asked(), student.id)
    row = heard(student, answer_id=str(answer.id), draft_id=str(answer.draft), cached=True, speed=2.0)
    row["about"] = {"session_id": str(uuid.uuid4()), "step": 2, "position": 0}
    row["context"] = {"level": "3", "hobby": "ajedrez"}
    for _ in range(2):
        listening.record(**row)
    assert listening.of_session(row["session_id"], row["user_id"]) == listening.Heard(**row)
    assert Listening.objects.count() == 1


@pytest.mark.parametrize("hobby", ["", "ajedrez"])
def test_of_a_version_that_writes_less_what_may_be_private_stays_so(student: User, hobby: str) -> None:
    answer = generated(asked(asker=student.id, hobby=hobby), student.id)
    row = heard(student, answer_id=str(answer.id))
    names = ("draft_id", "context", "about")
    Listening.objects.create(**{name: value for name, value in row.items() if name not in names})
    found = listening.of_session(row["session_id"], student.id)
    assert found is not None
    assert (found.context, found.about) == ({"session": row["session_id"]} if hobby else {}, None)


def test_a_later_write_changes_how_far_it_is_and_not_who_asked_what(student: User) -> None:
    row = heard(student)
    listening.record(**row)
    written = Listening.objects.get().updated_at
    later = {"state": "paused", "step": 2, "position": 7, "pauses": 1, "played_seconds": 9.0}
    with CaptureQueriesContext(connection) as queries:
        listening.record(**row | later | {"question_text": "Otra"})
    assert [query["sql"][:6] for query in queries if query["sql"][:4] not in ("BEGI", "SAVE", "RELE")] == [
        "INSERT"
    ]
    assert listening.of_session(row["session_id"], student.id) == listening.Heard(**row | later)
    assert Listening.objects.get().updated_at > written


def test_saving_the_draft_fills_in_the_answer_and_a_late_write_leaves_it(student: User) -> None:
    row = heard(student, draft_id=str(uuid.uuid4()))
    listening.record(**row)
    answer = generated(asked(), student.id, draft_id=row["draft_id"])
    listening.record(**row | {"position": 60})
    found = listening.of_session(row["session_id"], student.id)
    assert found is not None
    assert (found.answer_id, found.position) == (str(answer.id), 60)
    other = generated(asked("otra"), student.id)
    listening.record(**row | {"answer_id": str(other.id)})
    assert Listening.objects.get().answer == other


def test_another_students_session_and_a_name_that_is_none_look_alike(student: User) -> None:
    row = heard(student)
    listening.record(**row)
    assert listening.of_session(row["session_id"], uuid.uuid4()) is None
    assert listening.of_session("no session", student.id) is None


def test_the_latest_unfinished_is_the_one_heard_last(student: User) -> None:
    other = User.objects.create_user("bob")
    assert listening.latest_unfinished(student.id) is None
    paused, playing, complete, stopped = (
        heard(student, state=state) for state in ("paused", "playing", "complete", "stopped")
    )
    for row in (playing, paused, complete, stopped, heard(other)):
        listening.record(**row)
    found = listening.latest_unfinished(str(student.id))
    assert found is not None
    assert found.session_id == paused["session_id"]
    listening.record(**playing)
    found = listening.latest_unfinished(student.id)
    assert found is not None
    assert found.session_id == playing["session_id"]


@pytest.mark.django_db(transaction=True)
def test_a_deleted_answer_or_account_does_not_stop_who_is_listening(student: User) -> None:
    answer = generated(asked(), student.id)
    row = heard(student, answer_id=str(answer.id))
    Answer.objects.all().delete()
    listening.record(**row)
    assert Listening.objects.get().answer is None
    student.delete()
    listening.record(**row)
    assert not Listening.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_first_writes_at_once_make_one_row(student: User) -> None:
    row = heard(student)
    at_once(*(lambda n=n: listening.record(**row | {"position": n}) for n in range(6)))
    assert Listening.objects.get().position in range(6)
