"""What the document calls AIService: a question becomes steps, or one clear error."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from answers.draft import Draft, Told
from answers.drafts import Drafts
from answers.errors import AiInvalidAnswer, AiNotConfigured, AiRefused, AiTimeout, AiUnavailable
from answers.generation.base import Plan, Said, StepClosed, StepOpened
from answers.lookup import LookupResult
from answers.questions import Question, read_question
from answers.store import MemoryStore
from answers.writing import Writer
from tests.in_process import TOLD, ScriptedProvider

QUESTION = read_question("¿Qué es una fuerza?")


class FailingProvider(ScriptedProvider):
    """Tells some pieces and fails, once for each error; then it tells all."""

    def __init__(self, *errors: Exception, after: int = 0) -> None:
        super().__init__()
        self.errors, self.after = list(errors), after

    async def explain(self, question, written=None) -> AsyncIterator:
        self.calls += 1
        self.written = written.as_steps() if written else None
        told = TOLD[self.after :] if written else TOLD
        for number, piece in enumerate(told):
            if self.errors and number == self.after:
                raise self.errors.pop(0)
            yield piece


async def miss(question: Question, user: str) -> LookupResult:
    return LookupResult(question.key, question.text, question.normalized)


async def generate(*providers: ScriptedProvider, deadline: float = 5.0) -> tuple[Draft, list[Draft]]:
    """Return the draft when its writer has ended, and the drafts that were saved."""
    saved: list[Draft] = []

    async def save(draft: Draft, told: Told) -> str:
        saved.append(draft)
        return "answer"

    drafts = Drafts(MemoryStore(), Writer(providers, miss, save, deadline))
    draft = await drafts.join(QUESTION, "student", lambda: None)
    await asyncio.gather(draft.keeper)
    return draft, saved


class TestGenerateAnswer:
    async def test_gives_the_steps_and_the_duration_of_the_document(self):
        draft, saved = await generate(ScriptedProvider())
        assert [sorted(step) for step in draft.recording.as_steps()] == [
            ["canvas_commands", "content", "title", "type"]
        ] * 2
        assert draft.recording.duration == 20
        assert draft.recording.complete and saved == [draft]

    async def test_a_drawing_stands_where_it_was_told(self):
        draft, _ = await generate(ScriptedProvider())
        step = draft.recording.steps[0]
        assert step.commands[0]["at"] == len(step.content)

    async def test_the_first_provider_that_can_answers(self):
        cannot, can = ScriptedProvider(pieces=()), ScriptedProvider()
        draft, _ = await generate(cannot, can)
        assert draft.recording.complete and can.calls == 1

    async def test_nobody_can(self):
        draft, saved = await generate(ScriptedProvider(pieces=()))
        assert isinstance(draft.recording.failure, AiNotConfigured) and not saved

    @pytest.mark.parametrize("error", [AiRefused(), AiInvalidAnswer(), AiNotConfigured()])
    async def test_what_asking_again_cannot_help_fails_at_once(self, error):
        provider = FailingProvider(error)
        draft, saved = await generate(provider)
        assert type(draft.recording.failure) is type(error) and not saved
        assert provider.calls == 1

    async def test_asked_again_while_nothing_was_shown(self):
        provider = FailingProvider(AiUnavailable(retry_after=0), AiUnavailable(retry_after=0), after=2)
        draft, _ = await generate(provider)
        assert provider.calls == 3 and provider.written is None
        assert len(draft.recording.steps) == 2

    async def test_what_was_shown_stands_and_is_continued(self):
        provider = FailingProvider(AiUnavailable(retry_after=0), after=3)
        draft, _ = await generate(provider)
        assert provider.written[0]["content"] == TOLD[2].text
        assert draft.recording.steps[0].content == TOLD[2].text
        assert draft.recording.complete

    async def test_gives_up_after_three_calls(self):
        provider = FailingProvider(*(AiUnavailable(retry_after=0) for _ in range(9)))
        draft, _ = await generate(provider)
        assert isinstance(draft.recording.failure, AiUnavailable) and provider.calls == 3

    async def test_one_deadline_for_all_attempts(self):
        provider = ScriptedProvider()
        provider.gate = asyncio.Event().wait
        draft, _ = await generate(provider, deadline=0.01)
        assert isinstance(draft.recording.failure, AiTimeout)

    async def test_a_wait_longer_than_the_deadline_is_not_begun(self):
        draft, _ = await generate(FailingProvider(AiUnavailable(retry_after=600)))
        assert draft.recording.failure.retry_after == 600

    async def test_another_number_of_steps_than_planned_stands(self):
        pieces = [Plan(("Una", "Dos", "Tres"), 9), StepOpened("Una", "text"), Said("Hecho."), StepClosed()]
        draft, _ = await generate(ScriptedProvider(pieces))
        assert draft.recording.total_steps == 1
