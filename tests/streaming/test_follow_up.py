"""\"I did not follow this\": an explanation rests at the place, and a question about it is asked like any."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from accounts.tokens import access_token
from answers.curation import add_alias
from answers.generation.base import Plan, Said, StepClosed, StepOpened
from answers.models import Answer, Listening
from answers.questions import read_question
from answers.store import MemoryStore
from streaming.playback import Pace
from streaming.sessions import SessionRecord, Sessions
from streaming.stage import Stage
from tests.in_process import InProcessStudent, ScriptedProvider, make_stage, written

pytestmark = pytest.mark.django_db(transaction=True)

FORCE = "¿Qué es una fuerza?"
FIRST, SECOND, THIRD = (
    "Una fuerza cambia el movimiento.",
    "Se mide  en newtons.",
    "Con $F = m a$ se calcula.",
)
CONTENT = f"{FIRST} {SECOND} {THIRD}"
TOLD = (
    Plan(("Idea", "Dibujo"), 20),
    StepOpened("Idea", "text"),
    Said(CONTENT),
    StepClosed(),
    StepOpened("Dibujo", "image"),
    StepClosed(),
)
WHOLE = {1: CONTENT, 2: ""}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def stage(store: MemoryStore) -> AsyncIterator[Stage]:
    stage = make_stage(ScriptedProvider(TOLD), sessions=Sessions(store, 1800), pace=Pace(20, 1.0))
    yield stage
    await written()
    assert not stage.playing
    assert not len(stage.connections)


@pytest.fixture
async def ana(student: User, stage: Stage) -> AsyncIterator[InProcessStudent]:
    async with InProcessStudent(stage, access_token(student)) as client:
        yield client


async def kept(store: MemoryStore, session_id: str) -> SessionRecord:
    return SessionRecord.from_json(await store.get(f"session:{session_id}") or "")


async def asked(client: InProcessStudent, question: str = FORCE, **more: Any) -> str:
    """Ask, and return the session when its first words have been told; the next come after a second."""
    since = len(client.events)
    ack = await client.call("ask_question", question=question, **more)
    assert ack["ok"], ack
    while "content_chunk" not in client.names[since:]:
        await client._hear()
    return str(ack["session_id"])


async def lost(
    client: InProcessStudent, session_id: str, position: int = 3, step: int = 1, **more: Any
) -> Any:
    about = {"session_id": session_id, "step": step, "position": position}
    return await client.call("ask_question", **{"question": "No lo entiendo:", "about": about} | more)


async def complete(client: InProcessStudent, session_id: str) -> None:
    await client.call("set_speed", session_id=session_id, speed=8)
    await client.until("explanation_complete")


async def saved(count: int) -> None:
    """Wait until as many answers are stored."""
    async with asyncio.timeout(5):
        while await Answer.objects.acount() < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def question_of(client: InProcessStudent, ack: dict[str, Any]) -> str:
    return (await client.call("get_session", session_id=ack["session_id"]))["session"]["question"]


@pytest.mark.parametrize(
    ("step", "position", "sentence"),
    [
        (1, 0, FIRST),
        (1, len(FIRST), FIRST),
        (1, len(FIRST) + 5, "Se mide en newtons."),
        (1, CONTENT.index("m a"), THIRD),
        (1, len(CONTENT), THIRD),
        (2, 0, "Dibujo"),
    ],
)
async def test_the_question_quotes_the_sentence_at_the_place(
    ana: InProcessStudent, step: int, position: int, sentence: str
) -> None:
    parent = await asked(ana)
    await complete(ana, parent)
    ack = await lost(ana, parent, position, step)
    assert await question_of(ana, ack) == f"No lo entiendo: «{sentence}» — {FORCE}"


async def test_what_plays_here_rests_at_the_place_and_goes_on_at_the_very_character(
    ana: InProcessStudent, store: MemoryStore
) -> None:
    parent = await asked(ana)
    since = len(ana.events)
    ack = await lost(ana, parent, 7)
    at = next(n for n, (name, _) in enumerate(ana.events[since:]) if name == "streaming_paused")
    (_, paused), (recorded, place) = ana.events[since + at : since + at + 2]
    assert (paused["step"], paused["position"], paused["reason"]) == (1, 7, "user")
    assert (recorded, place) == ("explanation_paused", {"step": 1, "position": 7})
    assert "explanation_stopped" not in ana.names
    record = await kept(store, parent)
    assert (record.state, record.current_step, record.pause_position, record.owner) == ("paused", 1, 7, "")

    await ana.until("explanation_start", session_id=ack["session_id"])
    since = len(ana.events)
    assert (await ana.call("resume_explanation", session_id=parent, step=1, position=7))["position"] == 7
    await complete(ana, parent)
    events = ana.events[since:]
    at = next(
        n for n, (name, data) in enumerate(events) if name == "streaming_resumed" and data["position"] == 7
    )
    first = next(data for name, data in events[at:] if name == "content_chunk")
    assert first["position"] == 7 and ana.text == WHOLE
    assert (await kept(store, ack["session_id"])).state == "paused"


async def test_what_plays_on_another_connection_rests_there(
    student: User, ana: InProcessStudent, stage: Stage
) -> None:
    parent = await asked(ana)
    async with InProcessStudent(stage, access_token(student), "two") as tablet:
        ack = await lost(tablet, parent, 7)
        await ana.until("explanation_paused", step=1, position=7)
        assert ack["session_id"] != parent and len(stage.playing) == 2
        await tablet.until("content_chunk")
        assert "explanation_stopped" not in ana.names + tablet.names


async def test_what_else_plays_here_is_stopped_as_ever(
    student: User, ana: InProcessStudent, stage: Stage, store: MemoryStore
) -> None:
    parent = await asked(ana)
    async with InProcessStudent(stage, access_token(student), "two") as tablet:
        other = await asked(tablet, "¿Qué es una masa?")
        await lost(tablet, parent)
        assert [(await kept(store, session)).state for session in (parent, other)] == ["paused", "stopped"]


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("position", [5, 25])
async def test_what_rests_already_moves_to_the_place(
    student: User, ana: InProcessStudent, stage: Stage, store: MemoryStore, *, here: bool, position: int
) -> None:
    parent = await asked(ana)
    await ana.call("pause_explanation", step=1, position=15)
    async with InProcessStudent(stage, access_token(student), "two") as other:
        assert (await lost(ana if here else other, parent, position))["ok"]
        await ana.until("explanation_seeked", step=1, position=position)
        record = await kept(store, parent)
        assert (record.state, record.pause_position) == ("paused", position)


async def test_what_has_ended_stays_as_it_is(ana: InProcessStudent, store: MemoryStore) -> None:
    parent = await asked(ana)
    await complete(ana, parent)
    assert (await lost(ana, parent))["ok"]
    assert (await kept(store, parent)).state == "complete"


async def test_it_is_remembered_what_it_is_about(
    student: User, ana: InProcessStudent, store: MemoryStore, stage: Stage
) -> None:
    parent = await asked(ana)
    ack = await lost(ana, parent, CONTENT.index("m a"))
    place = {"session_id": parent, "step": 1, "position": CONTENT.index("$F")}  # no place inside of a formula
    assert (await kept(store, ack["session_id"])).about == place
    await ana.until("explanation_start", session_id=ack["session_id"])
    async with asyncio.timeout(5):
        while not (rows := [row async for row in Listening.objects.filter(pk=ack["session_id"])]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert rows[0].about == place
    await store.delete(f"session:{ack['session_id']}")
    restored = await stage.sessions.load(ack["session_id"], str(student.id))
    assert restored and restored.about == place


@pytest.mark.parametrize("wording", ["qué es  una fuerza", "Define una fuerza"])
async def test_the_next_one_who_is_lost_at_the_same_sentence_is_served_from_the_cache(
    student: User, ana: InProcessStudent, stage: Stage, wording: str
) -> None:
    """Whatever the words are in which each has asked for the explanation."""
    alias = read_question("Define una fuerza", {"language": "es"})
    await sync_to_async(add_alias)(alias, read_question(FORCE, {"language": "es"}).key)
    ack = await lost(ana, await asked(ana), 3)
    await ana.until("explanation_start", session_id=ack["session_id"])
    await complete(ana, ack["session_id"])
    async with asyncio.timeout(5):
        while not await Answer.objects.filter(question_hash=ack["question_hash"]).aexists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    bob = await User.objects.acreate(email="bob@school.example")
    async with InProcessStudent(stage, access_token(bob), "bob") as client:
        again = await lost(client, await asked(client, wording, context={"language": "es"}), 20)
        assert again["cached"] and again["question_hash"] == ack["question_hash"]
        elsewhere = await lost(client, again["session_id"], 0)
        assert elsewhere["question_hash"] != ack["question_hash"]


async def test_it_is_asked_in_the_context_of_what_it_is_about(
    student: User, ana: InProcessStudent, store: MemoryStore
) -> None:
    """Also when only the database remembers that; so that what is private stays private."""
    parent = await asked(ana, context={"language": "pt", "level": "3", "hobby": "xadrez"})
    acks = [await lost(ana, parent)]
    await store.delete(f"session:{parent}")
    acks.append(await lost(ana, parent))
    acks.append(await lost(ana, parent, context={"level": "4"}))
    contexts = [(await kept(store, ack["session_id"])).context for ack in acks]
    assert contexts[0] == contexts[1] == {"language": "pt", "level": "3", "hobby": "xadrez"}
    assert contexts[2] == {**contexts[0], "level": "4"}
    assert acks[0]["question_hash"] == acks[1]["question_hash"] != acks[2]["question_hash"]
    await complete(ana, acks[2]["session_id"])
    async with asyncio.timeout(5):
        while await Answer.objects.filter(private=True, language="pt").acount() < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not await Answer.objects.filter(private=False).aexists()


@pytest.mark.parametrize("forgetful", [True, False])
async def test_what_is_about_a_private_explanation_is_private(
    student: User, ana: InProcessStudent, store: MemoryStore, *, forgetful: bool
) -> None:
    """Though a client leaves what made it so empty, or an older version has not written that down."""
    parent = await asked(ana, context={"hobby": "xadrez"})
    await complete(ana, parent)
    await saved(1)
    if forgetful:
        await Listening.objects.filter(pk=parent).aupdate(context=None)
        await store.delete(f"session:{parent}")
    ack = await lost(ana, parent, context={} if forgetful else {"hobby": " "})
    text, context = await question_of(ana, ack), (await kept(store, ack["session_id"])).context
    assert read_question(text, context, asker=str(student.id)).other
    assert ack["question_hash"] != read_question(text, {"language": "es"}).key
    await saved(2)
    assert not await Answer.objects.filter(private=False).aexists()


async def test_a_follow_up_of_a_follow_up_nests_until_it_is_too_long(ana: InProcessStudent) -> None:
    session = await asked(ana, "¿Qué es " + "una" * 400 + "?")
    ack = await lost(ana, session, question="¿Y eso?")
    await ana.until("explanation_start", session_id=ack["session_id"])
    text = await question_of(ana, ack)
    again = await lost(ana, ack["session_id"], question="¿Cómo?")
    assert await question_of(ana, again) == f"¿Cómo? «{FIRST}» — {text}"
    await ana.until("explanation_start", session_id=again["session_id"])
    refused = await lost(ana, again["session_id"], question="¿" + "Cómo" * 300 + "?")
    assert refused["error"]["code"] == "question_too_long"


async def test_a_repeated_ask_is_the_same_session(ana: InProcessStudent, store: MemoryStore) -> None:
    parent = await asked(ana)
    first = await lost(ana, parent, request_id="r-1")
    assert await lost(ana, parent, request_id="r-1") == first
    assert await lost(ana, "gone", request_id="r-1") == first


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"about": {"session_id": "0b5e", "step": 1, "position": 0}}, "no_active_session"),
        ({"about": "bob"}, "no_active_session"),
        ({"position": 10_000}, "invalid_position"),
        ({"step": 3}, "invalid_position"),
        ({"step": 0}, "invalid_position"),
        ({"position": None}, "invalid_payload"),
        ({"question": " ¿? "}, "question_empty"),
        ({"question": "a" * 1_990}, "question_too_long"),
        ({"context": {"language": "español"}}, "invalid_payload"),
    ],
)
async def test_one_that_is_refused_disturbs_nothing(
    ana: InProcessStudent, stage: Stage, change: dict[str, Any], code: str
) -> None:
    parent = await asked(ana, context={"language": "es"})
    if change.get("about") == "bob":
        bob = await User.objects.acreate(email="bob@school.example")
        async with InProcessStudent(stage, access_token(bob), "bob") as client:
            theirs = await asked(client)
        change = {"about": {"session_id": theirs, "step": 1, "position": 0}}
    refused = await lost(ana, parent, **change)
    assert refused["error"]["code"] == code
    session = (await ana.call("get_session"))["session"]
    assert (session["session_id"], session["playing_here"]) == (parent, True)
    assert not {"streaming_paused", "explanation_stopped"} & set(ana.names)


async def test_a_session_without_a_word_yet_cannot_be_asked_about(student: User) -> None:
    provider, gate = ScriptedProvider(TOLD), asyncio.Event()
    provider.gate = gate.wait
    async with InProcessStudent(make_stage(provider), access_token(student)) as client:
        ack = await client.call("ask_question", question=FORCE)
        assert (await lost(client, ack["session_id"], 0))["error"]["code"] == "invalid_position"
        gate.set()
        await client.until("explanation_complete")
    await written()


async def test_a_session_whose_draft_is_gone_cannot_be_asked_about(
    ana: InProcessStudent, stage: Stage
) -> None:
    record = SessionRecord(
        "", "", "key", question=FORCE, draft_id=str(uuid.uuid4()), begun=True, state="paused"
    )
    user_id = json.loads((await stage.sessions.stored([await asked(ana)]))[0] or "")["user_id"]
    record = SessionRecord.from_json(json.dumps({**json.loads(record.to_json()), "user_id": user_id}))
    await stage.sessions.create(record)
    assert (await lost(ana, record.session_id, 0))["error"]["code"] == "invalid_position"
    assert "explanation_stopped" not in ana.names
