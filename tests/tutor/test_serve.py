"""The launcher: it keeps its workers, ends with them, and says what it lacks."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import children
from tests.server import ROOT, SECRET_KEY, MakeCluster, Server
from tests.services import free_port

SETTINGS: dict[str, object] = {"WORKERS": 2, "DEBUG": "on"}


def until(holds: Callable[[], bool], seconds: float = 10.0) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds
        time.sleep(0.02)
    return time.monotonic() - began


def serving(server: Server, count: int = 2) -> bool:
    return server.log.count("worker_serves") >= count


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_ended_is_replaced_while_the_other_serves(cluster: MakeCluster, how: int) -> None:
    (server,) = cluster(1, kinds=("serve",), **SETTINGS)
    until(lambda: serving(server))
    before = children(server.pid)
    os.kill(min(before), how)
    until(lambda: server._healthy() and serving(server, 3))
    assert len(children(server.pid) & before) == 1
    assert len(children(server.pid)) == 2
    assert server.stop() == 0


def test_workers_do_not_outlive_a_launcher_that_was_killed(cluster: MakeCluster) -> None:
    (server,) = cluster(1, kinds=("serve",), **SETTINGS)
    workers = children(server.pid)
    server.kill()
    until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def test_a_second_signal_ends_it_at_once(cluster: MakeCluster) -> None:
    (server,) = cluster(1, kinds=("serve",), **SETTINGS)
    until(lambda: serving(server))
    for worker in children(server.pid):
        os.kill(worker, signal.SIGSTOP)  # hangs
    os.kill(server.pid, signal.SIGTERM)
    time.sleep(0.2)
    began = time.monotonic()
    assert server.stop() == 1
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"WORKERS": "2"}, "2 workers need REDIS_URL"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"WORKERS": "0"}, "at least one worker"),
        ({"PORT": "taken"}, "cannot be had: Address already in use"),
    ],
)
def test_it_says_what_is_missing_before_it_starts(settings: dict[str, str], reason: str) -> None:
    known = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": SECRET_KEY,
        "ALLOWED_HOSTS": "localhost",
        "REDIS_URL": "",
    }
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1] if "PORT" in settings else free_port()
        debug = "off" if "SECRET_KEY" in settings else "on"
        ended = subprocess.run(
            [sys.executable, "-m", "tutor.serve", "--port", str(port)],
            cwd=ROOT,
            env={**known, "DEBUG": debug, **settings},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert ended.returncode
    assert reason in ended.stderr
    assert "Traceback" not in ended.stderr
