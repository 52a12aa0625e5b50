"""The session record: what is remembered of one session, and by whom it is played.

A record is JSON at `session:{id}`. Its owner is the connection that plays it, named by a random token: taking
a session over and every later write is one comparison with what stood there before.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from answers import listening
from answers.database import in_database
from answers.store import Store
from streaming.protocol import Place, State

VERSION = 1
KEPT_SESSIONS = 50  # how many of a student's sessions are looked through for the latest unfinished one


class OwnerChanged(Exception):
    """Another connection has changed the record; `stored`: as it stands now, None if it has gone."""

    def __init__(self, stored: "SessionRecord | None") -> None:
        super().__init__()
        self.stored = stored


def utc_now() -> str:
    return datetime.now(UTC).isoformat()


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session as it is kept. The first nine fields are the seed document's."""

    user_id: str
    connection_id: str
    current_question: str  # the key of the question
    current_step: int = 1
    pause_position: int = 0
    is_paused: bool = False
    is_streaming: bool = True
    created_at: str = field(default_factory=utc_now)
    last_activity: str = field(default_factory=utc_now)

    version: int = VERSION
    session_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    question: str = ""
    language: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    answer_id: str | None = None
    request_id: str = ""  # the client's, of the ask that made it
    about: Mapping[str, Any] | None = None  # {session_id, step, position} that it is a question about
    draft_id: str | None = None  # the draft it is or was played from
    cached: bool = False
    state: str = State.WAITING
    begun: bool = False
    speed: float = 1.0
    pauses: int = 0
    played: float = 0.0  # seconds
    owner: str = ""  # token of the connection that plays it; empty: none does
    channel: str = ""  # where the owner hears commands from elsewhere
    # The last command that its owner, if there still is one, did not answer: {id, event, payload}.
    control: Mapping[str, Any] | None = None
    later: Mapping[str, Any] = field(default_factory=dict)  # what a later version has added; kept as it is

    @property
    def place(self) -> Place:
        return Place(self.current_step, self.pause_position)

    @property
    def finished(self) -> bool:
        return State(self.state).finished

    def at(self, place: Place, state: State, **changes: Any) -> "SessionRecord":
        """Return the record with the playhead at a place, and other changes."""
        return replace(
            self,
            current_step=place.step,
            pause_position=place.position,
            state=state,
            is_paused=state is State.PAUSED,
            is_streaming=not state.finished,
            last_activity=utc_now(),
            **changes,
        )

    def to_json(self) -> str:
        values = asdict(self)
        return json.dumps(values.pop("later") | values, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "SessionRecord":
        """Read a record of this version or another one, as processes of both may write the same."""
        values = json.loads(text)
        known = {name: values.pop(name) for name in cls.__slots__ if name in values}
        known["version"] = max(VERSION, known.get("version", 0))
        return cls(**known, later=values)


class Sessions:
    """All session records: in the store, and behind it what the database knows of who heard what."""

    def __init__(self, store: Store, ttl: float) -> None:
        self._store = store
        self._ttl = ttl  # seconds, renewed by each write

    async def create(self, record: SessionRecord) -> SessionRecord:
        """Keep a new session; of two with the same request id, return the one that was first."""
        request_id = record.request_id
        await self._store.compare_and_set(_key(record.session_id), None, record.to_json(), self._ttl)
        if request_id:
            claim = _request_key(record.user_id, request_id)
            claimed = await self._store.get(claim)
            earlier = await self.load(claimed, record.user_id) if claimed else None
            if earlier or not await self._store.compare_and_set(claim, claimed, record.session_id, self._ttl):
                await self._store.delete(_key(record.session_id))
                return earlier or await self.create(record)
        await self._remember(record)
        return record

    async def of_request(self, user_id: str, request_id: str) -> SessionRecord | None:
        """Return the session that a request id has already made."""
        if not request_id:
            return None
        session_id = await self._store.get(_request_key(user_id, request_id))
        return await self.load(session_id, user_id) if session_id else None

    async def load(self, session_id: str, user_id: str) -> SessionRecord | None:
        """Return a session of this user; another user's is as good as none."""
        text = await self._store.get(_key(session_id))
        if text is not None:
            record = SessionRecord.from_json(text)
            return record if record.user_id == user_id else None
        heard = await in_database(listening.of_session, session_id, user_id)
        return await self._restore(heard) if heard else None

    async def latest_unfinished(self, user_id: str) -> SessionRecord | None:
        """Return the session that this user asked for or resumed last, of those that have not ended."""
        for text in await self.stored(await self._remembered(user_id)):
            if text is not None and not (record := SessionRecord.from_json(text)).finished:
                return record
        heard = await in_database(listening.latest_unfinished, user_id)
        if heard is None:
            return None
        # The store knows better where it knows the session at all.
        known = await self.load(heard.session_id, user_id)
        return None if known is None or known.finished else known

    async def stored(self, session_ids: Sequence[str]) -> list[str | None]:
        """Return the records of these sessions as they stand in the store, as JSON."""
        return await self._store.get_many([_key(session_id) for session_id in session_ids])

    async def take(
        self, record: SessionRecord, *, owner: str, channel: str, connection_id: str, draft_id: str | None
    ) -> SessionRecord:
        """Make a connection the owner of a session that nobody has taken since `record` was read.

        Raises `OwnerChanged`.
        """
        taken = replace(record, owner=owner, channel=channel, connection_id=connection_id, draft_id=draft_id)
        await self.replace(record, taken)
        await self._remember(taken)
        return taken

    async def replace(self, known: SessionRecord, record: SessionRecord) -> None:
        """Write a record over the one that the writer knows; a record that was merely lost is written anew.

        Raises `OwnerChanged` when another owner stands there, or when a session that nobody owns has changed.
        """
        key, expected = _key(record.session_id), known.to_json()
        if record.request_id:
            claim = _request_key(record.user_id, record.request_id)
            await self._store.compare_and_set(claim, None, record.session_id, self._ttl)
        if await self._store.compare_and_set(key, expected, record.to_json(), self._ttl):
            return
        text = await self._store.get(key)
        stored = SessionRecord.from_json(text) if text is not None else None
        # Another version writes the same record in other words.
        if stored and stored != known and (not known.owner or stored.owner != known.owner):
            raise OwnerChanged(stored)
        if not await self._store.compare_and_set(key, text, record.to_json(), self._ttl):
            raise OwnerChanged(None)

    async def _restore(self, heard: listening.Heard) -> SessionRecord:
        state = State(heard.state)
        record = SessionRecord(
            user_id=heard.user_id,
            connection_id="",
            current_question=heard.question_hash,
            created_at=heard.created_at.isoformat(),
            session_id=heard.session_id,
            question=heard.question_text,
            context=heard.context,
            about=heard.about,
            answer_id=heard.answer_id,
            draft_id=heard.draft_id,
            cached=heard.cached,
            begun=True,
            speed=heard.speed,
            pauses=heard.pauses,
            played=heard.played_seconds,
        ).at(Place(heard.step, heard.position), State.PAUSED if state is State.PLAYING else state)
        await self._store.compare_and_set(_key(record.session_id), None, record.to_json(), self._ttl)
        return record

    async def _remembered(self, user_id: str) -> list[str]:
        text = await self._store.get(_user_key(user_id))
        return json.loads(text) if text else []

    async def _remember(self, record: SessionRecord) -> None:
        """Put a session first among its student's."""
        key, written = _user_key(record.user_id), False
        while not written:
            text = await self._store.get(key)
            others = [kept for kept in (json.loads(text) if text else []) if kept != record.session_id]
            kept = json.dumps([record.session_id, *others[: KEPT_SESSIONS - 1]])
            written = await self._store.compare_and_set(key, text, kept, self._ttl)


def _key(session_id: str) -> str:
    return f"session:{session_id}"


def _request_key(user_id: str, request_id: str) -> str:
    return f"request:{user_id}:{request_id}"


def _user_key(user_id: str) -> str:
    return f"sessions:{user_id}"
