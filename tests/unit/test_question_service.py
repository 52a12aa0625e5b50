"""What the document calls QuestionService: validate, normalise, hash, look in the cache."""

import dataclasses
import uuid

import pytest

from answers.curation import add_alias, add_version, retire
from answers.errors import InvalidQuestion, QuestionEmpty, QuestionTooLong
from answers.lookup import LookupResult, look_up
from answers.questions import read_question
from answers.schema import read_explanation

NOBODY = str(uuid.uuid4())
STEP = {"title": "Idea", "type": "text", "content": "Una interacción.", "canvas_commands": []}


def process(text: str, **context: str) -> LookupResult:
    return look_up(read_question(text, {"language": "es", **context}), NOBODY)


@pytest.fixture
def answer(db: None):
    explanation = read_explanation({"answer_steps": [STEP], "total_duration": 60})
    return add_version(read_question("¿Qué es una fuerza?", {"language": "es"}), explanation)


class TestProcessQuestion:
    def test_returns_the_seven_fields_of_the_document(self, answer):
        assert [field.name for field in dataclasses.fields(process("¿Qué es una fuerza?"))] == [
            "question_hash",
            "question_text",
            "normalized_text",
            "answer_id",
            "cached",
            "answer_steps",
            "total_duration",
        ]

    def test_hit(self, answer):
        result = process("¿Qué es una fuerza?")
        assert result.cached
        assert result.answer_id == str(answer.id)
        assert result.answer_steps == [STEP]
        assert result.total_duration == 60

    def test_miss(self, answer):
        result = process("¿Qué es una energía?")
        assert not result.cached
        assert result.answer_id is None
        assert result.answer_steps == []

    def test_keeps_the_original_text(self, answer):
        assert process("  que es una fuerza ").question_text == "que es una fuerza"

    def test_hash_is_a_sha256(self, answer):
        assert len(bytes.fromhex(process("¿Qué es una fuerza?").question_hash)) == 32

    @pytest.mark.parametrize("wording", ["que es una fuerza", "¿Qué  es una fuerza?", "Qué es una fuerza."])
    def test_spelling_does_not_matter(self, answer, wording):
        assert process(wording).cached

    @pytest.mark.parametrize("other", ["¿Qué no es una fuerza?", "¿Qué es una fuerza g?", "What is a force?"])
    def test_another_question_is_another_question(self, answer, other):
        assert not process(other).cached

    def test_an_answer_for_any_subject_serves_each(self, answer):
        assert process("¿Qué es una fuerza?", subject="física", level="3º").cached

    def test_the_language_binds(self, answer):
        assert not process("¿Qué es una fuerza?", language="pt").cached

    def test_other_context_makes_it_private(self, answer):
        question = read_question("¿Qué es una fuerza?", {"language": "es", "mood": "sad"}, asker=NOBODY)
        assert not look_up(question, NOBODY).cached

    def test_another_wording_that_an_editor_accepted(self, answer):
        add_alias(read_question("Define fuerza", {"language": "es"}), answer.question_hash)
        assert process("Define fuerza").answer_id == str(answer.id)

    def test_what_an_editor_withdrew_is_served_to_nobody(self, answer):
        retire(answer)
        assert not process("¿Qué es una fuerza?").cached


class TestValidation:
    @pytest.mark.parametrize("text", ["", "   ", "¿?", "…"])
    def test_empty(self, text):
        with pytest.raises(QuestionEmpty):
            read_question(text)

    def test_too_long(self):
        assert read_question("a" * 2000)
        with pytest.raises(QuestionTooLong):
            read_question("a" * 2001)

    @pytest.mark.parametrize("text", ["a\x00", "a\ud800"])
    def test_what_no_text_holds(self, text):
        with pytest.raises(InvalidQuestion):
            read_question(text)
