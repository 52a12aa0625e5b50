"""What `manage.py check` says of a set-up."""

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks


def ids() -> set[str | None]:
    return {message.id for message in run_checks()}


def test_nothing_is_said_of_a_usual_set_up(settings: Any, tmp_path: Path) -> None:
    settings.PAGE, settings.SUPABASE_ANON_KEY = tmp_path, ""
    assert not ids()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PAGE", Path("nowhere"), "streaming.W001"),
        ("SUPABASE_ANON_KEY", "a key", "streaming.I001"),
    ],
)
def test_what_is_missing_or_not_needed_is_named(
    settings: Any, tmp_path: Path, name: str, value: object, expected: str
) -> None:
    settings.PAGE, settings.SUPABASE_ANON_KEY = tmp_path, ""
    setattr(settings, name, value)
    assert ids() == {expected}
