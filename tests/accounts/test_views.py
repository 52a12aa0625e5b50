"""The HTTP side: tokens for a password, a session or an older token; who I am; no 500 for what is sent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts import views
from accounts.limits import LoginAttempts
from accounts.models import User
from accounts.tokens import access_token, token_pair, user_for

PASSWORD = "correct horse battery"
TOKEN, REFRESH, ME = "/api/token/", "/api/token/refresh/", "/api/me/"


@pytest.fixture(autouse=True)
def no_attempts_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(views, "login_attempts", LoginAttempts())
    yield


def post(client: Client, path: str, body: Any = "", **extra: Any) -> tuple[int, dict[str, Any]]:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    response = client.post(path, text, content_type="application/json", **extra)
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, response.json()


def bearer(token: str) -> dict[str, Any]:
    return {"headers": {"authorization": f"Bearer {token}"}}


def test_the_right_password_gets_a_pair_of_tokens(client: Client, student: User) -> None:
    status, pair = post(client, TOKEN, {"email": " Ana@School.Example", "password": PASSWORD})
    assert status == 200
    assert set(pair) == {"access", "refresh"}
    assert user_for(pair["access"]).user_id == str(student.id)
    student.refresh_from_db()
    assert student.last_login is not None


@pytest.mark.parametrize(
    ("email", "password", "active"),
    [
        ("ana@school.example", "wrong", True),
        ("ana@school.example", f" {PASSWORD}", True),
        ("nobody", PASSWORD, True),
        ("ana@school.example", PASSWORD, False),
    ],
)
def test_anything_else_is_unauthorized_and_tells_nothing(
    client: Client, student: User, email: str, password: str, active: bool
) -> None:
    User.objects.update(is_active=active)
    response = client.post(TOKEN, {"email": email, "password": password}, content_type="application/json")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert response.json() == {
        "code": "unauthorized",
        "message": "Please sign in again: these credentials are not valid.",
    }


@pytest.mark.django_db
def test_a_student_without_a_password_cannot_log_in_with_an_empty_one(client: Client) -> None:
    User.objects.create_user("bob")
    assert post(client, TOKEN, {"email": "bob", "password": ""})[0] == 400
    assert post(client, TOKEN, {"email": "bob", "password": "!"})[0] == 401


BAD_BODIES: list[Any] = [
    "",
    "{}",
    "[]",
    "null",
    "0",
    "true",
    '"text"',
    "{",
    "nonsense",
    b"\xff\xfe",
    b'{"email": "\xff"}',
    '{"email": NaN}',
    '{"email": 1' + "0" * 5000 + "}",
    "[" * 8000,
    '{"a":' * 3000 + "1" + "}" * 3000,
    json.dumps({"email": "x" * 20_000}),
    {"email": "ana"},
    {"password": "x"},
    {"email": None, "password": None},
    {"email": ["ana"], "password": {"x": 1}},
    {"email": True, "password": False},
    {"email": "", "password": ""},
    {"email": "a\x00b", "password": "x"},
    {"email": "\ud800", "password": "x"},
    {"email": "ana", "password": "\udfff"},
    {"email": "a" * 255, "password": "x"},
    {"email": "ana", "password": "x" * 1025},
    [{"email": "ana", "password": "x"}],
    {"refresh": None},
    {"refresh": ["x"]},
    {"refresh": {"refresh": "x"}},
    {"refresh": True},
    {"refresh": ""},
    {"refresh": "a\x00"},
    {"refresh": "\ud800"},
]


@pytest.mark.django_db
@pytest.mark.parametrize("path", [TOKEN, REFRESH])
@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: repr(body)[:40])
def test_a_body_that_makes_no_sense_is_invalid_payload(client: Client, path: str, body: Any) -> None:
    status, refusal = post(client, path, body)
    assert status == 400
    assert refusal["code"] == "invalid_payload"
    assert refusal["message"]
    assert set(refusal) == {"code", "message"}


def test_a_large_body_is_not_read_to_its_end(client: Client, db: None) -> None:
    body = {"email": "ana", "password": "x", "note": "x" * 20_000}
    assert post(client, TOKEN, body)[1]["message"] == "The request is too large."


def test_what_is_missing_is_named(client: Client, db: None) -> None:
    message = post(client, TOKEN, {"email": "ana"})[1]["message"]
    assert message == "password: This field is required."


@pytest.mark.parametrize(
    ("method", "path", "status"), [("get", TOKEN, 405), ("put", REFRESH, 405), ("post", ME, 401)]
)
def test_other_methods_are_refused_in_the_same_form(
    client: Client, db: None, method: str, path: str, status: int
) -> None:
    response = getattr(client, method)(path)
    assert response.status_code == status
    assert set(response.json()) == {"code", "message"}


def test_only_json_is_read(client: Client, db: None) -> None:
    response = client.post(TOKEN, {"email": "ana", "password": "x"})
    assert (response.status_code, response.json()["code"]) == (415, "invalid_payload")


def test_too_many_wrong_passwords_have_to_wait(client: Client, student: User) -> None:
    wrong = {"email": "ana@school.example", "password": "wrong"}
    for spelling in ("ANA@school.example", "ana@school.example ") * 5:
        assert post(client, TOKEN, {**wrong, "email": spelling})[0] == 401
    response = client.post(TOKEN, {**wrong, "password": PASSWORD}, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
    assert 0 < response.json()["retry_after"] <= 60
    assert response.headers["Retry-After"] == str(response.json()["retry_after"])
    elsewhere = {**wrong, "password": PASSWORD}
    assert post(client, TOKEN, elsewhere, REMOTE_ADDR="10.1.1.1")[0] == 200


def test_a_refresh_token_is_exchanged_once(client: Client, student: User) -> None:
    old = token_pair(student)
    status, new = post(client, REFRESH, {"refresh": old["refresh"]})
    assert status == 200
    assert user_for(new["access"]).user_id == str(student.id)
    status, refusal = post(client, REFRESH, {"refresh": old["refresh"]})
    assert (status, refusal["code"]) == (401, "unauthorized")
    assert post(client, REFRESH, {"refresh": new["refresh"]})[0] == 200


@pytest.mark.parametrize("token", ["x", "a.b.c", "é", 7, "x" * 10_000])
def test_a_refresh_token_that_is_none_is_unauthorized(client: Client, db: None, token: object) -> None:
    assert post(client, REFRESH, {"refresh": token})[0] == 401


class TestSession:
    """A signed-in Django session gets tokens without a body, and only from our own pages."""

    @pytest.fixture
    def browser(self, student: User) -> Client:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(student)
        return browser

    @pytest.mark.parametrize("body", ["", "{}"])
    def test_with_the_csrf_token_it_gets_a_pair(self, browser: Client, student: User, body: str) -> None:
        browser.get("/admin/login/")
        browser.cookies["csrftoken"] = "c" * 32
        status, pair = post(browser, TOKEN, body, headers={"x-csrftoken": "c" * 32})
        assert status == 200
        assert user_for(pair["access"]).user_id == str(student.id)

    @pytest.mark.parametrize("header", [{}, {"x-csrftoken": "d" * 32}])
    def test_without_the_right_csrf_token_it_gets_none(self, browser: Client, header: dict[str, str]) -> None:
        browser.cookies["csrftoken"] = "c" * 32
        status, refusal = post(browser, TOKEN, "", headers=header)
        assert (status, refusal["code"]) == (403, "unauthorized")
        assert "CSRF" in refusal["message"]

    def test_a_password_works_beside_a_session_without_a_csrf_token(self, browser: Client) -> None:
        assert post(browser, TOKEN, {"email": "ana@school.example", "password": PASSWORD})[0] == 200

    def test_a_session_of_a_user_who_was_turned_off_gets_none(self, browser: Client) -> None:
        User.objects.update(is_active=False)
        assert post(browser, TOKEN)[0] == 400
        assert browser.get(ME).status_code == 401

    def test_it_says_who_i_am(self, browser: Client, student: User) -> None:
        assert browser.get(ME).json()["id"] == str(student.id)


def test_a_token_says_who_i_am(client: Client, student: User) -> None:
    response = client.get(ME, **bearer(access_token(student)))
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json() == {
        "id": str(student.id),
        "email": "ana@school.example",
        "language": "es",
        "credits": 20,
    }


class TestLanguage:
    def say(self, client: Client, body: Any, **extra: Any) -> Any:
        return client.patch(ME, json.dumps(body), content_type="application/json", **extra)

    @pytest.mark.parametrize("language", ["es", "en", "pt"])
    def test_i_choose_what_i_am_spoken_to_in(self, client: Client, student: User, language: str) -> None:
        response = self.say(client, {"language": language, "credits": 999}, **bearer(access_token(student)))
        assert response.json() == client.get(ME, **bearer(access_token(student))).json()
        assert (response.json()["language"], response.json()["credits"]) == (language, 20)

    @pytest.mark.parametrize(
        "body", [{}, {"language": "fr"}, {"language": ["es"]}, {"language": None}, [], 7]
    )
    def test_a_language_that_is_none_is_refused(self, client: Client, student: User, body: Any) -> None:
        client.force_login(student)
        response = self.say(client, body)
        assert (response.status_code, response.json()["code"]) == (400, "invalid_payload")

    def test_another_site_cannot_choose_it(self, student: User) -> None:
        browser = Client(enforce_csrf_checks=True)
        assert self.say(browser, {"language": "en"}).status_code == 401
        browser.force_login(student)
        assert self.say(browser, {"language": "en"}).status_code == 403


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Bearer a b", "Basic YTpi", "Bearer \xff", "Bearer " + "x" * 9000]
)
def test_without_a_genuine_token_nobody_is_anyone(client: Client, db: None, header: str) -> None:
    response = client.get(ME, headers={"authorization": header})
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_an_expired_token_says_that_it_expired(
    client: Client, student: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rest_framework_simplejwt.tokens import AccessToken

    token = AccessToken.for_user(student)
    token["exp"] = 1_000_000_000
    response = client.get(ME, **bearer(str(token)))
    assert (response.status_code, response.json()["code"]) == (401, "token_expired")


def test_a_refresh_token_is_not_let_in(client: Client, student: User) -> None:
    assert client.get(ME, **bearer(token_pair(student)["refresh"])).status_code == 401


def test_a_wrong_token_is_not_rescued_by_a_session(client: Client, student: User) -> None:
    client.force_login(student)
    assert client.get(ME, **bearer("x")).status_code == 401


def test_our_own_mistakes_are_not_dressed_up_as_refusals(
    client: Client, student: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "user_of", lambda claims: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        client.get(ME, **bearer(access_token(student)))
