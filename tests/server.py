"""The real application in processes of its own, on free ports, with a database that it may spoil.

The database is a SQLite file, and what is shared stands in the process's memory; where the suite runs on
services (`tests.services`), it is a PostgreSQL database and a Redis number of its own.
"""

import asyncio
import itertools
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from tests.model_server import ModelServer
from tests.services import SUITE_VARIABLE, PostgresServer, RedisServer, free_port

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY = "tests-only-" + "0" * 32  # the same as in `tests.settings`, so that tests can write tokens
STUDENTS = 5000
START_SECONDS = 30.0

ON_SERVICES = SUITE_VARIABLE in os.environ

PREPARE = """
import json, sys
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("import_answers", "answers/samples/answers.jsonl")
from accounts.models import User
ids = json.load(sys.stdin)
User.objects.bulk_create([User(id=id, email=f"{id}@school.example", password="!") for id in ids])
"""


@dataclass(frozen=True)
class Student:
    """Somebody who may ask."""

    id: str

    def token(self, seconds: float = 3600, kind: type[Token] = AccessToken) -> str:
        """Return a token as the server issues it; with negative `seconds` one that has expired."""
        token = kind()
        token["sub"] = self.id
        # Exactly: the library's own counts whole seconds from a moment that it has rounded down.
        token.payload["exp"] = time.time() + seconds
        token.payload["jti"] = uuid.uuid4().hex
        return str(token)

    def refresh_token(self) -> str:
        return self.token(kind=RefreshToken)


class Template:
    """A migrated database with the sample answers and many students, to be copied."""

    def __init__(self, folder: Path) -> None:
        self._ids = [str(uuid.uuid4()) for _ in range(STUDENTS)]
        self._unknown = iter(self._ids)
        self._file = folder / "template.sqlite3"
        self._prepared: dict[PostgresServer | None, str] = {}

    def student(self) -> Student:
        return Student(next(self._unknown))

    def copy(self, folder: Path, postgres: PostgresServer | None = None) -> str:
        """Return the address of a copy: a database of `postgres`, or else a SQLite file in `folder`."""
        if postgres not in self._prepared:
            self._prepared[postgres] = postgres.create() if postgres else str(self._file)
            self._prepare(postgres.url(self._prepared[postgres]) if postgres else f"sqlite:///{self._file}")
        if postgres:
            return postgres.url(postgres.create(template=self._prepared[postgres]))
        return f"sqlite:///{shutil.copy(self._file, folder / 'server.sqlite3')}"

    def _prepare(self, database_url: str) -> None:
        made = subprocess.run(
            [sys.executable, "-c", PREPARE],
            cwd=ROOT,
            env=_environment({"DATABASE_URL": database_url}),
            input=json.dumps(self._ids),
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr


class Server:
    """One server process; stopped, killed and started again on the same port and database."""

    def __init__(self, folder: Path, kind: str, settings: dict[str, object]) -> None:
        self.kind = kind
        self.port = free_port()
        self.log_path = folder / "server.log"
        self.environment = _environment(settings)
        self.root = ROOT  # of the sources that it runs
        # What the tracebacks say, as regular expressions, that a test's faults put into the log.
        self.known_errors: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process, "not running"
        return self._process.pid

    @property
    def database_url(self) -> str:
        return self.environment["DATABASE_URL"]

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def start(self) -> "Server":
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=self.root, env=self.environment, stdout=log, stderr=log
            )
        began = time.monotonic()
        while not self._healthy():
            assert self._process.poll() is None, self.log
            assert time.monotonic() - began < START_SECONDS, self.log
            time.sleep(0.02)
        return self

    def stop(self, how: int = signal.SIGTERM) -> int | None:
        """End it, and return its exit code."""
        process, self._process = self._process, None
        if process and process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
        return process and process.returncode

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def restart(self, how: int = signal.SIGTERM) -> None:
        self.stop(how)
        self.start()

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return what a statement with `?` for its values finds; JSON and ids as SQLite gives them."""
        if self.database_url.startswith("sqlite"):
            with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"), timeout=10)) as file:
                file.row_factory = sqlite3.Row
                with file:
                    return [dict(row) for row in file.execute(query, values)]
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            connection.adapters.register_loader("jsonb", TextLoader)
            connection.adapters.register_loader("uuid", HexLoader)
            cursor = connection.execute(query.replace("?", "%s").encode(), values)
            return cursor.fetchall() if cursor.description else []

    def unknown_errors(self) -> list[str]:
        """Return the tracebacks in the log that no fault of a test explains."""
        return [
            error
            for error in re.split(r"(?=^.*Traceback)", self.log, flags=re.MULTILINE)[1:]
            if not any(re.search(known, error) for known in self.known_errors)
        ]

    async def counts(self) -> dict[str, int]:
        """Return what the process holds; see `tests.e2e.observed`."""
        return json.loads(await asyncio.to_thread(self._get, "/counts"))

    async def weights(self) -> dict[str, int]:
        """Return what the process weighs; see `tests.e2e.observed`."""
        return json.loads(await asyncio.to_thread(self._get, "/weights"))

    async def settled(self, baseline: dict[str, int], seconds: float = 2.0) -> float:
        """Wait until the process holds no more than at `baseline`; return the seconds it took."""
        began = time.monotonic()
        while True:
            now = await self.counts()
            over = {name: (count, baseline[name]) for name, count in now.items() if count > baseline[name]}
            if not over:
                return time.monotonic() - began
            assert time.monotonic() - began < seconds, f"left behind: {over}"
            await asyncio.sleep(0.02)

    def _command(self) -> list[str]:
        application = "tests.e2e.observed:application"
        if self.kind == "daphne":
            return [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(self.port), application]
        if self.kind == "serve":  # WORKERS says how many
            return [sys.executable, "-m", "tutor.serve", "--port", str(self.port)]
        return [
            *(sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--ws-max-size", "65536"),
            *("--log-level", "warning", "--timeout-graceful-shutdown", "3", application),
        ]

    def _healthy(self) -> bool:
        try:
            return bool(self._get("/healthz"))
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=5) as response:
            return response.read()


class HexLoader(TextLoader):
    def load(self, data: Any) -> str | bytes:
        return bytes(data).decode().replace("-", "")


MakeServer = Callable[..., Server]
MakeCluster = Callable[..., list[Server]]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def learner(template: Template) -> Student:
    """Somebody who has never asked anything."""
    return template.student()


@pytest.fixture(scope="session")
def servers(
    template: Template,
    tmp_path_factory: pytest.TempPathFactory,
    running_model_server: ModelServer,
    request: pytest.FixtureRequest,
) -> Iterator[MakeServer]:
    """Starts servers, `servers("daphne", CHUNK_DELAY=0.01)`, and ends them all.

    Each has a copy of the database, and a Redis number where the suite runs on services, unless it is
    given DATABASE_URL and REDIS_URL.
    """
    running: list[Server] = []
    postgres: PostgresServer | None = request.getfixturevalue("postgres_service") if ON_SERVICES else None
    numbers: RedisServer | None = request.getfixturevalue("redis_service") if ON_SERVICES else None

    def start(kind: str = "daphne", **settings: object) -> Server:
        folder = tmp_path_factory.mktemp(kind)
        if "DATABASE_URL" not in settings:
            settings["DATABASE_URL"] = template.copy(folder, postgres)
        if numbers and "REDIS_URL" not in settings:
            settings["REDIS_URL"] = numbers.database()
        known = {"OPENAI_BASE_URL": running_model_server.url, "OPENAI_API_KEY": "key", **COMMON}
        server = Server(folder, kind, known | settings)
        running.append(server)
        return server.start()

    yield start
    for server in running:
        server.kill()
    for server in running:
        assert not (errors := server.unknown_errors()), errors[0][:3000]


@pytest.fixture
def cluster(
    template: Template, servers: MakeServer, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[MakeCluster]:
    """Starts the processes of one installation, on one PostgreSQL database and one Redis number.

    `cluster(3, kinds=("uvicorn",), CHUNK_DELAY=0.01)`; they stand on the shared services, unless the test
    gives `postgres` or `redis` of its own. They end with the test.
    """
    running: list[Server] = []

    def start(
        count: int = 2,
        *,
        kinds: Sequence[str] = ("uvicorn", "daphne"),
        postgres: PostgresServer | None = None,
        redis: RedisServer | None = None,
        **settings: object,
    ) -> list[Server]:
        postgres = postgres or request.getfixturevalue("postgres_service")
        redis = redis or request.getfixturevalue("redis_service")
        shared = {"DATABASE_URL": template.copy(tmp_path, postgres), "REDIS_URL": redis.database()}
        started = [
            servers(kind, **shared | settings) for kind in itertools.islice(itertools.cycle(kinds), count)
        ]
        running.extend(started)
        return started

    yield start
    for server in running:
        server.kill()


# A lively pace, and limits that no test meets by accident.
COMMON = {
    "CHUNK_SIZE": 25,
    "CHUNK_DELAY": 0.025,
    "RATE_LIMIT_ASK": "10000/minute",
    "EVENTS_PER_SECOND": 10_000,
    "MAX_CONNECTIONS_PER_USER": 1000,
}


@pytest.fixture(scope="session")
def daphne(servers: MakeServer) -> Server:
    return servers("daphne")


@pytest.fixture(scope="session")
def uvicorn(servers: MakeServer) -> Server:
    return servers("uvicorn")


@pytest.fixture(params=["daphne", "uvicorn"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two servers, for what might differ between them."""
    return request.getfixturevalue(request.param)


def _environment(settings: dict[str, object]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "tutor.settings",
        "PYTHONUNBUFFERED": "1",
        "DEBUG": "off",
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "REDIS_URL": "",
        **{name: str(value) for name, value in settings.items()},
    }
