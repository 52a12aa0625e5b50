"""Curation in the administration: found, read, corrected, published, retired; and what students said."""

import json
import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from answers import curation, listening
from answers.curation import Status
from answers.models import Alias, Answer, Listening, Remark
from answers.remarks import add_remark
from tests.answers.making import asked, generated, steps, told

URL = "/admin/answers/"


@pytest.fixture
def editor(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("root", "correct horse battery"))
    return client


def page(client: Client, path: str, **form: Any) -> str:
    response = client.post(URL + path, form, follow=True) if form else client.get(URL + path)
    assert response.status_code == 200
    return response.content.decode()


def form(content: str | list[Any], serve: str = "published", **changes: str) -> dict[str, str]:
    """Return what an editor sends; `content` as one step's, or the steps themselves."""
    told_steps = steps(content) if isinstance(content, str) else content
    return {"answer_steps": json.dumps(told_steps), "total_duration": "60", "serve": serve} | changes


def question(**changes: str) -> dict[str, str]:
    return {"question_text": "¿Qué es la fuerza?", "language": "es", "subject": "", "level": ""} | changes


def shown(html: str) -> set[str]:
    return set(re.findall(r'/answer/[^"]*/change/[^"]*">([^<]*)</a>', html))


def test_answers_are_found_by_their_question_and_by_filters(editor: Client, student: User) -> None:
    curation.add_version(asked(subject="física"), told())
    generated(asked("What is " + "very " * 30 + "long?", language="en"), student.id)
    long = "What is " + "very " * 14 + "ve"
    every = shown(page(editor, "answer/"))
    assert {text[:70] for text in every} == {"¿Qué es la fuerza?", long[:70]}
    assert max(map(len, every)) == 80
    for query in ("q=la+fuerza", "status=published&source=curated", "language=es&subject=física"):
        assert shown(page(editor, f"answer/?{query}")) == {"¿Qué es la fuerza?"}
    assert len(shown(page(editor, "answer/?reviewed_at__isempty=1"))) == 1
    assert '<td class="field-steps">1</td>' in page(
        editor, f"answer/?created_at__year={timezone.now().year}&o=7"
    )


def test_an_answer_can_be_read(editor: Client) -> None:
    answer = curation.add_version(asked(), told("<b>Una</b>\n\notra"))
    html = page(editor, f"answer/{answer.pk}/change/")
    assert "<h3>1. Idea (text)</h3>" in html
    assert "<p>&lt;b&gt;Una&lt;/b&gt;</p>" in html
    assert "<pre>{&quot;op&quot;: &quot;text&quot;" in html


def test_saving_a_changed_answer_makes_a_version_and_shows_it(editor: Client) -> None:
    answer = curation.add_version(asked(), told("Uno."))
    path = f"answer/{answer.pk}/change/"
    assert page(editor, path, **form("Uno."))
    assert Answer.objects.count() == 1
    html = page(editor, path, **form("Dos."), _continue="1")
    version = Answer.objects.get(status="published")
    assert version.answer_steps == steps("Dos.")
    assert "<p>Dos.</p>" in html
    history = re.findall(r'answer/([^/"]*)/change/">[^<]*, curated</a>', html)
    assert history == [str(version.pk), str(answer.pk)]
    answer.refresh_from_db()
    assert (answer.status, answer.answer_steps) == ("retired", steps("Uno."))
    assert page(editor, path, **form("Uno."))  # the old one again
    assert Answer.objects.get(status="published").pk == answer.pk


@pytest.mark.parametrize("serve", ["draft", "published"])
def test_a_draft_is_edited_and_published_through_the_form(editor: Client, serve: str) -> None:
    draft = curation.add_version(asked(), told("Uno."), Status.DRAFT)
    page(editor, f"answer/{draft.pk}/change/", **form("Dos.", serve))
    assert Answer.objects.values_list("pk", "status").get() == (draft.pk, serve)


def test_a_new_answer_may_be_written_in_telling_order(editor: Client) -> None:
    assert page(editor, "answer/add/")
    step = {"title": "Idea", "type": "text", "parts": ["Es", steps()[0]["canvas_commands"][0], " una."]}
    del step["parts"][1]["at"]
    page(editor, "answer/add/", **form([step]), **question(subject=" Física "))
    answer = Answer.objects.get()
    assert (answer.status, answer.subject, answer.answer_steps) == ("published", "física", steps("Es una."))


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ('[{"title": "á",]', "not JSON: Expecting property name"),
        ('[{"title": "á", "type": "text", "content": ""}, {}]', "answer_steps[1].title: Field required"),
        ("[" * 5000, "nested too deeply"),
        ('[{"title": "á", "title": "b"}]', "the key “title” stands twice"),
    ],
)
@pytest.mark.parametrize("adding", [True, False])
def test_what_is_wrong_is_told_at_its_field_and_the_text_is_kept(
    editor: Client, adding: bool, written: str, problem: str
) -> None:
    path, rest = "answer/add/", question()
    if not adding:
        path, rest = f"answer/{curation.add_version(asked(), told()).pk}/change/", {}
    html = page(editor, path, **form("", answer_steps=written), **rest)
    assert written.replace('"', "&quot;") in html
    errors, _, _rest = html.partition('name="answer_steps"')
    assert problem in errors.rpartition("errorlist")[2]
    assert Answer.objects.count() == (0 if adding else 1)


def test_a_question_that_is_none_and_one_that_leads_elsewhere_are_refused(editor: Client) -> None:
    assert "no letter and no digit" in page(
        editor, "answer/add/", **form("x."), **question(question_text="¿?")
    )
    assert "no language tag" in page(editor, "answer/add/", **form("x."), **question(language="1"))
    html = page(editor, "answer/add/", **form("x.", total_duration="-1"), **question())
    assert "total_duration: Input should be greater than or equal to 0" in html
    curation.add_alias(asked(), curation.add_version(asked("otra"), told()).question_hash)
    assert "another wording of a question" in page(editor, "answer/add/", **form("x."), **question())
    assert Answer.objects.count() == 1


def test_publishing_and_retiring_many(editor: Client, student: User) -> None:
    answers = [curation.add_version(asked(text), told(), Status.DRAFT) for text in ("a", "b")]
    taken = curation.add_version(asked("c"), told(), Status.DRAFT)
    curation.add_alias(asked("c"), answers[0].question_hash)
    chosen = {"_selected_action": [str(answer.pk) for answer in (*answers, taken)]}
    html = page(editor, "answer/", action="publish", **chosen)
    assert "2 answers were published." in html
    assert "“c”: This is another wording" in html
    assert all(Answer.objects.filter(status="published").values_list("reviewed_at", flat=True))
    assert "3 answers were retired." in page(editor, "answer/", action="retire", **chosen)
    assert set(Answer.objects.values_list("status", flat=True)) == {"retired"}


def test_another_wording_is_added_to_a_published_answer(editor: Client) -> None:
    answer = curation.add_version(asked(subject="física"), told())
    curation.add_version(asked("otra"), told())
    assert page(editor, "alias/add/")
    html = page(editor, "alias/add/", question_text="Define la fuerza", answer=str(answer.pk))
    assert html.count("¿Qué es la fuerza?") == 1
    alias = Alias.objects.get()
    assert alias.question_hash == asked("Define la fuerza", subject="física").key
    assert "Define la fuerza" in page(editor, f"alias/{alias.pk}/change/")
    html = page(editor, "alias/add/", question_text="¿qué es la fuerza?", answer=str(answer.pk))
    assert "already read as the question itself" in html
    curation.retire(answer)
    assert "not one of the available choices" in page(
        editor, "alias/add/", question_text="fuerza", answer=str(answer.pk)
    )


def test_only_served_answers_are_offered_for_another_wording(editor: Client) -> None:
    curation.add_version(asked(), told("Uno."))
    served = curation.add_version(asked(), told("Dos."))
    found = editor.get(
        "/admin/autocomplete/?term=fuerza&app_label=answers&model_name=listening&field_name=answer"
    )
    assert [row["id"] for row in found.json()["results"]] == [str(served.pk)]


def test_what_was_heard_is_shown_and_not_edited(editor: Client, student: User) -> None:
    session = "7f1c2c1e-4a0f-4d6e-9c0b-0a5f3f2f0001"
    listening.record(
        session_id=session,
        user_id=student.id,
        question_text="¿Qué es?",
        question_hash="0" * 64,
        answer_id=None,
        draft_id=None,
        cached=False,
        state="paused",
        step=1,
        position=5,
        speed=1.0,
        pauses=1,
        played_seconds=2.0,
        created_at=timezone.now(),
    )
    assert "¿Qué es?" in page(editor, "listening/?q=ana@school&state=paused")
    assert 'name="_save"' not in page(editor, f"listening/{session}/change/")
    assert editor.get(f"{URL}listening/add/").status_code == 403


def test_what_students_said_is_listed_beside_the_answer_and_not_edited(editor: Client, student: User) -> None:
    answer, now = curation.add_version(asked(), told()), timezone.now()
    sessions = [
        Listening.objects.create(
            session_id=uuid.uuid4(), user=student, question_text=text, answer=known, created_at=now
        )
        for text, known in ((answer.question_text, answer), ("¿Y la masa?", None))
    ]
    for session in sessions:
        add_remark(session.pk, student.pk, "wrong", step=2, position=7, text="<b>mal</b>")
    add_remark(sessions[0].pk, student.pk, "clear")
    html = page(editor, "remark/?kind__exact=wrong&q=mal")
    assert html.count('<td class="field-text">&lt;b&gt;mal&lt;/b&gt;</td>') == 2
    assert "2:7" in html
    assert f'<a href="{URL}answer/{answer.pk}/change/">¿Qué es la fuerza?</a>' in html
    assert "¿Y la masa?" in html
    Listening.objects.filter(pk=sessions[1].pk).update(answer=answer)  # it has been written since
    assert page(editor, "remark/").count(f"{answer.pk}/change/") == 3
    remark = Remark.objects.first()
    assert remark
    assert 'name="_save"' not in page(editor, f"remark/{remark.pk}/change/")
    assert editor.get(f"{URL}remark/add/").status_code == 403


def test_the_list_of_remarks_takes_a_bounded_number_of_queries(editor: Client, student: User) -> None:
    for n in range(20):
        answer = curation.add_version(asked(f"¿Qué es {n}?"), told())
        session = Listening.objects.create(
            session_id=uuid.uuid4(), user=student, answer=answer, created_at=timezone.now()
        )
        add_remark(session.pk, student.pk, "wrong")
    with CaptureQueriesContext(connection) as queries:
        assert page(editor, "remark/").count("/change/") >= 40
    assert len(queries) <= 10
    assert "answer_steps" not in str(queries.captured_queries)


def test_rights_decide_who_sees_edits_and_deletes(editor: Client, client: Client) -> None:
    answer = curation.add_version(asked(), told())
    assert editor.post(f"{URL}answer/{answer.pk}/delete/", {"post": "yes"}).status_code == 403  # it is served
    curation.retire(answer)
    reader = User.objects.create_user("reader", "correct horse battery", is_staff=True)
    reader.user_permissions.set(Permission.objects.filter(codename__in=["view_answer", "delete_answer"]))
    client.force_login(reader)
    html = page(client, f"answer/{answer.pk}/change/")
    assert "<h3>1. Idea (text)</h3>" in html
    assert 'name="answer_steps"' not in html
    assert 'value="publish"' not in page(client, "answer/")
    assert client.post(f"{URL}answer/{answer.pk}/delete/", {"post": "yes"}).status_code == 403
    client.force_login(User.objects.get(email="root"))
    client.post(f"{URL}answer/{answer.pk}/delete/", {"post": "yes"})
    assert not Answer.objects.exists()
