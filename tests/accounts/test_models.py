"""Users: one spelling of a login, credits that never go below zero, names for logs."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import F
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.models import User, normalise_login


@pytest.mark.django_db
@pytest.mark.parametrize("twin", ["ANA@School.Example", "  ana@school.example ", "ａｎａ@school.example"])
def test_a_login_is_unique_without_case_width_or_margin(student: User, twin: str) -> None:
    assert User.objects.get(email=twin) == student
    assert User.objects.get_by_natural_key(twin) == student
    with pytest.raises(ValidationError, match="already exists"):
        User.objects.create_user(twin)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email=twin)


@given(st.text())
@example("İ")
@example("ᾳ\u0345")
@example("\u1511\u1f9f\u0304")
@example("¯")
def test_normalising_a_login_twice_changes_nothing(text: str) -> None:
    once = normalise_login(text)
    assert normalise_login(once) == once


@pytest.mark.django_db
def test_a_pseudonym_is_a_login_and_is_kept_in_its_one_spelling() -> None:
    user = User(email="Alumno-Ñ7")
    user.save()
    assert user.email == "alumno-ñ7"
    user.refresh_from_db()
    assert user.email == "alumno-ñ7"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "login",
    [
        "",
        "   ",
        "a b",
        "a\tb",
        "a\x00b",
        "a\nb",
        "a\x85b",
        "a\u200bb",
        "a\u202eb",
        "\ud800",
        "a" * 255,
        "ﷺ" * 30,
    ],
)
def test_a_login_without_visible_characters_or_too_long_is_refused(login: str) -> None:
    with pytest.raises(ValidationError) as refused:
        User.objects.create_user(login)
    assert set(refused.value.message_dict) == {"email"}


def test_a_new_student_speaks_spanish_has_20_credits_and_no_password(db: None) -> None:
    user = User.objects.create_user("ana")
    assert (user.language, user.credits, user.is_active, user.is_staff) == ("es", 20, True, False)
    assert not user.has_usable_password()


def test_a_superuser_is_an_editor(db: None) -> None:
    root = User.objects.create_superuser("root", "correct horse battery")
    assert root.is_staff
    assert root.is_superuser


@pytest.mark.parametrize("wrong", [{"credits": -1}, {"language": "fr"}, {"credits": "many"}])
def test_a_user_with_impossible_fields_is_refused(db: None, wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        User.objects.create_user("ana", **wrong)
    assert set(refused.value.message_dict) == set(wrong)


def test_the_database_itself_lets_no_credits_go_below_zero(student: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=student.pk).update(credits=F("credits") - 21)
    student.refresh_from_db()
    assert student.credits == 20


def test_a_pseudonym_for_logs_is_stable_and_independent_of_the_login(student: User) -> None:
    before = student.pseudonym
    student.email = "other"
    assert student.pseudonym == before
    assert len(bytes.fromhex(before)) == 4
    assert before not in student.id.hex
    assert before != User.objects.create_user("bob").pseudonym


def test_the_migrations_are_the_models(db: None) -> None:
    call_command("makemigrations", "accounts", check=True, dry_run=True, verbosity=0)
