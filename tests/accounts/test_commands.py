"""Students and tokens from the command line: what is wanted stands alone on stdout."""

import io
import uuid
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.tokens import user_for

pytestmark = pytest.mark.django_db


def run(*arguments: Any) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=io.StringIO())
    text = out.getvalue()
    assert text.count("\n") == 1
    return text.strip()


def test_a_new_student_is_printed_by_id() -> None:
    student = User.objects.get(pk=uuid.UUID(run("create_student", "Ana@School.Example")))
    assert (student.email, student.credits, student.language) == ("ana@school.example", 20, "es")
    assert not student.has_usable_password()
    assert not student.is_staff


def test_everything_can_be_given() -> None:
    options = ("--credits", "0", "--language", "en", "--password", "correct horse")
    student = User.objects.get(pk=run("create_student", "ana", *options))
    assert (student.credits, student.language) == (0, "en")
    assert student.check_password("correct horse")


def test_an_existing_student_keeps_the_id_and_what_is_not_given(student: User) -> None:
    assert run("create_student", "ANA@school.example") == str(student.id)
    assert run("create_student", "ana@school.example", "--credits", "7") == str(student.id)
    student.refresh_from_db()
    assert (student.credits, student.language) == (7, "es")
    assert student.check_password("correct horse battery")
    run("create_student", "ana@school.example", "--password", "another", "--language", "pt")
    student.refresh_from_db()
    assert (student.credits, student.language) == (7, "pt")
    assert student.check_password("another")


@pytest.mark.parametrize(
    "wrong",
    [["a b"], [""], ["ana", "--credits", "-1"], ["ana", "--credits", "x"], ["ana", "--language", "fr"]],
)
@pytest.mark.parametrize("exists", [False, True])
def test_what_no_student_may_have_is_refused_and_changes_nothing(wrong: list[str], exists: bool) -> None:
    if exists:
        User.objects.create_user("ana")
    before = list(User.objects.values())
    with pytest.raises(CommandError):
        run("create_student", *wrong)
    assert list(User.objects.values()) == before


def test_a_token_is_printed_alone(student: User) -> None:
    assert user_for(run("issue_token", "Ana@school.example")).user_id == str(student.id)


def test_no_token_for_nobody_but_what_to_do() -> None:
    with pytest.raises(CommandError, match="create_student"):
        run("issue_token", "nobody")


def test_no_token_for_a_user_who_was_turned_off(student: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="not active"):
        run("issue_token", "ana@school.example")
