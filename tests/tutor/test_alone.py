"""Without Redis a database has one server; what is not a server does not count."""

import os
import subprocess
import sys
from pathlib import Path

from tests.server import ROOT, SECRET_KEY
from tutor.alone import lock_path

SERVE = "import tutor.asgi; print('up', flush=True); input()"


def loading(database: Path, code: str = SERVE) -> subprocess.Popen[str]:
    env = {
        "PATH": os.environ["PATH"],
        "DEBUG": "on",
        "SECRET_KEY": SECRET_KEY,
        "REDIS_URL": "",
        "DATABASE_URL": f"sqlite:///{database}",
        "DJANGO_SETTINGS_MODULE": "tutor.settings",
    }
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=env, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def test_a_second_server_exits_with_the_reason_until_the_first_has_gone(tmp_path: Path) -> None:
    database = tmp_path / "db.sqlite3"
    with loading(database) as first:
        assert first.stdout and first.stdout.readline() == "up\n"
        with loading(database) as second, loading(tmp_path / "other.sqlite3") as elsewhere:
            output, error = second.communicate()
            assert (second.returncode, output) == (1, "")
            assert "Another server runs on this database" in error
            assert "Traceback" not in error
            assert elsewhere.communicate("\n")[0] == "up\n"
        with loading(database, "import django; django.setup(); print('up')") as command:
            assert command.communicate()[0] == "up\n"
        first.kill()
    with loading(database) as third:
        assert third.communicate("\n")[0] == "up\n"


def test_a_test_database_is_another_one() -> None:
    database = {"ENGINE": "sqlite3", "NAME": "db"}
    assert lock_path(database) == lock_path({**database, "TEST": {"NAME": None}, "OPTIONS": {"timeout": 1}})
    assert lock_path(database) != lock_path({**database, "TEST": {"NAME": "test"}})
    assert lock_path(database) != lock_path({**database, "HOST": "elsewhere"})
