"""What is written of an answer, as a log in the store that every process reads in the same order.

Entry `n` of a draft stands at `draft:{version}:{id}:{n}` and is written only where nothing stands yet: of two
who write the same number, one finds that the other was first. So whoever takes a draft over appends an entry,
and the writer before, if it lives after all, can write no more.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import fields
from itertools import takewhile
from typing import Any, cast

from answers.generation.base import Drawn, Piece, Plan, Said, StepClosed, StepOpened
from answers.store import Store

VERSION = 1  # of the entries; processes of other versions don't meet here
PAGE = 32  # entries read at once
LEASE_SECONDS = 5.0

Entry = dict[str, Any]
_PIECES: dict[str, type[Piece]] = {
    kind.__name__: kind for kind in (Plan, StepOpened, Said, Drawn, StepClosed)
}


def encoded(pieces: Sequence[Piece]) -> list[list[Any]]:
    """Return pieces as JSON values."""
    return [
        [type(piece).__name__, *(getattr(piece, field.name) for field in fields(piece))] for piece in pieces
    ]


def decoded(values: Sequence[Sequence[Any]]) -> list[Piece]:
    """Return the pieces that `encoded` was given."""
    return [_PIECES[name](*arguments) for name, *arguments in values]


class DraftLog:
    """The entries of one draft as far as they are known here."""

    def __init__(self, store: Store, draft_id: str, ttl: float) -> None:
        self._store = store
        self._prefix = f"draft:{VERSION}:{draft_id}"
        self._ttl = ttl
        self._known: list[str] = []

    async def append(self, entry: Entry) -> bool:
        """Write the next entry; say whether nobody else had written it. Each writer's entries are unlike."""
        text = json.dumps(entry, separators=(",", ":"))
        written = await self._store.compare_and_set(self._key(len(self._known)), None, text, self._ttl)
        if written:
            self._known.append(text)
        return written

    async def read(self) -> list[Entry]:
        """Return the entries that were not known here yet, all that there are."""
        read: list[str] = []
        while True:
            first = len(self._known) + len(read)
            page = await self._store.get_many([self._key(first + n) for n in range(PAGE)])
            found = list(takewhile(lambda text: text is not None, page))
            read += cast(list[str], found)
            if len(found) < PAGE:
                break
        self._known += read
        return [json.loads(text) for text in read]

    async def restore(self) -> None:
        """Write again what the store has lost."""
        for number, text in enumerate(self._known):
            await self._store.compare_and_set(self._key(number), None, text, self._ttl)

    def _key(self, number: int) -> str:
        return f"{self._prefix}:{number}"


class Lease:
    """The right to write one draft, for as long as it is renewed."""

    def __init__(self, store: Store, draft_id: str) -> None:
        self._store = store
        self._key = f"lease:{VERSION}:{draft_id}"
        self.token = str(uuid.uuid4())

    async def take(self) -> bool:
        """Take it where nobody holds it."""
        return await self._set(None) or await self._set("")

    async def renew(self) -> bool:
        """Hold it for longer; False: it has lapsed, or somebody else holds it."""
        return await self._set(self.token)

    async def release(self) -> None:
        """Let the next one have it at once."""
        await self._store.compare_and_set(self._key, self.token, "", LEASE_SECONDS)

    async def holder(self) -> str | None:
        """Return who holds it, an empty text if it was released, None if it has lapsed."""
        return await self._store.get(self._key)

    async def _set(self, expected: str | None) -> bool:
        return await self._store.compare_and_set(self._key, expected, self.token, LEASE_SECONDS)
