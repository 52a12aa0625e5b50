"""Fixtures of every package's tests, and what the run tells at its end."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.db import connections

from accounts.models import User
from tests import figures
from tests.model_server import model_server, running_model_server
from tests.server import cluster, daphne, learner, server, servers, template, uvicorn
from tests.services import (
    own_postgres,
    own_redis,
    postgres_service,
    redis_service,
    tell_missing,
)

__all__ = [
    "cluster",
    "daphne",
    "learner",
    "model_server",
    "own_postgres",
    "own_redis",
    "postgres_service",
    "redis_service",
    "running_model_server",
    "server",
    "servers",
    "template",
    "uvicorn",
]


@pytest.fixture
def student(db: None) -> User:
    return User.objects.create_user("ana@school.example", "correct horse battery")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    yield
    # Where coroutines of tests call the ORM themselves; PostgreSQL drops no database that is in use.
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()


OWN_SERVICES = {"cluster", "own_postgres", "own_redis", "postgres_service", "redis_service"}
STATE = {"db", "transactional_db", "daphne", "learner", "server", "servers", "template", "uvicorn"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is the same in both runs of the suite: with services of its own, or without any state."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & OWN_SERVICES:
            item.add_marker(pytest.mark.services)
        elif not fixtures & STATE and not item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.stateless)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    figures.tell(terminalreporter)
    tell_missing(terminalreporter)


def pytest_configure() -> None:
    # Told to end, the run still ends what it started, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
