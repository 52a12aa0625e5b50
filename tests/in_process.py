"""A student without a wire: the consumer driven as the bridge drives it, and a provider that is scripted."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from asgiref.testing import ApplicationCommunicator

from accounts.limits import AskMemory, Connections, Limits
from answers.drafts import Drafts
from answers.errors import CannotAnswer
from answers.generation.base import Drawn, Piece, Plan, Said, StepClosed, StepOpened
from answers.store import MemoryStore
from answers.writing import Writer
from streaming.consumers import TutorConsumer
from streaming.playback import Pace
from streaming.sessions import Sessions
from streaming.stage import Stage
from tutor import asgi  # sets logging up, so not in the middle of a test that listens to it

TOLD = (
    Plan(("Idea", "Cuenta"), 20),
    StepOpened("Idea", "text"),
    Said("Una fuerza cambia el movimiento de un cuerpo."),
    Drawn({"op": "math", "id": "f", "tex": "F=ma", "x": 100, "y": 100}),
    StepClosed(),
    StepOpened("Cuenta", "math"),
    Said("Con $F=ma$ se calcula."),
    StepClosed(),
)


class ScriptedProvider:
    """Tells the same pieces whatever is asked; `gate` is passed before each, `calls` counts the questions."""

    source, model, prompt_version = "model", "scripted", "1"

    def __init__(self, pieces: Sequence[Piece] = TOLD) -> None:
        self.pieces = pieces
        self.calls = 0
        self.gate: Callable[[], Any] | None = None

    async def explain(self, question: Any, written: Any = None) -> AsyncIterator[Piece]:
        if not self.pieces:
            raise CannotAnswer
        self.calls += 1
        for piece in self.pieces:
            if self.gate:
                await self.gate()
            yield piece

    async def aclose(self) -> None:
        return None


def make_stage(provider: ScriptedProvider | None = None, **changes: Any) -> Stage:
    """Return a stage on the test database, at a hundred times the usual pace."""
    store = changes.pop("store", None) or MemoryStore()
    parts: dict[str, Any] = {
        "sessions": Sessions(store, 1800),
        "drafts": Drafts(store, Writer([provider or ScriptedProvider()], asgi.look_up, asgi.save, 30)),
        "limits": Limits(AskMemory(), "1000/minute"),
        "connections": Connections(100),
        "pace": Pace(50, 0.0005),
        "events_per_second": 1000,
        "max_streams": 100,
        "look_up": asgi.look_up,
        "answer_of": asgi.answer_of,
    }
    return Stage(**parts | changes)


async def written() -> None:
    """Wait for the drafts that are being written: what they store must not come into the next test."""
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name().startswith("draft ")))


class InProcessStudent:
    """One connection; `events` is all that was heard, in order."""

    def __init__(self, stage: Stage, token: str, sid: str = "connection-1", application: Any = None) -> None:
        self.token = token
        self.events: list[tuple[str, dict[str, Any]]] = []
        scope = {"type": "socketio", "sid": sid, "headers": [], "client": None}
        self._communicator = ApplicationCommunicator(application or TutorConsumer.as_asgi(stage=stage), scope)
        self._acks = 0

    async def __aenter__(self) -> "InProcessStudent":
        await self._communicator.send_input({"type": "socketio.connect", "auth": None})
        assert (await self._communicator.receive_output())["type"] == "socketio.accept"
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._communicator.send_input({"type": "socketio.disconnect"})
        await self._communicator.wait(10)

    async def call(self, event: str, **payload: Any) -> dict[str, Any]:
        """Send an event with this student's token, and return its acknowledgement."""
        return await self.send(event, [{"token": self.token, **payload}])

    async def send(self, event: str, args: list[Any] | None) -> dict[str, Any]:
        """Send an event as it is, or a packet that is none (None), and return its acknowledgement."""
        (answer,) = await self.send_all([(event, args)])
        return answer

    async def send_all(self, events: Sequence[tuple[str, list[Any] | None]]) -> list[dict[str, Any]]:
        """Send events without waiting in between, and return their acknowledgements."""
        first = self._acks + 1
        for event, args in events:
            self._acks += 1
            message = {"type": "socketio.event", "event": event, "args": args, "ack": self._acks}
            if args is None:
                message = {"type": "socketio.invalid", "ack": self._acks}
            await self._communicator.send_input(message)
        answers: dict[int, dict[str, Any]] = {}
        while len(answers) < len(events):
            message = await self._hear()
            if message["type"] == "socketio.ack" and message["ack"] >= first:
                answers[message["ack"]] = message["payload"]
        return [answers[ack] for ack in sorted(answers)]

    async def until(self, name: str, **fields: Any) -> dict[str, Any]:
        """Listen until an event of this name with these fields has come; what came before counts."""
        seen = 0
        while True:
            for event, payload in self.events[seen:]:
                if event == name and fields.items() <= payload.items():
                    return payload
            seen = len(self.events)
            await self._hear()

    async def _hear(self) -> dict[str, Any]:
        message = await self._communicator.receive_output(timeout=10)
        if message["type"] == "socketio.emit":
            self.events.append((message["event"], message["payload"]))
        return message

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    @property
    def text(self) -> dict[int, str]:
        """What the student reads, step by step: each chunk at its position, cutting what stood behind."""
        steps: dict[int, str] = {}
        for name, payload in self.events:
            if name == "content_chunk":
                held = steps.get(payload["step"], "")
                assert len(held) >= payload["position"], "a hole in the text"
                steps[payload["step"]] = held[: payload["position"]] + payload["chunk"]
        return steps


async def settled() -> None:
    """Let everything that is ready run."""
    for _ in range(20):
        await asyncio.sleep(0)
