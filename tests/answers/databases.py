"""Databases of other kinds than the suite's own, in the place of the default one for a while."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.conf import settings
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from answers import database as door
from tutor.settings import database


@contextmanager
def default_database(url: str) -> Iterator[None]:
    """Let everything in this process use the database at `url`; leave no connection to it behind."""
    pools: dict[str, Any] = DatabaseWrapper._connection_pools
    kept_pools, kept_settings = dict(pools), connections.settings["default"]
    kept = connections["default"]
    pools.clear()
    connections.settings["default"] = connections.configure_settings({"default": database(url)})["default"]
    del connections["default"]
    threads = ThreadPoolExecutor(settings.DATABASE_THREADS)
    try:
        with mock.patch.object(door, "_threads", threads):
            yield
    finally:
        threads.shutdown(cancel_futures=True)
        connections["default"].close()
        for pool in pools.values():
            pool.close()
        pools.clear()
        pools.update(kept_pools)
        connections.settings["default"] = kept_settings
        connections["default"] = kept
