"""A student's own explanations over HTTP: listed, replayed without a connection, remarked on and removed."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.tokens import access_token
from answers import listening, remarks
from answers.curation import add_version, publish, retire, revise
from answers.models import Answer, Listening, Remark
from answers.schema import read_explanation
from tests.answers.making import asked, at_once, generated, steps, told

EXPLANATIONS = "/api/explanations/"
NOW = timezone.now()


@pytest.fixture
def browser(client: Client, student: User) -> Client:
    client.force_login(student)
    return client


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_user("bob", language="en")


def heard(student: User, answer: Answer | None = None, minutes_ago: float = 0, **changes: Any) -> str:
    """Return the session in which a student has begun to hear an answer."""
    session_id = str(uuid.uuid4())
    values: dict[str, Any] = {
        "session_id": session_id,
        "user_id": student.pk,
        "question_text": answer.question_text if answer else "¿Qué es?",
        "question_hash": answer.question_hash if answer else "0" * 64,
        "answer_id": answer.pk if answer else None,
        "draft_id": None,
        "cached": answer is not None,
        "state": "paused",
        "step": 1,
        "position": 0,
        "speed": 1.0,
        "pauses": 0,
        "played_seconds": 1.0,
        "created_at": NOW - timedelta(minutes=minutes_ago),
    }
    listening.record(**values | changes)
    return session_id


def two_steps() -> Answer:
    """Return an answer whose steps have 19 code points, beyond the basic plane too, and 4."""
    told_steps = [*steps("Es una interacción😀."), *steps("Fin.")]
    return add_version(asked(), read_explanation({"answer_steps": told_steps, "total_duration": 60}))


def refused(response: Any, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert set(response.json()) == {"code", "message"}
    assert response.json()["message"]
    assert response.headers["Cache-Control"] == "no-store"


def remark(client: Client, session_id: str, **said: Any) -> Any:
    return client.post(f"{EXPLANATIONS}{session_id}/remarks/", json.dumps(said), "application/json")


class TestList:
    def test_tells_of_each_how_far_it_was_heard_and_how_it_can_be_reached(
        self, browser: Client, student: User
    ) -> None:
        answer = two_steps()
        session = heard(student, answer, step=1, position=10)
        response = browser.get(EXPLANATIONS)
        assert response.headers["Cache-Control"] == "private, no-cache"
        (entry,) = response.json()
        assert entry == {
            "session_id": session,
            "question": "¿Qué es la fuerza?",
            "answer_id": str(answer.pk),
            "state": "paused",
            "step": 1,
            "position": 10,
            "total_steps": 2,
            "heard": 0.25,
            "created_at": NOW.isoformat().replace("+00:00", "Z"),
            "updated_at": entry["updated_at"],
            "clear": None,
            "link": f"/answers/{answer.pk}/",
        }

    @pytest.mark.parametrize(
        ("place", "expected"),
        [
            ({"step": 1, "position": 0}, 0),
            ({"step": 1, "position": 20}, 0.5),
            ({"step": 2, "position": 2}, 0.75),
            ({"step": 2, "position": 4, "state": "complete"}, 1),
            ({"step": 9, "position": 20_000}, 1),
        ],
    )
    def test_heard_counts_code_points_and_weighs_steps_the_same(
        self, browser: Client, student: User, place: dict[str, Any], expected: float
    ) -> None:
        heard(student, two_steps(), **place)
        assert browser.get(EXPLANATIONS).json()[0]["heard"] == expected

    def test_what_has_no_stored_answer_is_listed_too(self, browser: Client, student: User) -> None:
        session = heard(student, draft_id=uuid.uuid4(), position=7)
        (entry,) = browser.get(EXPLANATIONS).json()
        assert (entry["answer_id"], entry["total_steps"], entry["heard"]) == (None, None, None)
        assert entry["link"] == f"/explanations/{session}/"

    def test_an_answer_for_one_student_alone_is_reached_by_the_students_own_address(
        self, browser: Client, student: User
    ) -> None:
        question = asked(asker=student.pk, hobby="fútbol")
        session = heard(student, generated(question, student.pk))
        assert browser.get(EXPLANATIONS).json()[0]["link"] == f"/explanations/{session}/"

    def test_is_newest_first_in_pages_and_ones_own(self, browser: Client, student: User, other: User) -> None:
        sessions = [heard(student, minutes_ago=n) for n in range(35)]
        heard(other)
        first = browser.get(EXPLANATIONS).json()
        rest = browser.get(EXPLANATIONS, {"before": first[-1]["created_at"]}).json()
        assert [entry["session_id"] for entry in first + rest] == sessions
        assert len(first) == 30

    def test_takes_a_bounded_number_of_queries(self, browser: Client, student: User) -> None:
        answer = two_steps()
        for n in range(30):
            remark(browser, heard(student, answer, minutes_ago=n), kind="clear")
        with CaptureQueriesContext(connection) as queries:
            assert len(browser.get(EXPLANATIONS).json()) == 30
        assert len(queries) == 3  # the session, the student, the list
        assert "IN (SELECT" in queries[-1]["sql"], "steps are counted of what is shown alone"

    @pytest.mark.parametrize(
        "before", ["yesterday", "1", "2026-13-01T00:00:00Z", "\0", "0001-01-01T00:00:00+14:00", "9" * 99]
    )
    def test_a_place_to_begin_that_is_none_is_refused(self, browser: Client, before: str) -> None:
        refused(browser.get(EXPLANATIONS, {"before": before}), 400, "invalid_payload")


class TestDocument:
    def test_has_what_the_events_would_bring(self, browser: Client, student: User) -> None:
        answer = two_steps()
        session = heard(student, answer)
        response = browser.get(f"{EXPLANATIONS}{session}/")
        assert response.headers["Cache-Control"] == "private, no-cache"
        document = response.json()
        told_steps = document.pop("steps")
        assert document == {
            "session_id": session,
            "question": "¿Qué es la fuerza?",
            "question_hash": answer.question_hash,
            "answer_id": str(answer.pk),
            "language": "es",
            "total_steps": 2,
        }
        assert told_steps[1]["content"] == "Fin."
        assert set(told_steps[1]) == {"title", "type", "content", "canvas_commands"}
        assert told_steps[0]["canvas_commands"][0]["alt"] == "F"

    def test_has_the_points_of_a_curve(self, browser: Client, student: User) -> None:
        axes = {"op": "axes", "id": "g", "x": 0, "y": 0, "w": 400, "h": 300, "xr": [0, 2], "yr": [0, 4]}
        parts = ["Mira.", axes, {"op": "plot", "id": "f", "in": "g", "expr": "x^2"}]
        told_steps = [{"title": "Curva", "type": "image", "parts": parts}]
        answer = add_version(asked(), read_explanation({"answer_steps": told_steps, "total_duration": 9}))
        (step,) = browser.get(f"{EXPLANATIONS}{heard(student, answer)}/").json()["steps"]
        points = step["canvas_commands"][1]["points"]
        assert (points[0], points[-1]) == ([0, 0], [2, 4])

    def test_is_not_sent_again_to_who_has_it(self, browser: Client, student: User) -> None:
        path = f"{EXPLANATIONS}{heard(student, two_steps())}/"
        tag = browser.get(path).headers["ETag"]
        again = browser.get(path, headers={"if-none-match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert browser.get(path, headers={"if-none-match": '"x"'}).status_code == 200

    def test_stays_the_version_that_was_heard(self, browser: Client, student: User) -> None:
        answer = two_steps()
        path = f"{EXPLANATIONS}{heard(student, answer)}/"
        revise(answer, told("Otra."), published=True)
        assert browser.get(path).json()["answer_id"] == str(answer.pk)

    def test_of_one_that_is_being_written_is_refused_in_the_students_language(
        self, browser: Client, student: User
    ) -> None:
        response = browser.get(f"{EXPLANATIONS}{heard(student, draft_id=uuid.uuid4())}/")
        refused(response, 409, "not_written")
        assert response.json()["message"] == "Esta explicación (todavía) no tiene una respuesta guardada."


class TestRemarks:
    def test_of_clear_and_not_clear_the_last_holds(self, browser: Client, student: User) -> None:
        session = heard(student, two_steps())
        for kind in ("clear", "unclear"):
            assert remark(browser, session, kind=kind).status_code == 204
            assert browser.get(EXPLANATIONS).json()[0]["clear"] is (kind == "clear")
        assert Remark.objects.count() == 1

    def test_what_is_wrong_is_kept_with_its_place_and_its_answer(
        self, browser: Client, student: User
    ) -> None:
        answer = two_steps()
        session = heard(student, answer)
        assert remark(browser, session, kind="wrong", step=2, position=3, text="No es 4 😀").content == b""
        assert remark(browser, session, kind="wrong").status_code == 204
        columns = ("listening__answer", "step", "position", "text")
        kept = Remark.objects.order_by("id").values_list(*columns)[0]
        assert kept == (answer.pk, 2, 3, "No es 4 😀")
        assert browser.get(EXPLANATIONS).json()[0]["clear"] is None

    def test_what_is_wrong_can_be_said_so_often(
        self, browser: Client, student: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(remarks, "MAX_WRONG", 2)
        session = heard(student, two_steps())
        for _ in range(2):
            remark(browser, session, kind="wrong")
        refused(remark(browser, session, kind="wrong"), 429, "rate_limited")
        assert remark(browser, session, kind="clear").status_code == 204
        assert remark(browser, heard(student), kind="wrong").status_code == 204

    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"kind": "nonsense"},
            {"kind": ["clear"]},
            {"kind": None},
            {"kind": "wrong", "step": 0},
            {"kind": "wrong", "step": 31},
            {"kind": "wrong", "step": "one"},
            {"kind": "wrong", "position": -1},
            {"kind": "wrong", "position": 1e9},
            {"kind": "wrong", "text": "x" * 501},
            {"kind": "wrong", "text": "a\0b"},
            {"kind": "wrong", "text": "\ud800"},
            {"kind": "wrong", "text": {"a": 1}},
        ],
    )
    def test_a_remark_that_is_none_is_refused(
        self, browser: Client, student: User, said: dict[str, Any]
    ) -> None:
        refused(remark(browser, heard(student), **said), 400, "invalid_payload")
        assert not Remark.objects.exists()

    @pytest.mark.parametrize("body", ["", "{", "[]", "7", "[" * 5000, f'{{"x": "{"x" * 20_000}"}}'])
    def test_a_body_that_makes_no_sense_is_refused(self, browser: Client, student: User, body: str) -> None:
        path = f"{EXPLANATIONS}{heard(student)}/remarks/"
        refused(browser.post(path, body, "application/json"), 400, "invalid_payload")

    @pytest.mark.django_db(transaction=True)
    def test_many_who_say_it_at_once_leave_one_verdict(self, student: User) -> None:
        session = uuid.UUID(heard(student, two_steps()))
        kinds = ["clear", "unclear"] * 3
        calls = [lambda k=kind: remarks.add_remark(session, student.pk, k) for kind in kinds]
        assert at_once(*calls) == [True] * 6
        assert Remark.objects.count() == 1


class TestRemoval:
    def test_takes_it_from_the_list_for_good_and_leaves_it_to_editors(
        self, browser: Client, student: User
    ) -> None:
        session = heard(student, two_steps())
        path = f"{EXPLANATIONS}{session}/"
        remark(browser, session, kind="wrong", text="mal")
        assert browser.delete(path).status_code == 204
        heard(student, session_id=session, position=5)  # it was still playing
        assert browser.get(EXPLANATIONS).json() == []
        assert listening.latest_unfinished(student.pk) is None
        refused(browser.get(path), 404, "no_active_session")
        refused(browser.delete(path), 404, "no_active_session")
        refused(remark(browser, session, kind="clear"), 404, "no_active_session")
        assert browser.get(f"/explanations/{session}/").status_code == 404
        assert Remark.objects.values_list("listening__position", "text").get() == (5, "mal")

    def test_with_the_account_everything_that_was_said_goes(self, browser: Client, student: User) -> None:
        session = heard(student, two_steps())
        remark(browser, session, kind="wrong", text="mal")
        student.delete()
        assert not Remark.objects.exists()
        assert not Listening.objects.exists()


REQUESTS = [("get", ""), ("delete", ""), ("post", "remarks/")]
SOME = uuid.uuid4()


@pytest.mark.parametrize(("method", "path"), REQUESTS)
@pytest.mark.parametrize("session", ["another's", str(uuid.UUID(int=1)), "none", "%00", "é"])
def test_another_students_explanation_looks_like_one_that_there_is_not(
    browser: Client, other: User, method: str, path: str, session: str
) -> None:
    theirs = heard(other, two_steps())
    session = theirs if session == "another's" else session
    body = {"data": '{"kind": "wrong"}', "content_type": "application/json"} if method == "post" else {}
    refused(getattr(browser, method)(f"{EXPLANATIONS}{session}/{path}", **body), 404, "no_active_session")
    assert Listening.objects.count() == 1
    assert not Remark.objects.exists()


@pytest.mark.parametrize(("method", "path"), [("get", ""), *((m, f"{SOME}/{p}") for m, p in REQUESTS)])
def test_signed_out_nothing_is_told(client: Client, db: None, method: str, path: str) -> None:
    refused(getattr(client, method)(EXPLANATIONS + path), 401, "unauthorized")


def test_a_token_opens_what_a_session_opens(client: Client, student: User) -> None:
    session = heard(student, two_steps())
    bearer = {"headers": {"authorization": f"Bearer {access_token(student)}"}}
    assert len(client.get(EXPLANATIONS, **bearer).json()) == 1
    assert client.delete(f"{EXPLANATIONS}{session}/", **bearer).status_code == 204
    refused(client.get(EXPLANATIONS, headers={"authorization": "Bearer x"}), 401, "unauthorized")


def test_what_changes_something_is_checked_against_forgery(student: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(student)
    session = heard(student, two_steps())
    refused(browser.delete(f"{EXPLANATIONS}{session}/"), 403, "unauthorized")
    refused(remark(browser, session, kind="clear"), 403, "unauthorized")


class TestPages:
    def play(self, client: Client, path: str) -> Any:
        response = client.get(path)
        assert response.status_code == 200
        return json.loads(response.context["config"])["play"]

    def test_ones_own_explanation_has_an_address(self, browser: Client, student: User, other: User) -> None:
        session = heard(student)
        assert self.play(browser, f"/explanations/{session}/") == {"session_id": session}
        for unknown in (heard(other), uuid.uuid4()):
            assert browser.get(f"/explanations/{unknown}/").status_code == 404

    def test_the_address_of_an_answer_asks_its_question(self, browser: Client) -> None:
        answer = add_version(asked(subject="física"), told())
        context = {"language": "es", "subject": "física"}
        expected = {"question": "¿Qué es la fuerza?", "context": context}
        assert self.play(browser, f"/answers/{answer.pk}/") == expected
        revise(answer, told("Otra."), published=True)
        assert self.play(browser, f"/answers/{answer.pk}/") == expected
        for version in Answer.objects.all():
            retire(version)
        assert browser.get(f"/answers/{answer.pk}/").status_code == 404

    def test_only_answers_that_everybody_is_served_have_one(
        self, browser: Client, student: User, settings: Any
    ) -> None:
        private = generated(asked(asker=student.pk, hobby="fútbol"), student.pk)
        answer = generated(asked(), student.pk)
        assert browser.get(f"/answers/{private.pk}/").status_code == 404
        assert browser.get(f"/answers/{answer.pk}/").status_code == 200
        settings.SERVE_UNREVIEWED = False
        assert browser.get(f"/answers/{answer.pk}/").status_code == 404
        publish(answer)
        assert browser.get(f"/answers/{answer.pk}/").status_code == 200

    def test_that_of_an_answer_for_one_student_alone_leads_to_where_it_was_heard(
        self, browser: Client, student: User, other: User
    ) -> None:
        answer = generated(asked(asker=student.pk, hobby="fútbol"), student.pk)
        heard(other, answer)
        assert browser.get(f"/answers/{answer.pk}/").status_code == 404
        session = heard(student, answer)
        assert browser.get(f"/answers/{answer.pk}/").headers["Location"] == f"/explanations/{session}/"

    @pytest.mark.parametrize("path", ["/explanations/", "/answers/"])
    def test_signed_out_it_leads_through_the_way_in(self, client: Client, db: None, path: str) -> None:
        address = f"{path}{uuid.uuid4()}/"
        assert client.get(address).headers["Location"] == f"/login/?next={address}"
