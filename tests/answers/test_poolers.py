"""Behind a pooler as Supabase's: session or transaction mode, TLS demanded, by the address alone."""

import asyncio
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from answers import curation, listening, lookup
from answers.database import in_database
from answers.models import Answer, Listening
from tests.answers.databases import default_database
from tests.answers.making import asked, generated, told
from tests.services import Missing, Postgres, Process, or_skip

SESSIONS = 3  # of the server, fewer than our connections, so that a transaction pooler shares them out


class PgBouncer(Process):
    """A pooler in front of a PostgreSQL server, with a certificate of its own."""

    name = "pgbouncer"
    _identity = Postgres._identity
    _other_user = Postgres._other_user

    def __init__(self, server: str, mode: str) -> None:
        # Debian keeps it where only root's PATH leads.
        self._program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/sbin")
        if not self._program or not shutil.which("openssl"):
            raise Missing("PostgreSQL behind a pooler (no pgbouncer or openssl in PATH)")
        super().__init__()
        self._user = self._other_user()
        server_parts = urlsplit(server)
        assert server_parts.username
        self._database, self._name = server_parts.path[1:], server_parts.username
        password = f" password={server_parts.password}" if server_parts.password else ""
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        self._configuration = f"""
[databases]
* = host={server_parts.hostname} port={server_parts.port} user={self._name}{password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {SESSIONS if mode == "transaction" else 15}
max_client_conn = 200
client_tls_sslmode = require
client_tls_key_file = {key}
client_tls_cert_file = {certificate}
"""
        made = ["-keyout", str(key), "-out", str(certificate)]
        kind = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pooler", "-days", "1"]
        subprocess.run(["openssl", "req", *kind, *made], check=True, capture_output=True)
        (self.folder / "pgbouncer.ini").write_text(self._configuration)
        if self._user:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, self._user)

    @property
    def url(self) -> str:
        return f"postgresql://{self._name}@127.0.0.1:{self.port}/{self._database}?sslmode=require"

    def _command(self) -> list[str]:
        return [str(self._program), str(self.folder / "pgbouncer.ini")]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture(scope="module", params=["session", "transaction"])
def pooler(request: pytest.FixtureRequest, postgres_service: Any, django_db_blocker: Any) -> Iterator[str]:
    """The address of a pooler, through which the database was migrated."""
    direct = postgres_service.url(postgres_service.create())
    with or_skip(lambda: PgBouncer(direct, request.param)) as pgbouncer, django_db_blocker.unblock():
        with default_database(pgbouncer.url):
            call_command("migrate", verbosity=0)
        yield pgbouncer.url


@pytest.fixture
def student(pooler: str) -> Iterator[User]:
    with default_database(pooler):
        yield User.objects.create_user(f"{uuid.uuid4()}@school.example", "correct horse battery")


def play(student: User, n: int) -> tuple[str, str, datetime]:
    """Ask, miss, have an answer made, ask again and listen; return what was kept."""
    question = asked(f"¿Qué es la fuerza número {n}?")
    assert not lookup.look_up(question, student.pk).cached
    kept = generated(question, student.pk, f"Respuesta {n}.")
    found = lookup.look_up(question, student.pk)
    assert found.answer_id == str(kept.id)
    session, began = uuid.uuid4(), datetime(2026, 11, 22, 23, 30, n, tzinfo=UTC)
    for position in range(6):
        listening.record(
            session_id=session,
            user_id=student.pk,
            question_text=question.text,
            question_hash=question.key,
            answer_id=kept.id,
            draft_id=None,
            cached=True,
            state="paused",
            step=1,
            position=position,
            speed=1.0,
            pauses=1,
            played_seconds=0.0,
            created_at=began,
        )
    heard = listening.of_session(session, student.pk)
    assert heard
    assert heard.position == 5
    return found.answer_steps[0]["content"], heard.question_hash, heard.created_at


async def test_fifty_students_at_once_find_make_and_hear_their_answers(student: User) -> None:
    played = await asyncio.gather(*(in_database(play, student, n) for n in range(50)))
    assert played == [
        (
            f"Respuesta {n}.",
            asked(f"¿Qué es la fuerza número {n}?").key,
            datetime(2026, 11, 22, 23, 30, n, tzinfo=UTC),
        )
        for n in range(50)
    ]
    assert await in_database(Listening.objects.filter(user=student).count) == 50
    keys = Answer.objects.order_by("pk").values_list("pk", flat=True)
    read = await asyncio.gather(*(in_database(lambda: list(keys.iterator(chunk_size=1))) for _ in range(8)))
    assert all(rows == read[0] for rows in read)
    assert len(read[0]) >= 50


def test_editors_see_and_publish_answers_in_the_admin(student: User) -> None:
    User.objects.filter(pk=student.pk).update(is_staff=True, is_superuser=True)
    answer = curation.add_version(asked("¿Qué es la masa?"), told(), Answer.Status.DRAFT)
    client = Client()
    client.force_login(student)
    for _ in range(6):
        assert "¿Qué es la masa?" in client.get("/admin/answers/answer/").content.decode()
    assert client.get(f"/admin/answers/answer/{answer.pk}/change/").status_code == 200
    curation.publish(answer)
    assert lookup.look_up(asked("¿Qué es la masa?"), student.pk).cached


@pytest.mark.parametrize("port", [5432, 6543])
def test_supabases_addresses_are_read_as_they_are_copied(port: int, pooler: str) -> None:
    from tutor.settings import database

    url = f"postgresql://postgres.abcdefgh:p%40ss%2Fword@aws-0-eu.pooler.supabase.com:{port}/postgres?sslmode=require"
    config = database(url)
    assert (config["USER"], config["PASSWORD"], config["PORT"]) == ("postgres.abcdefgh", "p@ss/word", port)
    assert config["OPTIONS"]["sslmode"] == "require"
    assert "prepare_threshold" not in config["OPTIONS"]
    assert "options" not in config["OPTIONS"], "a pooler refuses settings of the session"
    assert config["DISABLE_SERVER_SIDE_CURSORS"]
