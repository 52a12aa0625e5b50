"""The image: its instructions carried out as far as goes without an engine, and what comes of them run."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.deploy.compose import REQUIRED, ROOT, compose, dockerfile, environment, last
from tests.server import SECRET_KEY
from tests.services import PostgresServer, RedisServer, free_port

BIN = Path(sys.executable).parent  # stands for the image's /venv/bin
IGNORED = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("**/")]


def test_images_are_pinned_by_minor_version_and_the_user_is_not_root() -> None:
    images = {stage[0].words[0] for stage in dockerfile()}
    assert images == {"node:22-slim", "python:3.11-slim"}
    assert int(last("USER").rest.split(":")[0]) > 0


def test_signals_reach_the_server() -> None:
    """A shell in between would keep them to itself."""
    assert last("CMD").rest.startswith('["python", "-m", "tutor.serve"')
    assert last("HEALTHCHECK").rest.startswith('CMD ["python"')


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stages that carry our part leave in the image's working directory."""
    folder = tmp_path_factory.mktemp("image")
    stages: dict[str, Path] = {}
    for number, stage in enumerate(dockerfile()):
        name = stage[0].words[-1] if "AS" in stage[0].words else ""
        root = stages[name] = folder / str(number)
        place = root
        for instruction in stage[1:]:
            match instruction.name:
                case "WORKDIR":
                    place = root / instruction.rest.lstrip("/")
                    place.mkdir(parents=True)
                case "COPY":
                    *sources, target = instruction.words
                    origin = stages[instruction.flags["from"]] if instruction.flags else ROOT
                    for source in sources:
                        _copy(origin / source.lstrip("/"), place, target, ignoring=origin == ROOT)
                case "RUN" if "pip install" not in instruction.rest:  # the environment is there already
                    _run(instruction.rest, place)
    return place


def _copy(source: Path, place: Path, target: str, *, ignoring: bool) -> None:
    if str(source).endswith("/venv"):
        return
    if ignoring:
        top = source.relative_to(ROOT).parts[0]
        assert f"!{top}" in (ROOT / ".dockerignore").read_text().splitlines(), f"{top} is not in the context"
    if source.is_dir():
        ignore = shutil.ignore_patterns(*(line.removeprefix("**/") for line in IGNORED if ignoring))
        shutil.copytree(source, place / target, ignore=ignore, dirs_exist_ok=True)
    else:
        (place / target).mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place / target)


def _run(command: str, place: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=place,
        env={
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": os.environ["HOME"],
            "npm_config_prefer_offline": "true",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def settings(postgres_service: PostgresServer, redis_service: RedisServer) -> dict[str, str]:
    """The environment of compose.yaml, with our servers' addresses."""
    return {
        **environment("web1", {**REQUIRED, "SECRET_KEY": SECRET_KEY}),
        "DATABASE_URL": postgres_service.url(postgres_service.create()),
        "REDIS_URL": redis_service.database(),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


@pytest.fixture(scope="module")
def migrated(image: Path, settings: dict[str, str]) -> None:
    migrate(image, settings)


def migrate(image: Path, settings: dict[str, str]) -> str:
    """Run the one-shot service, and return what it says."""
    done = subprocess.run(
        compose()["services"]["migrate"]["command"],
        cwd=image,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_samples_go_into_an_empty_database_only(
    image: Path, settings: dict[str, str], migrated: None
) -> None:
    exported = subprocess.run(
        ["python", "manage.py", "export_answers"], cwd=image, env=settings, capture_output=True, check=True
    )
    assert len(exported.stdout.splitlines()) == len(
        (ROOT / "answers" / "samples" / "answers.jsonl").read_text().splitlines()
    )
    assert "answers:" not in migrate(image, settings)


@pytest.fixture
def running(
    image: Path, settings: dict[str, str], migrated: None
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The image's command, and the port at which it serves."""
    port = free_port()
    command = [word if word != last("EXPOSE").rest else str(port) for word in last("CMD").words]
    process = subprocess.Popen(
        command, cwd=image, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    yield process, port
    process.kill()
    process.communicate()


def test_the_image_serves_is_healthy_and_ends_when_told(
    image: Path, settings: dict[str, str], running: tuple[subprocess.Popen[str], int]
) -> None:
    """With nothing but what was copied, and without writing anything beside it."""
    process, port = running
    before = set(image.rglob("*"))
    healthcheck = [word.replace(":8000/", f":{port}/") for word in last("HEALTHCHECK").words]
    began = time.monotonic()
    while subprocess.run(healthcheck, env=settings, capture_output=True, check=False).returncode:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() - began < 20
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as browser:
        local, foreign = ({"Host": host} for host in ("localhost", "elsewhere.example"))
        assert browser.get("/readyz", headers=local).status_code == 200
        assert browser.get("/", headers=foreign).status_code == 400
        login = browser.get("/login/", headers={"Host": REQUIRED["ALLOWED_HOSTS"]})
        assert login.status_code == 200
        assert browser.get("/static/page/page.js", headers=local).status_code == 200
        assert browser.get("/static/admin/css/base.css", headers=local).status_code == 200
    process.terminate()
    output, _ = process.communicate(timeout=15)
    assert process.returncode == 0, output
    assert set(image.rglob("*")) == before
