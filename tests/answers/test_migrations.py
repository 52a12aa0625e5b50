"""Both kinds of database get the same tables, constraints and indexes, and are fast by them."""

import uuid
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from accounts.models import User
from answers import lookup
from answers.models import Answer
from tests.answers.databases import default_database
from tests.answers.making import asked, at_once, generated, steps


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(
    request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: pytest.FixtureRequest
) -> Iterator[None]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    else:
        server = request.getfixturevalue("postgres_service")
        url = server.url(server.create())
    with django_db_blocker.unblock(), default_database(url):
        yield


@pytest.fixture
def migrated(empty_database: None) -> None:
    call_command("migrate", verbosity=0)


def test_no_change_of_a_model_lacks_its_migration(migrated: None) -> None:
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())


def test_our_migrations_can_be_taken_back_and_done_again(migrated: None) -> None:
    ours = {"ai_answers", "answers_alias", "answers_listening", "answers_remark"}
    call_command("migrate", "answers", "zero", verbosity=0)
    assert not ours & set(connection.introspection.table_names())
    call_command("migrate", verbosity=0)
    assert ours <= set(connection.introspection.table_names())


def test_of_many_who_publish_at_once_one_does(migrated: None) -> None:
    question = asked()
    student = User.objects.create_user("ana@school.example", "x")
    kept = at_once(*[lambda n=n: generated(question, student.pk, f"Answer {n}.") for n in range(8)])
    assert [answer.status for answer in kept].count("published") == 1
    assert Answer.objects.filter(status="published").count() == 1
    draft = Answer.objects.filter(status="draft").first()
    assert draft
    draft.status = "published"
    with pytest.raises(IntegrityError):
        draft.save()


def test_the_look_up_reads_by_index_however_many_answers_there_are(migrated: None) -> None:
    Answer.objects.bulk_create(
        [
            Answer(
                question_hash=f"{n:064x}",
                normaliser=1,
                question_text=f"q {n}",
                normalized_text=f"q {n}",
                language="es",
                answer_steps=steps(),
                status="published",
            )
            for n in range(10_000)
        ],
        batch_size=1000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    question = asked()
    query = lookup._candidates(list(question.keys()), uuid.uuid4())
    plan = query.explain(**({"analyze": True} if connection.vendor == "postgresql" else {}))
    assert "SCAN ai_answers" not in plan, plan
    assert "Seq Scan on ai_answers" not in plan, plan
    assert "answers_by_key" in plan or "one_published_answer_per_key" in plan
