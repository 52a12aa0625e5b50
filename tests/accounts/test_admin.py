"""Users in the administration: found, added, changed, their passwords handled by Django."""

import pytest
from django.test import Client

from accounts.models import User

URL = "/admin/accounts/user/"


@pytest.fixture
def editor(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("root", "correct horse battery"))
    return client


def test_a_user_is_found_by_any_spelling_and_by_filters(editor: Client, student: User) -> None:
    User.objects.create_user("bob", language="en")
    for query in ("q=ANA", "language__exact=es&is_staff__exact=0", "q=School.Example&is_active__exact=1"):
        page = editor.get(f"{URL}?{query}").content.decode()
        assert "ana@school.example" in page
        assert ">bob<" not in page


def test_a_user_is_added_with_a_password(editor: Client) -> None:
    form = {
        "email": "Bob",
        "language": "en",
        "credits": "3",
        "usable_password": "true",
        "password1": "correct horse battery",
        "password2": "correct horse battery",
    }
    assert editor.get(f"{URL}add/").status_code == 200
    assert "already exists" in editor.post(f"{URL}add/", {**form, "email": "ROOT"}).content.decode()
    assert editor.post(f"{URL}add/", {**form, "password2": "other"}).status_code == 200
    assert editor.post(f"{URL}add/", form).status_code == 302
    bob = User.objects.get(email="bob")
    assert (bob.language, bob.credits, bob.is_staff) == ("en", 3, False)
    assert bob.check_password("correct horse battery")


def test_a_user_is_added_without_a_password(editor: Client) -> None:
    form = {"email": "bob", "language": "es", "credits": "20", "usable_password": "false"}
    assert editor.post(f"{URL}add/", form).status_code == 302
    assert not User.objects.get(email="bob").has_usable_password()


def test_a_user_is_changed_and_keeps_the_password(editor: Client, student: User) -> None:
    page = editor.get(f"{URL}{student.id}/change/").content.decode()
    assert student.pseudonym in page
    form = {"email": "Ana2", "language": "pt", "credits": "5", "is_active": "on"}
    assert editor.post(f"{URL}{student.id}/change/", form).status_code == 302
    student.refresh_from_db()
    assert (student.email, student.language, student.credits) == ("ana2", "pt", 5)
    assert student.check_password("correct horse battery")
    refused = editor.post(f"{URL}{student.id}/change/", {**form, "credits": "-1", "email": "a b"})
    assert set(refused.context["adminform"].form.errors) == {"credits", "email"}


def test_a_password_is_changed_by_djangos_form(editor: Client, student: User) -> None:
    form = {"usable_password": "true", "password1": "another good one", "password2": "another good one"}
    assert editor.post(f"{URL}{student.id}/password/", form).status_code == 302
    student.refresh_from_db()
    assert student.check_password("another good one")


def test_an_editor_signs_in_by_any_spelling(client: Client, db: None) -> None:
    User.objects.create_superuser("Root@School.example", "correct horse battery")
    form = {"username": "ROOT@school.example", "password": "correct horse battery"}
    assert client.post("/admin/login/?next=/admin/", form).status_code == 302


def test_no_page_lists_tokens(editor: Client) -> None:
    assert "token_blacklist" not in editor.get("/admin/").content.decode()
