"""Processes of this version and of the one before, on one database and one Redis."""

import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client import StudentClient
from tests.e2e.conftest import SKY, stored_text
from tests.faults.test_single_flight import Author, new_question
from tests.model_server import ModelServer
from tests.server import ROOT, MakeCluster, Server, Student

PRODUCT = ("accounts", "answers", "streaming", "tutor")
NEEDED = "answers/draft_log.py"  # what came with the shared drafts: before, there was one process


def git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no earlier version to roll from: {done.stderr.decode().strip()}")
    return done.stdout


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of the previous commit; of the last one, where the product has been changed since."""
    revision = "HEAD" if git("status", "--porcelain", "--", *PRODUCT) else "HEAD~1"
    if NEEDED not in git("ls-tree", "-r", "--name-only", revision).decode().split():
        pytest.skip(f"{revision} knows only one process")
    folder = tmp_path_factory.mktemp("earlier")
    with tarfile.open(fileobj=io.BytesIO(git("archive", revision))) as sources:
        sources.extractall(folder, filter="data")
    return folder


@pytest.fixture(params=["forward", "back"])
def pair(
    cluster: MakeCluster, earlier: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Server, Server]]:
    """Two processes of one installation: the one to leave, and the one to come to."""
    (new,) = cluster(1, kinds=("uvicorn",), CHUNK_DELAY=0.1)
    old = Server(tmp_path, "uvicorn", new.environment)
    old.root = earlier
    try:
        old.start()
        yield (old, new) if request.param == "forward" else (new, old)
    finally:
        old.kill()
    assert not old.unknown_errors()


async def go_on(server: Server, student: Student, former: StudentClient, session_id: str) -> StudentClient:
    """Return the page that resumes at what it holds, and has heard the rest."""
    step, position = former.place
    async with StudentClient(server.url, student.token()) as again:
        again.text = former.text
        session = (await again.call("get_session"))["session"]
        assert (session["session_id"], session["state"]) == (session_id, "paused")
        assert (session["step"], session["position"]) == (step, position)
        ack = await again.call("resume_explanation", session_id=session_id, step=step, position=position)
        assert ack["ok"], ack
        assert (await again.call("set_speed", speed=8))["ok"]
        await again.until("explanation_complete", seconds=30)
        return again


async def test_a_session_goes_on_in_the_other_version(pair: tuple[Server, Server], learner: Student) -> None:
    here, there = pair
    async with StudentClient(here.url, learner.token()) as page:
        ack = await page.ask(SKY)
        await page.until_shown(100)
        here.stop()
        await page.until("server_restarting")
        assert page.all("streaming_paused")[0]["reason"] == "restart"
    again = await go_on(there, learner, page, ack["session_id"])
    assert again.text == stored_text(there)


async def test_an_answer_is_written_on_by_the_other_version(
    pair: tuple[Server, Server], learner: Student, model_server: ModelServer
) -> None:
    here, there = pair
    author, question = Author(per_second=100), new_question()
    model_server.script(author)
    async with StudentClient(here.url, learner.token()) as page:
        ack = await page.ask(question)
        await page.until_shown(100)
        here.stop()
        await page.until("server_restarting")
    again = await go_on(there, learner, page, ack["session_id"])
    assert again.text == stored_text(there, question)
    assert len(author.of(question)) == 2


async def test_a_session_is_steered_from_the_other_version_and_taken_over(
    pair: tuple[Server, Server], learner: Student
) -> None:
    here, there = pair
    async with (
        StudentClient(here.url, learner.token()) as plays,
        StudentClient(there.url, learner.token()) as other,
    ):
        await plays.ask(SKY)
        await plays.until_shown(100)
        ack = await other.call("pause_explanation")
        assert ack["ok"], ack
        assert (await plays.until("streaming_paused", reason="user"))["position"] == plays.place[1]
        assert (await other.call("get_session"))["session"]["state"] == "paused"
        assert (await other.call("set_speed", speed=2))["ok"]
        assert (await other.call("seek_explanation", step=1, position=20))["ok"]
        await plays.until("explanation_seeked", step=1)
        assert (await plays.call("resume_explanation"))["ok"]
        await plays.until("streaming_resumed")
        assert (await other.call("resume_explanation", step=1, position=0, speed=8))["ok"]
        await plays.until("streaming_paused", reason="moved")
        await other.until("explanation_complete", seconds=30)
        assert other.text == stored_text(there)
