"""Writing one answer: providers asked in turn, attempts repeated, what they tell put into the draft's log."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict
from functools import partial
from typing import Any

from answers.draft import Draft, Superseded, Told, reached
from answers.draft_log import encoded
from answers.errors import (
    AiInvalidAnswer,
    AiNotConfigured,
    AiTimeout,
    AnswersError,
    CannotAnswer,
    GenerationError,
    InvalidContent,
    StoreAway,
)
from answers.generation.base import Piece, Provider
from answers.lookup import LookupResult
from answers.questions import Question

logger = logging.getLogger("tutor.drafts")

ATTEMPTS = 3  # calls of one provider for one draft
BACKOFF_SECONDS = 0.5  # before the second call, doubled before the third, unless the provider named a time
FAILURE_SECONDS = 2.0  # how long the log may take to hear of a failure

Save = Callable[[Draft, Told], Awaitable[str]]
LookUp = Callable[[Question, str], Awaitable[LookupResult]]


class Writer:
    """Writes drafts, of which it holds the lease, to their end.

    `deadline`: seconds for one answer, all attempts together. `flush`: seconds between two entries of a log.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        look_up: LookUp,
        save: Save,
        deadline: float,
        flush: float = 0.0,
    ) -> None:
        self._providers = providers
        self._look_up = look_up
        self._save = save
        self.deadline = deadline
        self._flush = flush

    async def write(self, draft: Draft) -> None:
        """Write on from where the log ends; a failure is written too. Raises `Superseded`."""
        try:
            async with asyncio.timeout(self.deadline):
                return await self._tell(draft)
        except Superseded:
            raise
        except TimeoutError:
            failure: AnswersError = AiTimeout()
        except InvalidContent as error:
            failure = AiInvalidAnswer(str(error))
        except AnswersError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 whatever it was, those who listen must hear of it
            logger.error("draft_failed draft=%s error=%s", draft.id, type(error).__name__)
            failure = AnswersError()
        try:
            async with asyncio.timeout(FAILURE_SECONDS):
                await self._append(draft, failed=[failure.code, getattr(failure, "retry_after", None)])
        except (TimeoutError, StoreAway):
            draft.recording.failure = failure
            draft.grew()

    async def aclose(self) -> None:
        """Let go of the providers' connections."""
        for provider in self._providers:
            await provider.aclose()

    async def _append(self, draft: Draft, **what: Any) -> None:
        await reached(partial(draft.append, **what), self.deadline)

    async def _tell(self, draft: Draft) -> None:
        # From here on, a writer before this one can write no more; the first entry tells what is asked.
        await self._append(draft, question=asdict(draft.question), asked_by=draft.asked_by)
        if draft.told is None:
            # Since whoever asked looked, another draft may have been finished, or this one by a writer
            # whose last entries the store has lost.
            found = await reached(lambda: self._look_up(draft.question, draft.asked_by), self.deadline)
            if found.cached and draft.recording.begins(found.answer_steps):
                stored = [found.answer_steps, found.total_duration, found.answer_id]
                return await self._append(draft, stored=stored)
        told = draft.told or await self._tell_by_any(draft)
        if draft.told is None:
            await self._append(draft, told=told)
        answer_id = await reached(partial(self._save, draft, told), self.deadline)
        return await self._append(draft, answer=answer_id)

    async def _tell_by_any(self, draft: Draft) -> Told:
        for provider in self._providers:
            with suppress(CannotAnswer):
                await self._tell_by(provider, draft)
                return Told(provider.source, provider.model, provider.prompt_version)
        raise AiNotConfigured

    async def _tell_by(self, provider: Provider, draft: Draft) -> None:
        recording, clock = draft.recording, asyncio.get_running_loop().time
        began = clock()
        for attempt in range(ATTEMPTS):
            if recording.steps and not recording.has_text:
                await self._append(draft, anew=True)  # nothing of it was shown: it is asked again
            try:
                written = recording if recording.steps else None
                async with aclosing(
                    in_batches(provider.explain(draft.question, written), self._flush)
                ) as told:
                    async for pieces in told:
                        await self._append(draft, pieces=encoded(pieces))
            except GenerationError as error:
                logger.warning("generation_failed draft=%s attempt=%d code=%s", draft.id, attempt, error.code)
                if not error.retriable or attempt == ATTEMPTS - 1:
                    raise
                wait = error.retry_after if error.retry_after is not None else BACKOFF_SECONDS * 2**attempt
                if wait >= self.deadline - (clock() - began):
                    raise  # to wait in vain would only keep the student waiting
                await asyncio.sleep(wait)
            else:
                return


async def in_batches(
    pieces: AsyncGenerator[Piece, None], seconds: float
) -> AsyncGenerator[list[Piece], None]:
    """Yield the first pieces at once, and then every `seconds` what has come; an error comes last."""
    batch: list[Piece] = []
    come = asyncio.Event()

    async def collect() -> None:
        async with aclosing(pieces):
            async for piece in pieces:
                batch.append(piece)
                come.set()

    collecting = asyncio.create_task(collect())
    collecting.add_done_callback(lambda _: come.set())
    try:
        while batch or not collecting.done():
            await come.wait()
            come.clear()
            if batch:
                taken, batch = batch, []
                yield taken
                await asyncio.wait({collecting}, timeout=seconds)
        await collecting
    finally:
        collecting.cancel()
        await asyncio.wait({collecting})
