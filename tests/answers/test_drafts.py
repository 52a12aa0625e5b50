"""One writer for each question, however many ask and whatever goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from answers.draft import Draft, Told
from answers.drafts import Drafts
from answers.errors import (
    AiInvalidAnswer,
    AiRefused,
    AiUnavailable,
    AnswersError,
    CannotAnswer,
    InvalidContent,
)
from answers.generation.base import Drawn, Plan, Said, StepClosed, StepOpened
from answers.lookup import LookupResult
from answers.questions import Question, read_question
from answers.store import MemoryStore
from answers.writing import ATTEMPTS, Writer
from tests.virtual_time import run

QUESTION = read_question("What is a draft?", user_language="en")
OTHER = read_question("What is another draft?", user_language="en")
DEADLINE = 30.0
OPENED = [Plan(("Only",), 5.0), StepOpened("Only", "text")]
TOLD = [*OPENED, Said("abcdef"), StepClosed()]

# One attempt: pieces, seconds to wait, an error to end with.
Attempt = list[Any]


class Script:
    """A provider that does in each attempt what it was told to."""

    source, model, prompt_version = "model", "scripted", "1"

    def __init__(self, *attempts: Attempt) -> None:
        self._attempts = attempts
        self.written: list[Any] = []  # what each attempt was given to go on from, as `answer_steps`
        self.closed = False

    async def explain(self, question: Question, written: Any = None) -> AsyncIterator[Any]:
        attempt = self._attempts[min(len(self.written), len(self._attempts) - 1)]
        self.written.append(written and written.as_steps())
        for part in attempt:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, int | float):
                await asyncio.sleep(part)
            else:
                yield part

    async def aclose(self) -> None:
        self.closed = True


class World:
    """Drafts whose answers are kept in a list."""

    def __init__(self, *providers: Script, found: LookupResult | None = None) -> None:
        self.providers, self.saved, self.looked = providers, [], 0
        self._found = found or LookupResult("", "", "")
        self.broken: Exception | None = None  # what saving ends in
        self.drafts = Drafts(MemoryStore(), Writer(providers, self._look_up, self._save, DEADLINE))
        self.grown = 0

    async def _look_up(self, question: Question, user_id: str) -> LookupResult:
        self.looked += 1
        return self._found

    async def _save(self, draft: Draft, told: Told) -> str:
        assert told == Told("model", "scripted", "1")
        if self.broken:
            raise self.broken
        self.saved.append(draft.recording.as_steps())
        return "answer-1"

    def wake(self) -> None:
        self.grown += 1

    async def join(self, question: Question = QUESTION, wake: Callable[[], None] | None = None) -> Draft:
        return await self.drafts.join(question, "asker", wake or self.wake)


def tell(world: World) -> tuple[Draft, float]:
    """Write one draft to its end; return it and the seconds that it took."""

    async def main() -> tuple[Draft, float]:
        draft = await world.join()
        assert draft.keeper
        await asyncio.wait({draft.keeper})
        return draft, asyncio.get_running_loop().time()

    return run(main())


def content(draft: Draft) -> list[str]:
    return [step.content for step in draft.recording.steps]


def test_an_answer_is_told_saved_and_complete() -> None:
    world = World(Script([*OPENED, Said("abc"), Drawn({"op": "page", "id": "a"}), Said("def"), StepClosed()]))
    draft, _ = tell(world)
    assert content(draft) == ["abcdef"]
    assert draft.recording.steps[0].commands == [{"op": "page", "id": "a", "at": 3}]
    assert (draft.recording.complete, draft.recording.failure) == (True, None)
    assert draft.recording.answer_id == "answer-1"
    assert world.saved == [draft.recording.as_steps()]
    assert world.grown > 2, "each entry, and the end"
    assert world.drafts.here(draft.id) is None


def test_an_answer_that_was_stored_meanwhile_is_taken_instead() -> None:
    steps = [{"title": "S", "type": "text", "content": "stored", "canvas_commands": []}]
    world = World(Script(TOLD), found=LookupResult("", "", "", "answer-9", True, steps, 7.0))
    draft, _ = tell(world)
    assert content(draft) == ["stored"]
    assert (draft.recording.answer_id, draft.recording.complete) == ("answer-9", True)
    assert (world.providers[0].written, world.saved) == ([], [])


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [
        ([[AiUnavailable(retry_after=7)], TOLD], 7.0),
        ([[AiUnavailable(retry_after=0)], TOLD], 0.0),
        ([[AiUnavailable()], TOLD], 0.5),
        ([[AiUnavailable()], [AiUnavailable()], TOLD], 1.5),
    ],
)
def test_an_attempt_that_failed_is_repeated_after_the_time_that_was_asked_for(
    attempts: list[Attempt], seconds: float
) -> None:
    draft, took = tell(World(Script(*attempts)))
    assert content(draft) == ["abcdef"]
    assert took == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize(
    ("attempts", "code", "calls", "seconds"),
    [
        ([[AiUnavailable()]], "ai_unavailable", ATTEMPTS, 1.5),
        ([[AiRefused()]], "ai_refused", 1, 0),
        ([[AiInvalidAnswer()]], "ai_invalid_answer", 1, 0),
        ([[InvalidContent(["steps: none"])]], "ai_invalid_answer", 1, 0),
        ([[AiUnavailable(retry_after=31)]], "ai_unavailable", 1, 0),
        ([[20, AiUnavailable(retry_after=11)]], "ai_unavailable", 1, 20),
        ([[*OPENED, 100]], "ai_timeout", 1, DEADLINE),
        ([[20, AiUnavailable(retry_after=5)], [100]], "ai_timeout", 2, DEADLINE),
        ([[CannotAnswer()]], "ai_not_configured", 1, 0),
        ([[ValueError("kanarienvogel")]], "internal_error", 1, 0),
        ([[Said("out of order")]], "internal_error", 1, 0),
    ],
)
def test_what_goes_wrong_in_the_end_is_one_coded_failure_in_time(
    attempts: list[Attempt], code: str, calls: int, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(Script(*attempts))
    draft, took = tell(world)
    failure = draft.recording.failure
    assert failure
    assert (failure.code, len(world.providers[0].written)) == (code, calls)
    assert took == pytest.approx(seconds, abs=0.01)
    assert (world.saved, draft.recording.complete) == ([], False)
    assert world.grown > 0, "those who listen hear of it"
    assert "kanarienvogel" not in caplog.text


def test_a_failure_keeps_the_seconds_that_were_asked_for() -> None:
    draft, _ = tell(World(Script([AiUnavailable(retry_after=600)])))
    assert getattr(draft.recording.failure, "retry_after", None) == 600


def test_what_was_told_stands_and_is_gone_on_from() -> None:
    plan, opened = Plan(("A", "B"), 5.0), StepOpened("A", "text")
    first = [plan, opened, Said("abc"), AiUnavailable()]
    script = Script(first, [Said("def"), StepClosed(), StepOpened("B", "text"), Said("g"), StepClosed()])
    world = World(script)
    draft, _ = tell(world)
    assert content(draft) == ["abcdef", "g"]
    assert script.written[0] is None
    assert [step["content"] for step in script.written[1]] == ["abc"]
    assert world.saved[0][0]["content"] == "abcdef"


def test_what_nobody_has_seen_is_asked_anew() -> None:
    script = Script([*OPENED, AiUnavailable()], TOLD)
    draft, _ = tell(World(script))
    assert script.written == [None, None]
    assert content(draft) == ["abcdef"]


def test_the_next_provider_takes_what_the_first_does_not() -> None:
    world = World(Script([CannotAnswer()]), Script(TOLD))
    draft, _ = tell(world)
    assert content(draft) == ["abcdef"]


def test_an_answer_that_cannot_be_saved_is_a_failure() -> None:
    world = World(Script(TOLD))
    world.broken = OSError()
    draft, _ = tell(world)
    assert draft.recording.failure
    assert draft.recording.failure.code == "internal_error"


def in_world(world: World, story: Callable[[World], Awaitable[None]]) -> World:
    async def main() -> None:
        await story(world)
        await world.drafts.aclose()

    run(main())
    return world


def test_all_who_ask_at_once_hear_one_draft_and_the_next_begins_anew() -> None:
    async def story(world: World) -> None:
        first, second, other = await asyncio.gather(world.join(), world.join(), world.join(OTHER))
        assert first is second
        assert other is not first
        assert world.drafts.here(first.id) is first
        assert first.keeper
        await first.keeper
        assert await world.join() is not first

    world = in_world(World(Script(TOLD)), story)
    assert world.looked == 3, "each draft looks whether it is still needed"


def test_a_stop_before_the_first_word_ends_a_draft_that_nobody_else_wants() -> None:
    async def story(world: World) -> None:
        draft = await world.join()
        await asyncio.sleep(1)
        world.drafts.leave(draft, world.wake, for_good=True)
        await asyncio.sleep(0)
        anew = await world.join()
        assert anew is not draft, "whoever asks next does not get the one that ends"
        assert draft.keeper
        await asyncio.wait({draft.keeper})
        assert draft.keeper.cancelled()
        assert world.drafts.here(anew.id) is anew, "the end of the one is not the end of the other"

    in_world(World(Script([*OPENED, 10, Said("abc"), StepClosed()])), story)


@pytest.mark.parametrize("reason", ["another listens", "only gone", "text is there", "joined just now"])
def test_otherwise_a_draft_is_written_to_its_end(reason: str) -> None:
    async def story(world: World) -> None:
        draft = await world.join()
        if reason == "another listens":
            await world.join(wake=lambda: None)
        if reason != "joined just now":
            await asyncio.sleep(1 if reason != "text is there" else 12)
        if reason == "joined just now":
            await world.join(wake=lambda: None)
        world.drafts.leave(draft, world.wake, for_good=reason != "only gone")
        assert draft.keeper
        await draft.keeper
        assert draft.recording.complete

    world = in_world(World(Script([*OPENED, 10, Said("abc"), 5, StepClosed()])), story)
    assert len(world.saved) == 1


def test_at_the_end_of_the_process_all_writers_end_and_providers_let_go() -> None:
    async def story(world: World) -> None:
        draft = await world.join()
        await asyncio.sleep(1)
        await world.drafts.aclose()
        assert isinstance(draft.recording.failure, AnswersError)
        assert draft.recording.failure.code == "ai_unavailable"
        assert world.grown > 0

    world = in_world(World(Script([100])), story)
    assert world.providers[0].closed
