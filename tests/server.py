"""The real application in a process of its own, on a free port, with a database file that it may spoil."""

import asyncio
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from tests.model_server import ModelServer

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY = "tests-only-" + "0" * 32  # the same as in `tests.settings`, so that tests can write tokens
STUDENTS = 500
START_SECONDS = 30.0

PREPARE = """
import json, sys, uuid
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("import_answers", "answers/samples/answers.jsonl", stdout=sys.stderr)
from accounts.models import User
ids = [uuid.uuid4() for _ in range(int(sys.argv[1]))]
User.objects.bulk_create([User(id=id, email=f"{id}@school.example", password="!") for id in ids])
print(json.dumps([str(id) for id in ids]))
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
        self.path = folder / "template.sqlite3"
        made = subprocess.run(
            [sys.executable, "-c", PREPARE, str(STUDENTS)],
            cwd=ROOT,
            env=_environment(self.path, {}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        self._students = iter([Student(id) for id in json.loads(made.stdout.splitlines()[-1])])

    def student(self) -> Student:
        return next(self._students)


class Server:
    """One server process; stopped, killed and started again on the same port and database."""

    def __init__(self, folder: Path, template: Path, kind: str = "daphne", **settings: object) -> None:
        self.kind = kind
        self.port = _free_port()
        self.database = folder / "server.sqlite3"
        self.log_path = folder / "server.log"
        self._environment = _environment(self.database, settings)
        self._process: subprocess.Popen[bytes] | None = None
        shutil.copy(template, self.database)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def start(self) -> "Server":
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        began = time.monotonic()
        while not self._healthy():
            assert self._process.poll() is None, self.log
            assert time.monotonic() - began < START_SECONDS, self.log
            time.sleep(0.02)
        return self

    def stop(self, how: int = signal.SIGTERM) -> None:
        process, self._process = self._process, None
        if process and process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def restart(self, how: int = signal.SIGTERM) -> None:
        self.stop(how)
        self.start()

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return what stands in the database."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query, values)]
        finally:
            connection.close()

    async def counts(self) -> dict[str, int]:
        """Return what the process holds; see `tests.e2e.observed`."""
        return json.loads(await asyncio.to_thread(self._get, "/counts"))

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


MakeServer = Callable[..., Server]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def learner(template: Template) -> Student:
    """Somebody who has never asked anything."""
    return template.student()


@pytest.fixture(scope="session")
def servers(
    template: Template, tmp_path_factory: pytest.TempPathFactory, running_model_server: ModelServer
) -> Iterator[MakeServer]:
    """Starts servers, `servers("daphne", CHUNK_DELAY=0.01)`, and ends them all."""
    running: list[Server] = []

    def start(kind: str = "daphne", **settings: object) -> Server:
        known = {"OPENAI_BASE_URL": running_model_server.url, "OPENAI_API_KEY": "key", **COMMON}
        server = Server(tmp_path_factory.mktemp(kind), template.path, kind, **known | settings)
        running.append(server)
        return server.start()

    yield start
    for server in running:
        server.stop(signal.SIGKILL)
    for server in running:
        at = server.log.find("Traceback")
        assert at < 0, server.log[at - 300 : at + 3000]


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


def _environment(database: Path, settings: dict[str, object]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "tutor.settings",
        "PYTHONUNBUFFERED": "1",
        "DEBUG": "off",
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DATABASE_URL": f"sqlite:///{database}",
        "REDIS_URL": "",
        **{name: str(value) for name, value in settings.items()},
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
