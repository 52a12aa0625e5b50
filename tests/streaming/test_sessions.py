"""The session record: who may write it, and what is left when the store has forgotten."""

import asyncio
import json
import uuid

import pytest

from accounts.models import User
from answers.store import MemoryStore
from streaming.player import write_listening
from streaming.protocol import Place, State
from streaming.sessions import KEPT_SESSIONS, VERSION, OwnerChanged, SessionRecord, Sessions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def sessions(store: MemoryStore) -> Sessions:
    return Sessions(store, 1800)


def a_record(user: User, **fields: object) -> SessionRecord:
    known = {"user_id": str(user.pk), "connection_id": "c", "current_question": "k" * 64, "owner": "me"}
    return SessionRecord(**known | fields)  # type: ignore[arg-type]


async def take(sessions: Sessions, record: SessionRecord, owner: str) -> SessionRecord:
    return await sessions.take(record, owner=owner, channel="there", connection_id="d", draft_id=None)


async def test_a_record_is_json_with_the_seeds_fields(
    sessions: Sessions, store: MemoryStore, student: User
) -> None:
    record = await sessions.create(a_record(student, question="¿Qué?", context={"level": "7"}))
    kept = json.loads(await store.get(f"session:{record.session_id}") or "")
    seed = "user_id connection_id current_question current_step pause_position is_paused is_streaming"
    assert {*seed.split(), "created_at", "last_activity"} <= kept.keys()
    assert SessionRecord.from_json(json.dumps(kept)) == record
    paused = record.at(Place(2, 7), State.PAUSED)
    assert (paused.current_step, paused.pause_position) == (2, 7)
    assert (paused.is_paused, paused.is_streaming, paused.finished) == (True, True, False)
    assert record.at(Place(), State.STOPPED).is_streaming is False


@pytest.mark.parametrize("owner", ["", "me"])
@pytest.mark.parametrize("version", [VERSION - 1, VERSION + 1])
async def test_processes_of_two_versions_write_one_record(
    sessions: Sessions, store: MemoryStore, student: User, version: int, owner: str
) -> None:
    """What is missing has its default, what is not known stays, and neither looks like another's write."""
    record = await sessions.create(a_record(student, owner=owner))
    key = f"session:{record.session_id}"
    kept = json.loads(await store.get(key) or "")
    if version < VERSION:
        kept = {name: kept[name] for name in reversed(kept) if name not in ("control", "played", "language")}
        added = {}
    else:
        kept |= (added := {"of a later version": {"a": 1}})
    await store.delete(key)
    await store.compare_and_set(key, None, json.dumps(kept | {"version": version}), 1800)
    found = await sessions.load(record.session_id, str(student.pk))
    assert found
    taken = await take(sessions, found, "another")
    await sessions.replace(taken, paused := taken.at(Place(2, 7), State.PAUSED))
    assert await sessions.load(record.session_id, str(student.pk)) == paused
    assert json.loads(await store.get(key) or "") == json.loads(paused.to_json())
    assert added.items() <= json.loads(paused.to_json()).items()
    assert paused.version == max(version, VERSION)
    with pytest.raises(OwnerChanged):
        await sessions.replace(found, found.at(Place(1, 1), State.PAUSED))


async def test_anothers_session_is_as_good_as_none(sessions: Sessions, student: User) -> None:
    record = await sessions.create(a_record(student))
    assert await sessions.load(record.session_id, str(student.pk)) == record
    for session_id, user_id in ((record.session_id, str(uuid.uuid4())), ("none", str(student.pk))):
        assert await sessions.load(session_id, user_id) is None


async def test_of_two_with_the_same_request_the_first_stays(
    sessions: Sessions, store: MemoryStore, student: User
) -> None:
    one, two = (a_record(student, request_id="r") for _ in range(2))
    kept = await asyncio.gather(sessions.create(one), sessions.create(two))
    assert kept[0] == kept[1]
    texts = [await store.get(f"session:{each.session_id}") for each in (one, two)]
    assert texts.count(None) == 1
    assert await sessions.of_request(str(student.pk), "r") == kept[0]
    assert await sessions.of_request(str(uuid.uuid4()), "r") is None
    assert await sessions.of_request(str(student.pk), "") is None


async def test_a_request_is_known_as_long_as_its_session(
    sessions: Sessions, store: MemoryStore, student: User
) -> None:
    record = await sessions.create(a_record(student, request_id="r"))
    claim = f"request:{student.pk}:r"
    await store.delete(claim)  # as it lapses while the session is still being played
    await sessions.replace(record, record.at(Place(1, 5), State.PLAYING))
    assert await store.get(claim) == record.session_id
    await store.delete(f"session:{record.session_id}")
    anew = await sessions.create(a_record(student, request_id="r"))
    assert await sessions.of_request(str(student.pk), "r") == anew, "not held up by a session that is lost"


async def test_only_the_owner_writes(sessions: Sessions, store: MemoryStore, student: User) -> None:
    record = await sessions.create(a_record(student))
    moved = record.at(Place(1, 5), State.PLAYING)
    await sessions.replace(record, moved)
    # A write of its own that it does not know of, for its answer was lost, is no obstacle.
    further = record.at(Place(1, 9), State.PLAYING)
    await sessions.replace(record, further)
    assert await sessions.load(record.session_id, str(student.pk)) == further
    # What the store has lost is written anew.
    await store.delete(f"session:{record.session_id}")
    await sessions.replace(further, further)
    assert await sessions.load(record.session_id, str(student.pk)) == further
    taken = await take(sessions, further, "other")
    with pytest.raises(OwnerChanged):
        await sessions.replace(further, moved)
    assert await sessions.load(record.session_id, str(student.pk)) == taken


async def test_of_many_who_take_a_session_at_once_one_gets_it(sessions: Sessions, student: User) -> None:
    record = await sessions.create(a_record(student, owner=""))
    owners = [str(n) for n in range(5)]
    takes = (take(sessions, record, owner) for owner in owners)
    taken = await asyncio.gather(*takes, return_exceptions=True)
    assert sum(isinstance(each, SessionRecord) for each in taken) == 1
    assert sum(isinstance(each, OwnerChanged) for each in taken) == 4


async def test_the_latest_unfinished_is_the_one_asked_or_resumed_last(
    sessions: Sessions, student: User
) -> None:
    user_id = str(student.pk)
    assert await sessions.latest_unfinished(user_id) is None
    first, second, third = [await sessions.create(a_record(student)) for _ in range(3)]
    assert await sessions.latest_unfinished(user_id) == third
    first = await take(sessions, first, "again")
    assert await sessions.latest_unfinished(user_id) == first
    for record in (first, third):
        await sessions.replace(record, record.at(Place(), State.COMPLETE))
    assert await sessions.latest_unfinished(user_id) == second
    assert await sessions.latest_unfinished(str(uuid.uuid4())) is None


async def test_only_so_many_sessions_are_remembered(
    sessions: Sessions, store: MemoryStore, student: User
) -> None:
    made = [(await sessions.create(a_record(student))).session_id for _ in range(KEPT_SESSIONS + 3)]
    kept = json.loads(await store.get(f"sessions:{student.pk}") or "")
    assert kept == made[::-1][:KEPT_SESSIONS]


@pytest.mark.parametrize(
    ("state", "restored"),
    [(State.PLAYING, State.PAUSED), (State.PAUSED, State.PAUSED), (State.COMPLETE, State.COMPLETE)],
)
async def test_a_session_that_the_store_has_forgotten_comes_back_from_what_was_heard(
    student: User, state: State, restored: State
) -> None:
    record = a_record(student, begun=True, question="¿Qué?", speed=2.0, pauses=3, played=1.5)
    await write_listening(record.at(Place(2, 40), state))
    user_id = str(student.pk)
    sessions = Sessions(MemoryStore(), 1800)
    found = await sessions.load(record.session_id, user_id)
    assert found
    assert (found.place, State(found.state), found.owner) == (Place(2, 40), restored, "")
    assert (found.question, found.speed, found.pauses, found.played) == ("¿Qué?", 2.0, 3, 1.5)
    assert await sessions.load(record.session_id, user_id) == found, "and is known to the store again"
    latest = await Sessions(MemoryStore(), 1800).latest_unfinished(user_id)
    assert (latest and latest.session_id) == (None if restored is State.COMPLETE else record.session_id)


async def test_a_stale_record_of_a_resting_session_changes_nothing(sessions: Sessions, student: User) -> None:
    """Whoever read a session that nobody plays has to read it again if another has steered it meanwhile."""
    resting = await sessions.create(a_record(student, owner=""))
    stopped = resting.at(Place(1, 5), State.STOPPED)
    await sessions.replace(resting, stopped)
    with pytest.raises(OwnerChanged):
        await sessions.replace(resting, resting.at(Place(2, 0), State.PAUSED))
    with pytest.raises(OwnerChanged):
        await take(sessions, resting, "another")
    assert await sessions.load(resting.session_id, str(student.pk)) == stopped
