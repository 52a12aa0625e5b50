"""The door from coroutines to the ORM."""

import asyncio
import threading

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import User
from answers.database import _threads, in_database

pytestmark = pytest.mark.django_db(transaction=True)


async def test_what_the_function_returns_or_raises_comes_back(student: User) -> None:
    found = await in_database(User.objects.get, pk=student.pk)
    assert found == student
    with pytest.raises(User.DoesNotExist):
        await in_database(User.objects.get, email="nobody@school.example")


async def test_work_is_done_at_once_in_as_many_threads_as_there_are_connections() -> None:
    barrier = threading.Barrier(settings.DATABASE_THREADS)

    def meet() -> str:
        barrier.wait(5)
        return threading.current_thread().name

    names = await asyncio.gather(*(in_database(meet) for _ in range(settings.DATABASE_THREADS)))
    assert len(set(names)) == settings.DATABASE_THREADS


async def test_no_connection_is_kept_after_the_work() -> None:
    def use() -> bool:
        User.objects.count()
        return connection.connection is not None

    def look() -> bool:
        return connection.connection is not None

    assert await in_database(use)
    kept = [asyncio.wrap_future(_threads.submit(look)) for _ in range(settings.DATABASE_THREADS * 2)]
    assert not any(await asyncio.gather(*kept))
