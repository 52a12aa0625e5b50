"""The student's page and the way in: who sees what, in which language, and that nothing is inline."""

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from accounts.demo import DEMO_STUDENT, ensure_demo_accounts
from accounts.models import User
from answers.curation import add_version
from answers.models import Answer
from streaming import views
from streaming.library_words import WORDS as LIBRARY_WORDS
from streaming.page_words import WORDS
from tests.answers.making import asked, told

PASSWORD = "correct horse battery"
CSRF = "csrftoken"  # the name that the script looks for
CREDENTIALS = {"username": " Ana@School.Example", "password": PASSWORD}


def config(client: Client, path: str = "/", **headers: str) -> dict[str, Any]:
    """Return what the page tells its script."""
    page = client.get(path, headers=headers).content.decode()
    return json.loads(html.unescape(re.search(r'data-page="([^"]*)"', page)[1]))  # type: ignore[index]


def test_signed_out_the_page_is_a_link_to_the_way_in_and_no_script(client: Client, db: None) -> None:
    page = client.get("/", headers={"accept-language": "es-MX,es;q=0.9"}).content.decode()
    assert '<html lang="es">' in page
    assert re.search(r'<a [^>]*href="/login/">Iniciar sesión</a>', page)
    assert "<script" not in page
    assert "data-page" not in page


def test_signed_in_the_page_speaks_the_students_language_and_tells_its_script_what_it_needs(
    client: Client, student: User, settings: Any
) -> None:
    settings.CHUNK_SIZE, settings.CHUNK_DELAY = 30, 0.1
    client.force_login(student)
    response = client.get("/", headers={"accept-language": "en"})
    assert '<html lang="es">' in response.content.decode()
    assert CSRF in response.cookies
    told = config(client)
    assert told.pop("words") == {**WORDS["es"]["page"], "library": LIBRARY_WORDS["es"]}
    assert told.pop("pace") == pytest.approx(300)
    assert told == {
        "language": "es",
        "urls": {
            "token": "/api/token/",
            "me": "/api/me/",
            "explanations": "/api/explanations/",
            "worker": "/sw.js",
            "login": "/login/",
            "index": "/",
        },
        "student": {"id": str(student.pk)},
        "play": None,
    }


@pytest.mark.parametrize("language", WORDS)
def test_the_page_speaks_three_languages(client: Client, student: User, language: str) -> None:
    assert (
        f'<html lang="{language}">'
        in client.get("/", headers={"accept-language": f"{language},fr;q=0.5"}).content.decode()
    )
    User.objects.update(language=language)
    client.force_login(student)
    assert config(client, **{"accept-language": "en"})["language"] == language


def test_all_languages_say_the_same_things() -> None:
    for words in (WORDS, {name: said["page"] for name, said in WORDS.items()}, LIBRARY_WORDS):
        assert set(words) == {"es", "en", "pt"}
        assert words["es"].keys() == words["en"].keys() == words["pt"].keys()
    gaps = {
        str({name: re.findall(r"{\w+}", said) for name, said in w.items()}) for w in LIBRARY_WORDS.values()
    }
    assert len(gaps) == 1


def test_the_page_is_for_its_student_alone(client: Client, student: User) -> None:
    client.force_login(student)
    response = client.get("/")
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in response.headers["Vary"]


def test_nothing_is_inline(client: Client, student: User) -> None:
    """A strict content security policy can be turned on without touching the pages."""
    client.force_login(student)
    for page in (client.get("/").content.decode(), Client().get("/login/").content.decode()):
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", page)


def test_examples_are_the_latest_curated_questions_in_the_language_of_the_page(
    client: Client, student: User
) -> None:
    for n in range(views.EXAMPLES + 1):
        add_version(asked(f"¿Qué es la prueba número {n} & <b>?"), told())
    add_version(asked("What is a test?", language="en"), told())
    add_version(asked("¿Qué es una prueba de nivel?", level="primaria"), told())
    Answer.objects.filter(question_text__contains="número 3").update(source=Answer.Source.MODEL)
    client.force_login(student)
    response = client.get("/")
    expected = [f"¿Qué es la prueba número {n} & <b>?" for n in (4, 2, 1, 0)]
    assert response.context["examples"] == expected
    assert 'value="¿Qué es la prueba número 4 &amp; &lt;b&gt;?"' in response.content.decode()


def test_while_debugging_the_page_opens_as_the_demo_student(client: Client, db: None, settings: Any) -> None:
    settings.DEBUG = True
    assert "<script" not in client.get("/").content.decode()  # nobody has made the account
    ensure_demo_accounts()
    assert DEMO_STUDENT in client.get("/").content.decode()
    assert client.get("/api/me/").json()["email"] == DEMO_STUDENT
    settings.DEBUG = False
    assert DEMO_STUDENT not in Client().get("/").content.decode()


def test_a_student_signs_in_gets_a_token_and_signs_out(student: User) -> None:
    client = Client(enforce_csrf_checks=True)

    def post(path: str, data: dict[str, str]) -> int:
        csrf = client.cookies[CSRF].value
        return client.post(path, data | {"csrfmiddlewaretoken": csrf}).status_code

    assert client.get("/login/").status_code == 200
    assert post("/login/", CREDENTIALS) == 302
    client.get("/")
    csrf = client.cookies[CSRF].value
    token = client.post("/api/token/", "", "application/json", headers={"x-csrftoken": csrf})
    assert set(token.json()) == {"access", "refresh"}
    assert client.post("/api/token/", "", "application/json").status_code == 403
    assert post("/logout/", {}) == 302
    assert "sessionid" not in client.cookies or not client.cookies["sessionid"].value


def test_signing_in_leads_back_to_our_own_pages_only(client: Client, student: User) -> None:
    response = client.post("/login/", CREDENTIALS | {"next": "https://elsewhere.example/"})
    assert response.headers["Location"] == "/"


@pytest.mark.parametrize("username", ["ana@school.example", "nobody", "a\0b", ""])
def test_a_wrong_password_is_refused_in_words(client: Client, student: User, username: str) -> None:
    response = client.post("/login/", {"username": username, "password": "wrong"})
    assert response.status_code == 200
    assert re.search(r'<p role="alert">[^<]{10,}', response.content.decode())
    assert "sessionid" not in response.cookies


def test_guessing_meets_one_limit_here_and_where_passwords_are_traded_for_tokens(
    client: Client, db: None
) -> None:
    email = "guessed@school.example"  # attempts are counted by e-mail, so this one is for this test alone
    User.objects.create_user(email, PASSWORD)
    for _ in range(10):
        client.post("/login/", {"username": email, "password": "wrong"})
    right = {"username": email, "password": PASSWORD}
    page = client.post("/login/", right, headers={"accept-language": "es"}).content.decode()
    assert WORDS["es"]["too_many_attempts"] in page
    token = client.post(
        "/api/token/", {"email": email, "password": PASSWORD}, content_type="application/json"
    )
    assert token.status_code == 429
