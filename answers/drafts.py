"""Answers while they are being written: one writer for each question, any number who listen.

The same question asked many times at once costs one call of the model: whoever comes later joins the draft
from its beginning. Its writer goes on when everybody has left, so that the answer is there for the next one.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from answers.errors import (
    AiInvalidAnswer,
    AiNotConfigured,
    AiTimeout,
    AiUnavailable,
    AnswersError,
    CannotAnswer,
    GenerationError,
    InvalidContent,
)
from answers.generation.base import Drawn, Piece, Plan, Provider, Said, StepClosed, StepOpened
from answers.lookup import LookupResult
from answers.questions import Question
from answers.recording import Recording

logger = logging.getLogger("tutor.drafts")

ATTEMPTS = 3  # calls of one provider for one draft
BACKOFF_SECONDS = 0.5  # before the second call, doubled before the third, unless the provider named a time


@dataclass(eq=False)
class Draft:
    """One answer being written; each of its `listeners` is called whenever it has grown."""

    question: Question
    asked_by: str
    recording: Recording
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    listeners: set[Callable[[], None]] = field(default_factory=set)
    writer: asyncio.Task[None] | None = None

    def grew(self) -> None:
        for wake in tuple(self.listeners):
            wake()


Save = Callable[[Draft, Provider], Awaitable[str]]
LookUp = Callable[[Question, str], Awaitable[LookupResult]]


class Drafts:
    """The drafts of this process."""

    def __init__(self, providers: Sequence[Provider], look_up: LookUp, save: Save, deadline: float) -> None:
        self._providers = providers
        self._look_up = look_up
        self._save = save
        self._deadline = deadline  # seconds for one answer, all attempts together
        self._by_key: dict[str, Draft] = {}
        self._by_id: dict[str, Draft] = {}

    def join(self, question: Question, asked_by: str, wake: Callable[[], None]) -> Draft:
        """Listen to the draft for a question, begun now if nobody writes it."""
        draft = self._by_key.get(question.key)
        if draft is None:
            draft = Draft(question, asked_by, Recording(language=question.language))
            self._by_key[question.key] = self._by_id[draft.id] = draft
            draft.writer = asyncio.create_task(self._write(draft), name=f"draft {draft.id}")
        draft.listeners.add(wake)
        return draft

    def find(self, draft_id: str) -> Draft | None:
        """Return a draft that is still being written."""
        return self._by_id.get(draft_id)

    def leave(self, draft: Draft, wake: Callable[[], None], *, for_good: bool = False) -> None:
        """Stop listening; `for_good`: what nobody wants and nobody has seen any of is not written on."""
        draft.listeners.discard(wake)
        if for_good and not draft.listeners and not draft.recording.has_text and draft.writer:
            self._forget(draft)  # whoever asks next begins anew, although the writer takes a moment to end
            draft.writer.cancel()

    async def aclose(self) -> None:
        """End all writers and let go of the providers' connections."""
        writers = [draft.writer for draft in self._by_id.values() if draft.writer]
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
        for provider in self._providers:
            await provider.aclose()

    async def _write(self, draft: Draft) -> None:
        recording = draft.recording
        try:
            async with asyncio.timeout(self._deadline):
                provider = await self._tell(draft)
            if provider:
                recording.answer_id = await self._save(draft, provider)
                recording.finish()
        except TimeoutError:
            recording.failure = AiTimeout()
        except InvalidContent as error:
            recording.failure = AiInvalidAnswer(str(error))
        except AnswersError as error:
            recording.failure = error
        except asyncio.CancelledError:
            recording.failure = AiUnavailable()
            raise
        except Exception as error:  # noqa: BLE001 whatever it was, those who listen must hear of it
            logger.error("draft_failed draft=%s error=%s", draft.id, type(error).__name__)
            recording.failure = AnswersError()
        finally:
            self._forget(draft)
            draft.grew()

    def _forget(self, draft: Draft) -> None:
        self._by_id.pop(draft.id, None)
        if self._by_key.get(draft.question.key) is draft:
            del self._by_key[draft.question.key]

    async def _tell(self, draft: Draft) -> Provider | None:
        """Write a draft to its end; return who told it, or None if it had been stored meanwhile."""
        # Between the look-up of whoever asked and this one, another draft may have been finished.
        found = await self._look_up(draft.question, draft.asked_by)
        if found.cached:
            draft.recording.take(found.answer_steps, found.total_duration, found.answer_id)
            return None
        for provider in self._providers:
            with suppress(CannotAnswer):
                await self._tell_by(provider, draft)
                return provider
        raise AiNotConfigured

    async def _tell_by(self, provider: Provider, draft: Draft) -> None:
        recording, clock = draft.recording, asyncio.get_running_loop().time
        began = clock()
        for attempt in range(ATTEMPTS):
            if not recording.has_text:
                recording.steps.clear()  # nothing of it was shown: it is asked again from the beginning
            try:
                written = recording if recording.steps else None
                # Closed at once when a piece does not fit: its connection must not wait for the collector.
                async with aclosing(provider.explain(draft.question, written)) as pieces:
                    async for piece in pieces:
                        _apply(piece, recording)
                        draft.grew()
            except GenerationError as error:
                logger.warning("generation_failed draft=%s attempt=%d code=%s", draft.id, attempt, error.code)
                if not error.retriable or attempt == ATTEMPTS - 1:
                    raise
                wait = error.retry_after if error.retry_after is not None else BACKOFF_SECONDS * 2**attempt
                if wait >= self._deadline - (clock() - began):
                    raise  # to wait in vain would only keep the student waiting
                await asyncio.sleep(wait)
            else:
                return


def _apply(piece: Piece, recording: Recording) -> None:
    match piece:
        case Plan(titles, duration):
            recording.plan(len(titles), duration)
        case StepOpened(title, type):
            recording.begin_step(title, type)
        case Said(text):
            recording.say(text)
        case Drawn(command):
            recording.draw(command)
        case StepClosed():
            recording.end_step()
