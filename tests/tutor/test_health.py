"""Readiness follows what the process needs, down and up again."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.processes import frozen
from tests.server import MakeCluster, Server
from tests.services import Postgres, Redis

ALL = {"ok": True, "database": True, "redis": True, "channel_layer": True}
WITHOUT = {
    "redis": {**ALL, "ok": False, "redis": False, "channel_layer": False},
    "postgres": {**ALL, "ok": False, "database": False},
}
SECONDS = 8.0


def readiness(server: Server) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(f"{server.url}/readyz", timeout=5) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def becomes(server: Server, status: int, parts: dict[str, Any]) -> None:
    began = time.monotonic()
    while (found := readiness(server)) != (status, parts):
        assert time.monotonic() - began < SECONDS, found
        time.sleep(0.05)


@pytest.mark.parametrize("name", WITHOUT)
def test_it_is_red_while_a_service_is_away_or_hangs_and_green_again_after(
    cluster: MakeCluster, own_redis: Redis, own_postgres: Postgres, name: str
) -> None:
    (server,) = cluster(1, redis=own_redis, postgres=own_postgres)
    service = {"redis": own_redis, "postgres": own_postgres}[name]
    becomes(server, 200, ALL)
    service.stop()
    becomes(server, 503, WITHOUT[name])
    service.start()
    becomes(server, 200, ALL)
    with frozen(service.pid):
        becomes(server, 503, WITHOUT[name])
    becomes(server, 200, ALL)
