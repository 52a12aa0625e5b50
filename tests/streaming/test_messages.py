"""What the server says by itself is said in the student's language."""

import itertools
from collections.abc import Iterator

import pytest

from accounts.errors import AccountsError
from accounts.models import User
from answers.errors import AnswersError
from streaming.errors import StreamingError
from streaming.messages import (
    ERRORS,
    FALLBACK,
    PAUSED,
    WAITING,
    error_message,
    paused_message,
    waiting_message,
)
from streaming.protocol import ErrorCode

LANGUAGES = list(User.Language.values)


def kinds(error: type[Exception]) -> Iterator[type[Exception]]:
    yield error
    for kind in error.__subclasses__():
        yield from kinds(kind)


def test_the_languages_are_the_students() -> None:
    assert set(ERRORS) == set(PAUSED) == set(WAITING) == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_words_of_its_own_in_every_language(language: str) -> None:
    said = [error_message(code, language) for code in ErrorCode]
    assert len(set(said)) == len(ErrorCode)
    assert all(message.endswith((".", "!", "?")) for message in said)
    others = {message for other in LANGUAGES if other != language for message in ERRORS[other].values()}
    assert not others & set(said)


@pytest.mark.parametrize("base", [AccountsError, AnswersError, StreamingError])
def test_every_error_that_is_raised_has_a_code_with_words(base: type[Exception]) -> None:
    for kind in kinds(base):
        assert error_message(kind.code, "es")  # type: ignore[attr-defined]


def test_a_missing_model_says_how_to_get_one() -> None:
    assert all("OPENAI_API_KEY" in error_message("ai_not_configured", language) for language in LANGUAGES)


@pytest.mark.parametrize("language", ["", "fr", "es-MX"])
def test_an_unknown_language_is_told_in_the_fallback(language: str) -> None:
    assert error_message("ai_timeout", language) == ERRORS[FALLBACK][ErrorCode.AI_TIMEOUT]
    assert paused_message(language) == PAUSED[FALLBACK]
    assert waiting_message(0, language) == WAITING[FALLBACK][0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_waiting_phrases_never_come_twice_in_a_row(language: str) -> None:
    said = [waiting_message(turn, language) for turn in range(20)]
    assert tuple(said[: len(WAITING[language])]) == WAITING[language]
    assert all(one != other for one, other in itertools.pairwise(said))
