"""Questions and answers for the tests of what is kept."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from answers import curation
from answers.models import Answer
from answers.questions import Question, read_question
from answers.schema import Explanation, read_explanation


def asked(text: str = "¿Qué es la fuerza?", asker: object = "", **context: str) -> Question:
    return read_question(text, {"language": "es", **context}, user_language="es", asker=str(asker))


def steps(content: str = "Es una interacción.") -> list[dict[str, Any]]:
    commands = [{"op": "text", "id": "a", "text": "F", "x": 100, "y": 100, "at": 2}]
    return [{"title": "Idea", "type": "text", "content": content, "canvas_commands": commands}]


def told(content: str = "Es una interacción.", duration: float = 60) -> Explanation:
    return read_explanation({"answer_steps": steps(content), "total_duration": duration})


def generated(
    question: Question, asked_by: object, content: str = "Dice el modelo.", **changes: Any
) -> Answer:
    values: dict[str, Any] = {
        "steps": steps(content),
        "duration": 30.0,
        "source": "model",
        "model": "small",
        "prompt_version": "1",
        "draft_id": uuid.uuid4(),
        "asked_by": asked_by,
    }
    return curation.save_generated(question, **values | changes)


def at_once(*calls: Any) -> list[Any]:
    """Call all in threads of their own, each with its own connection; return what each returned."""

    def run(call: Any) -> Any:
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
