"""One draft in several processes: one writer, one text, whoever dies and whatever the store forgets."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, aclosing
from dataclasses import asdict
from typing import Any

import pytest
from redis.asyncio import Redis as Client

from answers.draft import Draft, Told
from answers.draft_log import LEASE_SECONDS, DraftLog, Lease, encoded
from answers.drafts import LOST_SECONDS, POLL_SECONDS, RENEW_SECONDS, Drafts
from answers.errors import AiUnavailable, StoreAway
from answers.generation.base import Plan, Said, StepClosed, StepOpened
from answers.lookup import LookupResult
from answers.questions import read_question
from answers.recording import Recording
from answers.store import MemoryStore, RedisStore, Store
from answers.writing import Writer
from tests.answers.test_drafts import Script
from tests.services import RedisServer
from tests.virtual_time import run

QUESTION = read_question("What is a draft?", {"level": "10"}, user_language="en")
OPENED = [Plan(("Only",), 5.0), StepOpened("Only", "text")]
TAKE_OVER = LEASE_SECONDS + LOST_SECONDS + 2 * POLL_SECONDS


def slowly(words: str, seconds: float = 1.0) -> list[Any]:
    """Return the pieces of words that come one after the other."""
    return [part for word in words.split() for part in (Said(word + " "), seconds)]


class Link:
    """One process's way to the store, which may break."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.broken = False
        self.seconds = 0.0  # there, and as many back
        self.left: int | None = None  # how many calls it lasts

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any) -> Any:
            if self.left is not None:
                self.broken, self.left = self.left == 0, max(0, self.left - 1)
            if self.broken:
                raise StoreAway
            await asyncio.sleep(self.seconds)
            answer = await getattr(self._store, name)(*args)
            await asyncio.sleep(self.seconds)
            return answer

        return call


class Process:
    """The drafts of one process; `saved` is the table of answers, which all share."""

    def __init__(self, store: Store, saved: dict[str, Any], *script: list[Any], deadline: float = 60) -> None:
        self.link = Link(store)
        self.provider = Script(*script)
        self.saved = saved
        self.looks_up = False  # whether it finds what was saved
        self.on_save: Callable[[], Awaitable[None]] | None = None
        writer = Writer([self.provider], self._look_up, self._save, deadline, 0.15)
        self.drafts = Drafts(self.link, writer)

    async def _look_up(self, question: Any, user_id: str) -> LookupResult:
        for draft_id, steps in self.saved.items() if self.looks_up else ():
            return LookupResult("", "", "", draft_id, True, steps)
        return LookupResult("", "", "")

    async def _save(self, draft: Draft, told: Told) -> str:
        if self.on_save:
            await self.on_save()
        self.saved.setdefault(draft.id, draft.recording.as_steps())
        return draft.id

    async def join(self) -> Draft:
        return await self.drafts.join(QUESTION, "asker", lambda: None)

    @property
    def calls(self) -> int:
        return len(self.provider.written)


def told(
    story: Callable[..., Coroutine[Any, Any, None]], *scripts: list[Any], deadline: float = 60
) -> dict[str, Any]:
    """Let a story happen among processes with one script each; return what was saved."""
    saved: dict[str, Any] = {}

    async def main() -> None:
        store = MemoryStore(asyncio.get_running_loop().time)
        processes = [Process(store, saved, script, deadline=deadline) for script in scripts]
        async with asyncio.timeout(1000):
            await story(store, *processes)
        for process in processes:
            process.link.broken = False
            await process.drafts.aclose()

    run(main())
    return saved


def text(draft: Draft) -> str:
    return "".join(step.content for step in draft.recording.steps)


async def ended(*drafts: Draft) -> None:
    for draft in drafts:
        if draft.keeper:
            await asyncio.wait({draft.keeper})


def test_two_processes_that_are_asked_at_once_hear_one_writer() -> None:
    async def story(store: Any, one: Process, two: Process) -> None:
        here, there = await asyncio.gather(one.join(), two.join())
        assert (here.id, here is there) == (there.id, False)
        await asyncio.sleep(1.6)
        assert "" != text(here) == text(there), "it is heard while it is being written"
        late = await two.join()
        assert late is there
        await ended(here, there)
        assert text(here) == text(there) == "a b c d "
        assert here.recording.complete and there.recording.complete
        assert here.recording.answer_id == there.recording.answer_id == here.id
        assert one.calls + two.calls == 1

    whole = [*OPENED, *slowly("a b c d"), StepClosed()]
    assert len(told(story, whole, whole)) == 1


def test_when_the_writer_is_gone_another_writes_on_and_what_was_shown_stands() -> None:
    async def story(store: Any, one: Process, two: Process) -> None:
        here = await one.join()
        await asyncio.sleep(0.1)
        there = await two.join()
        await asyncio.sleep(2.5)
        one.link.broken = True
        shown, began = text(here), asyncio.get_running_loop().time()
        while two.calls == 0:  # noqa: ASYNC110 a provider tells nobody that it was called
            await asyncio.sleep(0.05)
        assert asyncio.get_running_loop().time() - began <= TAKE_OVER + RENEW_SECONDS
        assert shown == "a b c "
        assert two.provider.written[0][0]["content"] == shown, "the new writer goes on from there"
        assert text(here) == shown, "what is not in the log is not played"
        one.link.broken = False
        await ended(here, there)
        assert text(here) == text(there) == "a b c X Y "
        assert here.recording.answer_id == there.recording.answer_id

    mine = [*OPENED, *slowly("a b c d e f g h i j k l m n o p"), StepClosed()]
    saved = told(story, mine, [*slowly("X Y"), StepClosed()])
    assert [steps[0]["content"] for steps in saved.values()] == ["a b c X Y "]


def test_a_process_that_ends_hands_its_drafts_over_at_once() -> None:
    async def story(store: Any, one: Process, two: Process) -> None:
        await one.join()
        await asyncio.sleep(0.1)
        there = await two.join()
        await asyncio.sleep(1.5)
        await one.drafts.aclose()
        await asyncio.sleep(3 * POLL_SECONDS)
        assert two.calls == 1
        await ended(there)
        assert text(there) == "a b X "

    told(story, [*OPENED, *slowly("a b c d"), StepClosed()], [*slowly("X"), StepClosed()])


def test_a_draft_that_nobody_waits_for_is_written_on_for_the_next_who_asks() -> None:
    async def story(store: Any, one: Process, two: Process) -> None:
        await one.join()
        await asyncio.sleep(1.5)
        await one.drafts.aclose()
        there = await two.join()
        await ended(there)
        assert text(there) == "a b X "

    told(story, [*OPENED, *slowly("a b c d"), StepClosed()], [*slowly("X"), StepClosed()])


@pytest.mark.parametrize("followed", [True, False])
def test_what_nobody_wants_any_more_is_not_written_by_a_process_that_only_followed_or_looked(
    followed: bool,
) -> None:
    def wake() -> None: ...

    async def story(store: Any, one: Process, two: Process) -> None:
        here = await one.drafts.join(QUESTION, "asker", wake)
        await asyncio.sleep(1)
        if followed:  # the student has been at the other process for a moment
            two.drafts.leave(await two.drafts.join(QUESTION, "asker", wake), wake)
        one.drafts.leave(here, wake, for_good=True)
        await asyncio.sleep(1)
        assert await two.drafts.find(here.id, follow=False)
        await asyncio.sleep(TAKE_OVER)
        assert (one.calls, two.calls) == (1, 0)
        await ended(await two.join())
        assert two.calls == 1, "who asks after all begins anew"

    told(story, [10, *OPENED], [*OPENED, *slowly("a"), StepClosed()])


def test_a_store_that_forgets_everything_costs_no_second_call() -> None:
    async def story(store: MemoryStore, one: Process, two: Process, three: Process) -> None:
        here = await one.join()
        await asyncio.sleep(0.1)
        there = await two.join()
        await asyncio.sleep(2.5)
        store._values.clear()
        found = await three.drafts.find(here.id)  # a student who resumes in a third process at this moment
        assert found
        assert found.question == QUESTION
        late = await three.join()
        await ended(here, there, late)
        assert text(here) == text(there) == text(found) == text(late) == "a b c d e f g h "
        assert (one.calls, two.calls, three.calls) == (1, 0, 0)

    whole = [*OPENED, *slowly("a b c d e f g h"), StepClosed()]
    assert len(told(story, whole, whole, whole)) == 1


@pytest.mark.parametrize("moment", [round(1 + 0.02 * n, 2) for n in range(30)])
def test_a_store_that_forgets_everything_as_a_draft_ends_leaves_no_hole(moment: float) -> None:
    """Who follows hears the whole: its writer says it again before it leaves; then it can be looked up."""
    written = 1.4  # seconds

    async def story(store: MemoryStore, one: Process, two: Process) -> None:
        two.looks_up = moment >= written
        here = await one.join()
        await asyncio.sleep(0.08)
        there = await two.join()
        await asyncio.sleep(moment - 0.08)
        store._values.clear()
        await ended(here, there)
        assert text(here) == text(there) == "a b c d e f g h i j k l m n "
        assert here.recording.answer_id == there.recording.answer_id == here.id
        assert (one.calls, two.calls) == (1, 0)

    whole = [*OPENED, *slowly("a b c d e f g h i j k l m n", written / 14), StepClosed()]
    assert len(told(story, whole, [*slowly("X"), StepClosed()])) == 1


@pytest.mark.parametrize("moment", [round(0.01 * n, 2) for n in range(25)])
def test_a_store_that_forgets_everything_as_a_draft_begins_leaves_every_text_whole(moment: float) -> None:
    """Whoever comes to a draft that another process began does not take its lease for that."""

    async def story(store: MemoryStore, one: Process, two: Process) -> None:
        one.link.seconds = two.link.seconds = 0.01

        async def later() -> Draft:
            await asyncio.sleep(0.06)
            return await two.join()

        async def forget() -> None:
            await asyncio.sleep(moment)
            store._values.clear()

        here, there, _ = await asyncio.gather(one.join(), later(), forget())
        await ended(here, there)
        assert text(here) == text(there) == "a b c d "
        assert (one.calls, two.calls) == (1, here.id != there.id)

    whole = [*OPENED, *slowly("a b c d", 0.3), StepClosed()]
    told(story, whole, whole)


def test_what_a_writer_still_said_after_another_took_over_is_not_heard() -> None:
    """Its entries stand behind those that the store has lost, and the other writes on from there."""
    store = MemoryStore()
    draft = Draft("d", QUESTION, "asker", Recording("en"), DraftLog(store, "d", 60), Lease(store, "d"))
    for writer, what in (
        ("one", {"question": asdict(QUESTION), "pieces": encoded(OPENED)}),
        ("one", {"pieces": encoded([Said("a ")])}),
        ("two", {"question": asdict(QUESTION)}),
        ("one", {"pieces": encoded([Said("c ")])}),
        ("two", {"pieces": encoded([Said("b ")])}),
    ):
        draft.take({"by": writer, **what})
    assert text(draft) == "a b "


@pytest.mark.parametrize("seconds", [3, LEASE_SECONDS + 3])
def test_an_absence_of_the_store_only_delays_the_text(seconds: float) -> None:
    """Even where the lease lapses meanwhile: its holder has a moment to take it again."""

    async def story(store: Any, one: Process, two: Process) -> None:
        here = await one.join()
        await asyncio.sleep(0.1)
        there = await two.join()
        await asyncio.sleep(1)
        one.link.broken = two.link.broken = True
        await asyncio.sleep(seconds)
        one.link.broken = two.link.broken = False
        await ended(here, there)
        assert text(here) == text(there) == "a b c d e f g h "
        assert (one.calls, two.calls) == (1, 0)

    whole = [*OPENED, *slowly("a b c d e f g h"), StepClosed()]
    assert len(told(story, whole, whole)) == 1


def test_what_was_told_to_its_end_is_saved_by_whoever_is_left() -> None:
    async def story(store: Any, one: Process, two: Process) -> None:
        async def die() -> None:
            one.link.broken = True
            await asyncio.sleep(100)

        one.on_save = die
        await one.join()
        await asyncio.sleep(0.1)
        there = await two.join()
        await ended(there)
        assert there.recording.complete
        assert (one.calls, two.calls) == (1, 0)

    saved = told(story, [*OPENED, *slowly("a b"), StepClosed()], [AssertionError()])
    assert [steps[0]["content"] for steps in saved.values()] == ["a b "]


@pytest.mark.parametrize("waiting", [True, False])
def test_a_failure_is_heard_everywhere_and_the_next_question_begins_anew(waiting: bool) -> None:
    async def story(store: Any, one: Process, two: Process) -> None:
        here = await one.join()
        there = await two.join() if waiting else None
        await ended(here, *([there] if there else []))
        for draft in (here, there):
            failure = draft.recording.failure if draft else AiUnavailable(retry_after=600)
            assert isinstance(failure, AiUnavailable)
            assert failure.retry_after == 600
        anew = await two.join()
        assert anew.id != here.id
        ended_draft = await two.drafts.find(here.id)
        assert ended_draft and ended_draft.recording.failure

    told(story, [*OPENED, *slowly("a"), AiUnavailable(retry_after=600)], [100])


def test_a_draft_of_which_the_store_knows_nothing_is_not_found() -> None:
    async def story(store: Any, one: Process) -> None:
        assert await one.drafts.find("unknown") is None
        one.link.broken = True
        with pytest.raises(StoreAway):
            await one.drafts.find("unknown")
        with pytest.raises(StoreAway):
            await one.join()

    told(story, [100])


def test_a_stop_before_the_first_word_leaves_the_draft_to_whoever_still_listens() -> None:
    async def story(store: Any, one: Process, two: Process) -> None:
        def wake() -> None:
            return None

        here = await one.drafts.join(QUESTION, "asker", wake)
        await asyncio.sleep(0.1)
        there = await two.join()
        await asyncio.sleep(0.5)
        one.drafts.leave(here, wake, for_good=True)
        await ended(here, there)
        assert text(there) == "a "
        assert (one.calls, two.calls) == (1, 0), "and it is not asked again"

    told(story, [*OPENED, 10, *slowly("a"), StepClosed()], [*OPENED, *slowly("X"), StepClosed()])


def test_a_store_that_goes_away_while_it_is_told_again_is_told_the_rest() -> None:
    async def story(store: MemoryStore, one: Process, two: Process) -> None:
        here = await one.join()
        await asyncio.sleep(3.5)
        store._values.clear()
        one.link.left = 6  # enough to be the writer again, and for the first of what is written
        await asyncio.sleep(2)
        assert one.link.broken
        one.link.left, one.link.broken = None, False
        await asyncio.sleep(1.5)
        there = await two.drafts.find(here.id)
        assert there
        assert text(there) == text(here)
        await ended(here, there)
        assert text(there) == text(here) == "a b c d e f g h i j "
        assert (one.calls, two.calls) == (1, 0)

    whole = [*OPENED, *slowly("a b c d e f g h i j"), StepClosed()]
    assert len(told(story, whole, [100])) == 1


def test_what_was_written_is_known_to_all_after_a_take_over_however_soon_answers_are_due() -> None:
    async def story(store: Any, one: Process, two: Process, three: Process) -> None:
        here = await one.join()
        there = await two.join()
        await asyncio.sleep(0.5)
        one.link.broken = True
        assert text(here) == "a b "
        while two.calls == 0:  # noqa: ASYNC110 a provider tells nobody that it was called
            await asyncio.sleep(0.1)
        found = await three.drafts.find(here.id)
        assert found
        await ended(there, found)
        assert text(there) == text(found) == "a b X "

    mine = [*OPENED, *slowly("a b c", 0.3), 10]
    told(story, mine, [*slowly("X", 0.3), StepClosed()], [100], deadline=1)


def test_an_entry_that_nobody_can_read_does_not_spoil_the_question() -> None:
    async def story(store: MemoryStore, one: Process, two: Process) -> None:
        here = await one.join()
        await ended(here)
        assert getattr(here.recording.failure, "code", "") == "internal_error"
        there = await two.join()
        await ended(there)
        assert text(there) == "X "

    told(story, [*OPENED, *OPENED], [*OPENED, *slowly("X"), StepClosed()])


def test_whoever_asks_while_the_process_ends_does_not_hold_it_up() -> None:
    async def story(store: Any, one: Process) -> None:
        first = await one.join()
        await asyncio.sleep(1)
        closing = asyncio.create_task(one.drafts.aclose())
        await asyncio.sleep(0)
        assert await one.join() is not first
        await closing

    told(story, [100])


async def test_on_redis_one_writer_is_heard_handed_over_and_survives_a_flush(
    redis_service: RedisServer,
) -> None:
    url, saved = redis_service.database(), dict[str, Any]()
    mine = [*OPENED, *slowly("a b c d e f", 0.2), StepClosed()]
    scripts = [mine, [*slowly("u v w x y z X Y Z", 0.2), StepClosed()], [100]]
    async with AsyncExitStack() as stack, asyncio.timeout(30):
        stores = [await stack.enter_async_context(aclosing(RedisStore(url))) for _ in scripts]
        one, two, three = (
            Process(store, saved, script) for store, script in zip(stores, scripts, strict=True)
        )
        for process in (one, two, three):
            stack.push_async_callback(process.drafts.aclose)
        here = await one.join()
        drafts = await asyncio.gather(*(process.join() for process in (one, two, two, two)))
        assert {draft.id for draft in drafts} == {here.id}
        there = drafts[-1]
        await asyncio.sleep(0.7)
        await one.drafts.aclose()
        shown = text(here)
        assert shown.startswith("a b ")
        await asyncio.sleep(3 * POLL_SECONDS)
        assert (one.calls, two.calls) == (1, 1)
        async with Client.from_url(url) as client:
            await client.flushdb()
        found = await three.drafts.find(here.id)
        assert found
        late = await three.join()
        assert late is found
        await ended(there, late)
        assert text(there) == text(late) == f"{shown}u v w x y z X Y Z "
        assert [steps[0]["content"] for steps in saved.values()] == [text(late)]
        assert (one.calls, two.calls, three.calls) == (1, 1, 0)
