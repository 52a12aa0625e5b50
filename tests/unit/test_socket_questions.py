"""The document's nine socket tests, under their classes and names."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from accounts.models import User
from accounts.tokens import access_token
from answers.curation import add_version
from answers.models import Answer, Listening
from answers.questions import read_question
from answers.schema import read_explanation
from streaming.playback import Pace
from tests.in_process import InProcessStudent, ScriptedProvider, make_stage

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = "¿Qué es una fuerza?"
STEPS = [
    {
        "title": "Idea",
        "type": "text",
        "content": "Una fuerza es una interacción entre dos cuerpos. " * 5,
        "canvas_commands": [{"op": "math", "id": "f", "tex": "F=ma", "x": 100, "y": 100, "at": 60}],
    },
    {"title": "Ejemplo", "type": "math", "content": "Si $m=2$, entonces $F=2a$.", "canvas_commands": []},
]


@pytest.fixture
def token(transactional_db: None) -> str:
    user = User.objects.create_user("ana@school.example", "correct horse battery", language="es")
    return access_token(user)


@pytest.fixture
def cached(transactional_db: None) -> Answer:
    return add_version(
        read_question(QUESTION, {"language": "es"}),
        read_explanation({"answer_steps": STEPS, "total_duration": 60}),
    )


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()


@pytest.fixture
async def ana(token: str, provider: ScriptedProvider) -> AsyncIterator[InProcessStudent]:
    async with InProcessStudent(make_stage(provider), token) as student:
        yield student


@pytest.fixture
async def slow_ana(token: str) -> AsyncIterator[InProcessStudent]:
    """The same student at a pace at which nothing is due twice within a test."""
    async with InProcessStudent(make_stage(pace=Pace(50, 60)), token) as student:
        yield student


class TestAskQuestionHandler:
    async def test_ask_question_cached_answer(
        self, cached: Answer, ana: InProcessStudent, provider: ScriptedProvider
    ) -> None:
        """A stored answer is played without a call of the model."""
        ack = await ana.call("ask_question", question=QUESTION)
        start = await ana.until("explanation_start")
        assert ack["ok"] and ack["cached"] and start["cached"]
        assert start["question_hash"] == ack["question_hash"] == cached.question_hash
        assert start["answer_id"] == str(cached.id)
        assert provider.calls == 0

    async def test_ask_question_generate_with_ai(
        self, ana: InProcessStudent, provider: ScriptedProvider
    ) -> None:
        """A new question is asked of the model once, played, and stored."""
        ack = await ana.call("ask_question", question=QUESTION)
        await ana.until("explanation_complete")
        assert ack["ok"] and not ack["cached"]
        assert provider.calls == 1
        assert await Answer.objects.filter(question_hash=ack["question_hash"]).acount() == 1


class TestPauseResumeHandlers:
    async def test_pause_explanation(self, cached: Answer, slow_ana: InProcessStudent) -> None:
        """A pause rests at the last character sent, is recorded, and lets nothing through after it."""
        await slow_ana.call("ask_question", question=QUESTION)
        chunk = await slow_ana.until("content_chunk")
        ack = await slow_ana.call("pause_explanation")
        recorded = await slow_ana.until("explanation_paused")
        assert ack == {"ok": True, "step": 1, "position": len(chunk["chunk"])}
        assert recorded == {"step": 1, "position": ack["position"]}
        assert slow_ana.names[-2:] == ["streaming_paused", "explanation_paused"]
        assert (await Listening.objects.aget()).position == ack["position"]

    async def test_resume_explanation(self, cached: Answer, slow_ana: InProcessStudent) -> None:
        """A resume goes on with the very next character."""
        await slow_ana.call("ask_question", question=QUESTION)
        await slow_ana.until("content_chunk")
        paused = await slow_ana.call("pause_explanation")
        assert await slow_ana.call("resume_explanation", answer_data={"steps": []}) == paused
        await slow_ana.until("streaming_resumed", position=paused["position"])
        await slow_ana.until("content_chunk", position=paused["position"])
        assert STEPS[0]["content"].startswith(slow_ana.text[1])


class TestStreamingService:
    async def test_start_streaming(self, cached: Answer, ana: InProcessStudent) -> None:
        """Every character arrives once, in order, step by step."""
        await ana.call("ask_question", question=QUESTION)
        complete = await ana.until("explanation_complete")
        assert ana.text == {number: step["content"] for number, step in enumerate(STEPS, 1)}
        assert complete["steps_completed"] == 2
        assert [payload for name, payload in ana.events if name == "step_start"] == [
            {"step": 1, "title": "Idea", "type": "text"},
            {"step": 2, "title": "Ejemplo", "type": "math"},
        ]

    async def test_stream_with_canvas_commands(self, cached: Answer, ana: InProcessStudent) -> None:
        """A drawing comes right after the chunk that reaches its place in the text."""
        await ana.call("ask_question", question=QUESTION)
        await ana.until("explanation_complete")
        drawn = ana.names.index("canvas_command")
        payload, (name, chunk) = ana.events[drawn][1], ana.events[drawn - 1]
        assert (payload["step"], payload["n"], payload["at"]) == (1, 0, 60)
        assert payload["command"]["op"] == "math"
        assert name == "content_chunk"
        assert chunk["position"] < 60 <= chunk["position"] + len(chunk["chunk"])

    async def test_pause_during_streaming(self, cached: Answer, ana: InProcessStudent) -> None:
        """A pause in the middle and a resume later leave the text whole."""
        await ana.call("ask_question", question=QUESTION)
        await ana.until("content_chunk")
        await ana.call("pause_explanation")
        heard = len(ana.events)
        await asyncio.sleep(0.02)  # forty times the delay between two chunks
        assert not any(name == "content_chunk" for name, _ in ana.events[heard:])
        await ana.call("resume_explanation")
        await ana.until("explanation_complete")
        assert ana.text == {number: step["content"] for number, step in enumerate(STEPS, 1)}


class TestIntegration:
    async def test_full_cached_flow(self, cached: Answer, ana: InProcessStudent) -> None:
        """The whole order of events of a stored answer."""
        await ana.call("ask_question", question=QUESTION)
        await ana.until("explanation_complete")
        names = ana.names
        assert names[:3] == ["explanation_start", "step_start", "content_chunk"]
        assert names[-2:] == ["step_complete", "explanation_complete"]
        assert names.count("step_start") == names.count("step_complete") == 2
        assert "waiting_phrase" not in names

    async def test_full_ai_generation_flow(
        self, token: str, ana: InProcessStudent, provider: ScriptedProvider
    ) -> None:
        """A phrase while it is made, then the same order; the next one who asks gets it from the store."""
        await ana.call("ask_question", question=QUESTION)
        await ana.until("explanation_complete")
        assert ana.names[0] == "waiting_phrase"
        assert ana.names[1:4] == ["explanation_start", "step_start", "content_chunk"]
        again = await ana.call("ask_question", question="que es una fuerza")
        assert again["cached"] and provider.calls == 1
