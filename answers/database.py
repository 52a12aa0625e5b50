"""The one door from coroutines to the ORM.

Outside HTTP requests, asgiref would queue all database work of the process on a single thread, and nobody
would give the connections back.
"""

import asyncio
import contextvars
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from answers.errors import StoreAway

logger = logging.getLogger("tutor.database")

P = ParamSpec("P")
R = TypeVar("R")

_threads = ThreadPoolExecutor(settings.DATABASE_THREADS, thread_name_prefix="database")


async def in_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a synchronous function that uses the ORM, in one of a few threads of its own.

    Raises `StoreAway` where the database does not answer; what was to be written may be written even then.
    """

    def run() -> R:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    context = contextvars.copy_context()
    try:
        # What still waits for a thread when time is up is never begun.
        async with asyncio.timeout(settings.DATABASE_SECONDS):
            return await asyncio.get_running_loop().run_in_executor(_threads, context.run, run)
    except Exception as error:
        if not is_away(error):
            raise
        logger.warning("database_away error=%s", type(error.__cause__ or error).__name__)
        raise StoreAway from error


def is_away(error: Exception) -> bool:
    """Whether it says that the database does not answer now, rather than that something is wrong."""
    if not isinstance(error, OperationalError | InterfaceError | TimeoutError):
        return False
    # SQLite says by the same class that a table is missing, which waiting does not mend.
    return getattr(error.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
