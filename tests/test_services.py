"""The servers that tests bring themselves."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from tests.server import ROOT
from tests.services import Postgres, PostgresServer, Redis, RedisServer

CONFTEST = """
from tests import services
from tests.services import own_redis, tell_missing as pytest_terminal_summary
services._of_wheel = lambda *_: []
"""
TESTS = """
def test_one(own_redis): ...
def test_two(own_redis): ...
def test_without(): ...
"""


@pytest.mark.parametrize(
    ("required", "outcome", "said"),
    [
        ("0", 0, "2 tests were NOT run against the real thing: Redis (no redis-server in PATH)"),
        ("1", 1, "not run against real Redis (no redis-server in PATH), and REQUIRE_SERVICES is set"),
    ],
)
def test_what_is_missing_is_told_and_may_be_a_failure(
    tmp_path: Path, required: str, outcome: int, said: str
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:django", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "REQUIRE_SERVICES": required},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == outcome, ran.stdout + ran.stderr
    assert said in ran.stdout
    assert ("2 errors" if outcome else "2 skipped") in ran.stdout


def test_redis_comes_back_empty_at_the_same_address(own_redis: Redis) -> None:
    before = own_redis.pid
    with redis.Redis.from_url(own_redis.url) as client:
        client.set("key", "value")
        own_redis.restart()
        assert (client.get("key"), client.ping()) == (None, True)
    assert own_redis.pid != before


def test_postgres_comes_back_with_its_data(own_postgres: Postgres) -> None:
    url = own_postgres.url(own_postgres.create())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        own_postgres.restart()  # does not wait for its clients
    own_postgres.kill()
    own_postgres.start()
    copy = own_postgres.url(own_postgres.create(template=url.rpartition("/")[2]))
    with psycopg.connect(copy) as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_of_a_redis_that_exists_only_empty_numbers_are_used(own_redis: Redis) -> None:
    with redis.Redis.from_url(own_redis.address) as theirs:
        theirs.set("key", "theirs")
        one, other = RedisServer(own_redis.address), RedisServer(own_redis.address)
        assert len({one.url, one.database(), other.url, own_redis.address}) == 4
        with redis.Redis.from_url(one.url) as client:
            client.set("key", "ours")
            one.close()
            assert client.get("key") is None
        other.close()
        assert theirs.get("key") == b"theirs"


def test_of_a_postgres_that_exists_only_own_databases_are_touched(own_postgres: Postgres) -> None:
    theirs = own_postgres.create()
    server = PostgresServer(own_postgres.address)
    with psycopg.connect(server.url(server.create())):
        server.close()  # drops a database that is still in use
    with psycopg.connect(own_postgres.address) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'tutor%'").fetchall()
    assert left == [(theirs,)]


@pytest.mark.usefixtures("own_redis", "own_postgres")  # skips where these cannot be had
@pytest.mark.parametrize("interrupted", [False, True])
def test_a_command_has_both_services_and_they_end_with_it(interrupted: bool) -> None:
    script = (
        "import os, psycopg, redis, signal, sys\n"
        "psycopg.connect(os.environ['TEST_DATABASE_URL']).close()\n"
        "redis.Redis.from_url(os.environ['TEST_REDIS_URL']).ping()\n"
        "print(os.environ['TEST_REDIS_URL'], flush=True)\n"
        f"{'signal.pause()' if interrupted else 'sys.exit(7)'}\n"
    )
    names = ("TEST_DATABASE_URL", "TEST_REDIS_URL")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.services", sys.executable, "-c", script],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in names},
        stdout=subprocess.PIPE,
        text=True,
    ) as launcher:
        assert launcher.stdout
        url = launcher.stdout.readline().strip()
        if interrupted:
            launcher.send_signal(signal.SIGTERM)
        assert launcher.wait(20) == (-signal.SIGTERM % 256 if interrupted else 7)
    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(url) as client:
        client.ping()
