"""Of commands that come in one breath the last one wins, and what is heard agrees with it (I4, I5)."""

import asyncio
import random
from typing import Any

import pytest

from accounts.models import User
from accounts.tokens import access_token
from answers.generation.base import Plan, Said, StepClosed, StepOpened
from answers.store import MemoryStore
from streaming.consumers import TutorConsumer
from streaming.playback import Pace
from tests.client import RawClient, Recorder
from tests.e2e.conftest import SKY, stored_text
from tests.faults.conftest import SOAK
from tests.figures import figure
from tests.in_process import InProcessStudent, ScriptedProvider, make_stage
from tests.server import Server, Template

IN_PROCESS, ON_EACH_SERVER = 400 * SOAK, 300 * SOAK
AT_ONCE = 10
PAUSE, RESUME = "pause_explanation", "resume_explanation"


def commands(chance: random.Random) -> list[str]:
    """Return pause, resume, pause … or the other way round; now and then one of them twice."""
    names = [PAUSE, RESUME] * 3
    burst = names[chance.randrange(2) :][: chance.randint(2, 5)]
    return [name for name in burst for _ in range(1 + (chance.random() < 0.2))]


def check(events: list[tuple[str, dict[str, Any]]]) -> bool:
    """Follow what was heard by I4 and I5, from where the text played; return whether it plays at the end."""
    plays, place = True, None
    for name, data in events:
        match name:
            case "streaming_paused":
                assert plays, "paused twice"
                plays, place = False, (data["step"], data["position"])
            case "explanation_paused":
                assert not plays and (data["step"], data["position"]) == place
            case "streaming_resumed":
                assert not plays, "resumed twice"
                plays, place = True, (data["step"], data["position"])
            case "content_chunk":
                assert plays, "a chunk beyond a pause"
                at = (data["step"], data["position"])
                assert place is None or at == place or at == (place[0] + 1, 0), "not the next character"
                place = (data["step"], data["position"] + len(data["chunk"]))
            case "error":
                raise AssertionError(data)
    return plays


def stands(snapshot: dict[str, Any], *, last: str, plays: bool, heard: tuple[int, int]) -> None:
    """The session is as the last command wants it, for the student as for the server."""
    assert snapshot["state"] == ("paused" if last == PAUSE else "playing")
    assert plays == (last == RESUME)
    assert last == RESUME or (snapshot["step"], snapshot["position"]) == heard


async def bursts_on_a_wire(
    server: Server, template: Template, chance: random.Random, count: int, whole: dict[int, str]
) -> None:
    async with RawClient(server.url, template.student().token()) as client:
        ack = iter(range(10**6))
        ask = {"question": SKY, "context": {"language": "es"}, "speed": 0.2}
        assert (await client.call("ask_question", ask, ack=next(ack)))[0]["ok"]
        await client.until("content_chunk")
        for _ in range(count):
            if client.place > (4, 100):  # there is to be something left to play
                assert (await client.call("seek_explanation", {"step": 1}, ack=next(ack)))[0]["ok"]
                begin = next(n for n in reversed(range(len(client.events))) if "seeked" in client.names[n])
                del client.events[: begin + 1]
            burst = commands(chance)
            acks = [next(ack) for _ in burst]
            await client.send(*(f'42{n}["{name}",{{}}]' for n, name in zip(acks, burst, strict=True)))
            for n in acks:
                assert (await client.acknowledged(n))[0]["ok"]
            await asyncio.sleep(chance.uniform(0, 0.05))  # the moment is what is tried
            (answer,) = await client.call("get_session", {}, ack=next(ack))
            plays = check([(event.name, event.data) for event in client.events])
            stands(answer["session"], last=burst[-1], plays=plays, heard=client.place)
            if not plays:
                await client.until("explanation_paused", since=last_of(client, "streaming_paused"))
                assert (await client.call(RESUME, {}, ack=next(ack)))[0]["ok"]
        await client.call("set_speed", {"speed": 8}, ack=next(ack))
        await client.until("explanation_complete")
        assert client.text == whole
        assert not client.faults


def last_of(client: Recorder, name: str) -> int:
    return max(number for number, heard in enumerate(client.names) if heard == name)


async def test_the_last_of_a_burst_wins_over_real_sockets(server: Server, template: Template) -> None:
    seed, whole = random.randrange(2**32), stored_text(server)
    figure(f"{server.kind}: seed {seed}")
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.TaskGroup() as tasks:
        for number in range(AT_ONCE):
            chance = random.Random(f"{seed} {number}")
            tasks.create_task(bursts_on_a_wire(server, template, chance, ON_EACH_SERVER // AT_ONCE, whole))
    figure(f"{server.kind}: {ON_EACH_SERVER} bursts in {loop.time() - began:.1f} s")


class Dawdling(MemoryStore):
    """A store that takes a random while."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    async def get(self, key: str) -> str | None:
        await dawdle(self._chance)
        return await super().get(key)

    async def compare_and_set(self, *args: Any) -> bool:
        await dawdle(self._chance)
        return await super().compare_and_set(*args)


async def dawdle(chance: random.Random) -> None:
    for _ in range(chance.randrange(4)):
        await asyncio.sleep(chance.choice([0, 0, 0, 0.001]))


@pytest.mark.django_db(transaction=True)
async def test_the_last_of_a_burst_wins_whatever_waits_in_between(student: User) -> None:
    seed = random.randrange(2**32)
    figure(f"seed {seed}")
    chance = random.Random(seed)
    told = "Una fuerza cambia el movimiento de un cuerpo. " * 400
    stage = make_stage(
        ScriptedProvider([Plan(("Idea",), 20), StepOpened("Idea", "text"), Said(told), StepClosed()]),
        store=Dawdling(chance),
        pace=Pace(50, 0.02),
    )
    consumer = TutorConsumer.as_asgi(stage=stage)

    async def dawdling(scope: Any, receive: Any, send: Any) -> None:
        async def send_late(message: Any) -> None:
            await dawdle(chance)
            await send(message)

        await consumer(scope, receive, send_late)

    async with InProcessStudent(stage, access_token(student), application=dawdling) as client:
        assert (await client.call("ask_question", question="¿Qué es una fuerza?"))["ok"]
        await client.until("content_chunk")
        for _ in range(IN_PROCESS):
            burst = commands(chance)
            sent: list[tuple[str, Any]] = [(name, [{"token": client.token}]) for name in burst]
            assert all(answer["ok"] for answer in await client.send_all(sent))
            snapshot = (await client.call("get_session"))["session"]
            step, content = max(client.text.items())
            stands(snapshot, last=burst[-1], plays=check(client.events), heard=(step, len(content)))
            if burst[-1] == PAUSE:
                assert (await client.call(RESUME))["ok"]
            if len(content) > len(told) * 2 // 3:
                await client.call("seek_explanation", step=1)
                await client.until("explanation_seeked")
                del client.events[: client.names.index("explanation_seeked") + 1]
                await client.until("content_chunk")
    figure(f"{IN_PROCESS} bursts in process")
