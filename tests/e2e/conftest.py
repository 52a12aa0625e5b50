"""What the tests over real sockets compare with and show."""

import json

import pytest

from tests.client import StudentClient
from tests.server import Server

SKY = "¿Por qué el cielo es azul?"  # a sample answer of five steps and some 2,300 characters


def stored_text(server: Server, question: str = SKY) -> dict[int, str]:
    """Return what the answer to a question says, step by step."""
    (row,) = server.rows("SELECT answer_steps FROM ai_answers WHERE question_text = ?", question)
    return {n: step["content"] for n, step in enumerate(json.loads(row["answer_steps"]), 1)}


def joined(text: dict[int, str]) -> str:
    return "\0".join(text[step] for step in sorted(text))


def assert_prefix(client: StudentClient, whole: dict[int, str]) -> None:
    """The first invariant: the student's text is the explanation's text up to the playhead."""
    assert not client.faults, client.faults
    step = max(client.text, default=1)
    assert sorted(client.text) == list(range(1, step + 1)) or not client.text
    for number, content in client.text.items():
        expected = whole[number]
        assert content == (expected[: len(content)] if number == step else expected), number


@pytest.fixture
def sky(daphne: Server) -> dict[int, str]:
    return stored_text(daphne)
