"""Fixtures of every package's tests."""

import pytest

from accounts.models import User


@pytest.fixture
def student(db: None) -> User:
    return User.objects.create_user("ana@school.example", "correct horse battery")
