"""A PostgreSQL that restarts, cuts connections, stops or hangs: one coded error, and then it goes on."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.test import Client

from accounts.models import User
from answers import lookup
from answers.database import in_database
from answers.errors import StoreAway
from tests.answers.databases import default_database
from tests.answers.making import asked
from tests.services import Postgres, or_skip

SECONDS = 5.0  # "a few seconds", within which everybody has an answer


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with or_skip(Postgres) as server:
        yield server


@pytest.fixture(scope="module")
def database(server: Postgres, django_db_blocker: Any) -> Iterator[str]:
    url = server.url(server.create())
    with django_db_blocker.unblock():
        with default_database(url):
            call_command("migrate", verbosity=0)
            User.objects.create_user("ana@school.example", "correct horse battery")
        yield url


@pytest.fixture
def postgres(server: Postgres, database: str) -> Iterator[Postgres]:
    with default_database(database):
        yield server


def ask() -> Awaitable[Any]:
    return in_database(lookup.look_up, asked(), "0" * 32)


async def fill_the_pool() -> None:
    """Let as many connections be open, and idle, as there are threads."""
    barrier = threading.Barrier(settings.DATABASE_THREADS)

    def meet() -> None:
        connection.ensure_connection()
        barrier.wait(10)

    await asyncio.gather(*(in_database(meet) for _ in range(settings.DATABASE_THREADS)))


async def outcome(call: Awaitable[Any]) -> str:
    try:
        await asyncio.wait_for(call, SECONDS + 1)
    except StoreAway as away:
        assert (away.code, away.retry_after) == ("server_busy", 1.0)
        return "server_busy"
    return "ok"


def open_connections(server: Postgres) -> list[int]:
    with psycopg.connect(server.url(), autocommit=True) as own:
        rows = own.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'tutor'").fetchall()
    return [row[0] for row in rows]


def terminate(server: Postgres) -> None:
    with psycopg.connect(server.url(), autocommit=True) as own:
        own.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'tutor'"
        )


@pytest.mark.parametrize("end", [Postgres.restart, terminate], ids=["restarted", "terminated"])
async def test_connections_that_ended_while_nobody_used_them_cost_nothing(
    postgres: Postgres, end: Callable[[Postgres], None]
) -> None:
    await fill_the_pool()
    await asyncio.to_thread(end, postgres)
    began = time.monotonic()
    assert [await outcome(ask()) for _ in range(12)] == ["ok"] * 12
    assert time.monotonic() - began < 2
    assert len(open_connections(postgres)) <= settings.DATABASE_THREADS + 2


async def test_a_connection_that_is_cut_during_a_query_is_one_coded_error(
    postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    begun = threading.Event()

    def query() -> None:
        with connection.cursor() as cursor:
            begun.set()
            cursor.execute("SELECT pg_sleep(30)")

    running = asyncio.create_task(outcome(in_database(query)))
    await asyncio.to_thread(begun.wait)
    await asyncio.to_thread(terminate, postgres)
    assert await running == "server_busy"
    assert [record.message for record in caplog.records if record.name == "tutor.database"] == [
        "database_away error=AdminShutdown"
    ]
    assert await outcome(ask()) == "ok"


async def test_while_the_server_is_down_everybody_is_told_soon_and_then_it_goes_on(
    postgres: Postgres,
) -> None:
    await fill_the_pool()
    await asyncio.to_thread(postgres.stop)
    began = time.monotonic()
    try:
        told = await asyncio.gather(*(outcome(ask()) for _ in range(40)))
        took = time.monotonic() - began
        response = await asyncio.to_thread(lambda: Client().post("/api/token/refresh/", {"refresh": "x"}))
    finally:
        await asyncio.to_thread(postgres.start)
    assert told == ["server_busy"] * 40
    assert took < SECONDS + 0.5
    assert response.status_code in (400, 401, 415), "what needs no database works"
    began = time.monotonic()
    assert await outcome(ask()) == "ok"
    assert time.monotonic() - began < 2.5
    assert [await outcome(ask()) for _ in range(10)] == ["ok"] * 10


async def test_http_says_busy_while_the_server_is_down(postgres: Postgres) -> None:
    await asyncio.to_thread(postgres.stop)
    try:
        began = time.monotonic()
        credentials = {"email": "ana@school.example", "password": "correct horse battery"}
        response = await asyncio.to_thread(
            lambda: Client().post("/api/token/", credentials, content_type="application/json")
        )
        page = await asyncio.to_thread(lambda: Client(cookies={"sessionid": "x"}).get("/admin/login/"))
        assert time.monotonic() - began < 2 * SECONDS
    finally:
        await asyncio.to_thread(postgres.start)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert (response.json()["code"], response.json()["retry_after"]) == ("server_busy", 1.0)
    assert page.status_code in (200, 503)


@contextmanager
def hanging(server: Postgres) -> Iterator[None]:
    """Let no process of the server do anything, while its sockets stay open."""
    pids = [server.pid, *open_connections(server)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_a_server_that_hangs_holds_nobody_up(postgres: Postgres, settings: Any) -> None:
    settings.DATABASE_SECONDS = 1.0
    await fill_the_pool()
    with hanging(postgres):
        began = time.monotonic()
        told = await asyncio.gather(*(outcome(ask()) for _ in range(40)))
        assert told == ["server_busy"] * 40
        assert time.monotonic() - began < 1.5
    settings.DATABASE_SECONDS = SECONDS
    assert [await outcome(ask()) for _ in range(20)] == ["ok"] * 20
    stats = connections["default"].pool.get_stats()
    assert stats["pool_available"] == stats["pool_size"], "every connection came back"


async def test_what_is_wrong_is_not_called_busy() -> None:
    def wrong() -> None:
        raise OperationalError from sqlite_error("SELECT * FROM nothing")

    with pytest.raises(OperationalError):
        await in_database(wrong)


def sqlite_error(statement: str) -> Exception:
    import sqlite3

    with pytest.raises(sqlite3.OperationalError) as error, sqlite3.connect(":memory:") as memory:
        memory.execute(statement)
    return error.value
