"""Answers while they are being written: one writer for each question, any number who listen, in any process.

The same question asked many times at once costs one call of the model: whoever comes later joins the draft
from its beginning. What is played is what stands in the draft's log, so that nothing that was shown is ever
told in another way: when a writer dies, whoever listens elsewhere writes on from there. A writer goes on when
everybody has left, so that the answer is there for the next one.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from answers.draft import Draft, Superseded, reached
from answers.draft_log import LEASE_SECONDS, VERSION, DraftLog, Lease
from answers.errors import AiUnavailable, AnswersError, StoreAway
from answers.questions import Question
from answers.recording import Recording
from answers.store import Store
from answers.writing import Writer

logger = logging.getLogger("tutor.drafts")

POLL_SECONDS = 0.15  # how often a log is read that another process writes
RENEW_SECONDS = 1.0
LOST_SECONDS = 1.5  # how long a writer has to show itself after the store has forgotten it


class Drafts:
    """The drafts that somebody in this process listens to or writes."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._writer = writer
        # Of a log: what was written first must still be there when the last is, whoever died in between.
        self._ttl = 4 * (writer.deadline + LEASE_SECONDS + LOST_SECONDS)
        self._by_key: dict[str, Draft] = {}
        self._by_id: dict[str, Draft] = {}
        self._opening: dict[str, asyncio.Task[Draft]] = {}
        self._giving_up: set[asyncio.Task[None]] = set()

    async def join(self, question: Question, asked_by: str, wake: Callable[[], None]) -> Draft:
        """Listen to the draft for a question, begun now if nobody writes it. Raises `StoreAway`."""
        while True:
            draft = self._by_key.get(question.key)
            if draft is None:
                draft = await asyncio.shield(self._opened(question, asked_by))
            keeper = draft.keeper
            if keeper is None or (not keeper.cancelling() and (draft.ended or not keeper.done())):
                draft.listeners.add(wake)
                return draft

    def here(self, draft_id: str) -> Draft | None:
        """Return a draft that this process writes or follows."""
        return self._by_id.get(draft_id)

    async def find(self, draft_id: str, *, follow: bool = True) -> Draft | None:
        """Return a draft that the store knows, whoever writes it; unless it is to `follow`, as it stands now.

        Raises `StoreAway`.
        """
        clock = asyncio.get_running_loop().time
        patience = clock() + LOST_SECONDS
        while draft_id not in self._by_id:
            draft = await self._stored(draft_id)
            if draft and draft_id not in self._by_id:
                return draft if draft.ended or not follow else self._kept(draft)
            if clock() >= patience:
                return None
            await asyncio.sleep(POLL_SECONDS)
        return self._by_id[draft_id]

    def leave(self, draft: Draft, wake: Callable[[], None], *, for_good: bool = False) -> None:
        """Stop listening; `for_good`: what nobody wants and nobody has seen any of is not written on."""
        draft.listeners.discard(wake)
        if for_good and not draft.wanted:
            task = asyncio.create_task(self._give_up(draft))
            self._giving_up.add(task)
            task.add_done_callback(self._giving_up.discard)

    async def aclose(self) -> None:
        """Leave all drafts to other processes, and let go of the providers' connections."""
        tasks: list[asyncio.Task[Any]] = [*self._opening.values(), *self._giving_up]
        tasks += [draft.keeper for draft in self._by_id.values() if draft.keeper]
        self._by_id.clear()
        self._by_key.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._writer.aclose()

    async def _give_up(self, draft: Draft) -> None:
        """End a draft before its first word, unless somebody listens to it in another process."""
        with suppress(StoreAway):
            heard = await self._store.get(_heard(draft))
            if not heard and not draft.wanted and draft.keeper:
                self._forget(draft)  # whoever asks next begins anew, though this takes a moment to end
                draft.keeper.cancel()

    # --- Finding and keeping ------------------------------------------------------------------------

    def _opened(self, question: Question, asked_by: str) -> asyncio.Task[Draft]:
        """Return the one task that finds the draft for a question, or begins it."""
        key = question.key
        if key not in self._opening:
            task = self._opening[key] = asyncio.create_task(self._open(question, asked_by))

            def opened(task: asyncio.Task[Draft]) -> None:
                del self._opening[key]
                if not task.cancelled():
                    task.exception()  # whoever asked has it too, unless nobody waits any more

            task.add_done_callback(opened)
        return self._opening[key]

    async def _open(self, question: Question, asked_by: str) -> Draft:
        pointer = _pointer(question)
        while True:
            known = await self._store.get(pointer)
            if known:
                draft = await self._stored(known) or self._draft(known, question, asked_by)
                if here := self._by_id.get(known):
                    return here
                if not draft.ended:
                    return self._kept(draft)
            draft = self._draft(str(uuid.uuid4()), question, asked_by)
            if await self._store.compare_and_set(pointer, known, draft.id, self._ttl):
                return self._kept(draft, begun_here=True)

    async def _stored(self, draft_id: str) -> Draft | None:
        """Return a draft as it stands in the store, if it does."""
        log = DraftLog(self._store, draft_id, self._ttl)
        entries = await log.read()
        if not entries:
            return None
        draft = self._draft(draft_id, Question(**entries[0]["question"]), entries[0]["asked_by"], log)
        try:
            for entry in entries:
                draft.take(entry)
        except Exception as error:  # noqa: BLE001 one bad entry must not spoil the question for all who ask
            logger.error("draft_unreadable draft=%s error=%s", draft.id, type(error).__name__)
            draft.recording.failure = AnswersError()
        return draft

    def _draft(self, draft_id: str, question: Question, asked_by: str, log: DraftLog | None = None) -> Draft:
        log = log or DraftLog(self._store, draft_id, self._ttl)
        recording = Recording(question.language, question.text)
        return Draft(draft_id, question, asked_by, recording, log, Lease(self._store, draft_id))

    def _kept(self, draft: Draft, *, begun_here: bool = False) -> Draft:
        """Write a draft, or follow who does, until it has ended."""
        self._by_id[draft.id] = self._by_key[draft.question.key] = draft
        draft.keeper = asyncio.create_task(self._keep(draft, begun_here), name=f"draft {draft.id}")
        return draft

    def _forget(self, draft: Draft) -> None:
        if self._by_id.get(draft.id) is draft:
            del self._by_id[draft.id]
        if self._by_key.get(draft.question.key) is draft:
            del self._by_key[draft.question.key]

    async def _keep(self, draft: Draft, take: bool) -> None:
        try:
            while not draft.ended:
                with suppress(Superseded):
                    # Nobody may hold another's draft only because the store has just lost everything.
                    if take and await reached(draft.lease.take, self._writer.deadline):
                        await self._write(draft)
                    else:
                        await self._follow(draft)
                        take, draft.whole = True, False
                        if not draft.ended and not draft.wanted:
                            return  # given up before its first word, and nobody here wants it
        except AnswersError as error:
            draft.recording.failure = error
        except asyncio.CancelledError:
            draft.recording.failure = AiUnavailable()
            raise
        except Exception as error:  # noqa: BLE001 whatever it was, those who listen must hear of it
            logger.error("draft_failed draft=%s error=%s", draft.id, type(error).__name__)
            draft.recording.failure = AnswersError()
        finally:
            self._forget(draft)
            draft.grew()

    async def _follow(self, draft: Draft) -> None:
        """Read what another process writes, until it has ended or its writer is gone."""
        patience = LOST_SECONDS
        while not draft.ended:
            holder = await reached(draft.lease.holder, self._writer.deadline)
            await reached(draft.read, self._writer.deadline)
            if draft.listeners and not draft.recording.has_text:
                with suppress(StoreAway):
                    await self._store.compare_and_set(_heard(draft), None, "1", LOST_SECONDS)
            if holder:
                patience = LOST_SECONDS
            elif holder is not None or patience <= 0:
                return
            else:  # a store that was away, or has lost everything, has lost the lease: its holder renews it
                patience -= POLL_SECONDS
            await asyncio.sleep(POLL_SECONDS)

    async def _write(self, draft: Draft) -> None:
        """Write a draft to its end. Raises `Superseded`."""
        renewing = asyncio.create_task(self._renew(draft))
        try:
            await reached(draft.read, self._writer.deadline)
            if not draft.ended:
                await self._writer.write(draft)
                with suppress(StoreAway):  # whoever follows reads the end when this one has left
                    await reached(partial(self._hold, draft), self._writer.deadline)
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})  # a late renewal must not come after the release
            with suppress(StoreAway):
                await draft.lease.release()

    async def _renew(self, draft: Draft) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(StoreAway):
                await reached(partial(self._hold, draft), self._writer.deadline)

    async def _hold(self, draft: Draft) -> None:
        """Renew the lease; a store that was away, or has lost everything, is given the whole draft again."""
        held = await draft.lease.renew()
        draft.whole = draft.whole and held
        if not draft.whole and (held or await draft.lease.take()):
            await self._store.compare_and_set(_pointer(draft.question), None, draft.id, self._ttl)
            await draft.log.restore()
            draft.whole = True


def _heard(draft: Draft) -> str:
    """Return the key that says that somebody listens, in a process that does not write."""
    return f"heard:{VERSION}:{draft.id}"


def _pointer(question: Question) -> str:
    return f"drafting:{VERSION}:{question.key}"
