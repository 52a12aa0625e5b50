"""However connections come and go, the process holds afterwards what it held before."""

import asyncio
import random
from contextlib import suppress

import pytest

from tests.client import RawClient, StudentClient
from tests.e2e.conftest import SKY
from tests.e2e.test_input import assert_clean
from tests.figures import figure
from tests.model_server import ModelServer, Reply, answer
from tests.server import Server, Template

ASK = {"question": SKY, "context": {"language": "es"}}


async def visit(url: str, token: str, chance: random.Random) -> None:
    """Come, do something of everything, and go in one of several ways."""
    async with RawClient(url, token) as client:
        await client.event("ask_question", ASK | {"speed": chance.choice([0.1, 1, 8])}, ack=1)
        for number in range(chance.randint(0, 6)):
            event, payload = chance.choice(
                [
                    ("pause_explanation", {}),
                    ("resume_explanation", {}),
                    ("seek_explanation", {"step": chance.randint(1, 5)}),
                    ("set_speed", {"speed": 2}),
                    ("stop_explanation", {}),
                    ("ask_question", ASK),
                    ("ask_question", {"question": f"What is new in {chance.randint(1, 4)}?"}),
                ]
            )
            await client.event(event, payload, ack=2 + number)
            if chance.random() < 0.5:
                await client.acknowledged(2 + number)
        match chance.randrange(4):
            case 0:
                client.abort()
            case 1:
                await client.send("41")
                await client.served()
            case 2:
                await client.send("1")
            case 3:
                await client.send("nonsense")


async def test_nothing_is_left_of_thirty_visits(
    server: Server, template: Template, model_server: ModelServer
) -> None:
    model_server.script(Reply(answer(2), per_second=2000))
    async with StudentClient(
        server.url, template.student().token()
    ) as client:  # what only the first one costs
        await client.ask(SKY)
    log_before, baseline = len(server.log), await quiet(server)
    seed = random.randrange(2**32)
    figure(f"{server.kind}: seed {seed}")
    chance = random.Random(seed)
    for _ in range(3):
        tokens = [template.student().token() for _ in range(5)] * 2  # two connections each
        await asyncio.gather(*(visit(server.url, token, random.Random(chance.random())) for token in tokens))
    seconds = await server.settled(baseline, 4)
    figure(f"clean after {seconds:.2f} s")
    assert_clean(server.log[log_before:])


async def quiet(server: Server) -> dict[str, int]:
    """Return what the process holds once nobody is connected."""
    async with asyncio.timeout(20):
        while True:
            counts = await server.counts()
            if not any(counts[name] for name in ("connections", "rooms", "playing", "entered")):
                return counts
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("frames", [[], ["41"]], ids=["aborts", "disconnects first"])
async def test_a_client_that_goes_while_it_is_let_in_leaves_nothing(
    server: Server, template: Template, frames: list[str]
) -> None:
    baseline, token = await quiet(server), template.student().token()

    async def glance() -> None:
        async with RawClient(server.url, token, enter=False) as client:
            await client.send(f'40{{"token":"{token}"}}', *frames)
            client.abort()

    await asyncio.gather(*(glance() for _ in range(30)))
    await server.settled(baseline, 2)


async def test_a_new_question_is_written_to_its_end_when_all_have_gone(
    daphne: Server, template: Template, model_server: ModelServer
) -> None:
    model_server.script(Reply(answer(2), hold_at=60))
    question = "Who listens when nobody is there?"
    async with StudentClient(daphne.url, template.student().token()) as client:
        await client.ask(question)
        await client.until("content_chunk")
    model_server.release()
    async with asyncio.timeout(5):
        while not daphne.rows("SELECT id FROM ai_answers WHERE question_text = ?", question):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert (await quiet(daphne))["listeners"] == 0


async def test_a_new_question_that_its_only_student_stops_before_the_first_word_is_not_written(
    daphne: Server, template: Template, model_server: ModelServer
) -> None:
    model_server.script(Reply(answer(2), hold_at=0))
    async with StudentClient(daphne.url, template.student().token()) as client:
        await client.ask("Who stops at once?")
        await model_server.until_held()
        await client.call("stop_explanation", {})
        await client.until("explanation_stopped")
        await model_server.until_left()
    await quiet(daphne)


async def test_a_stop_takes_nothing_from_another_who_waits_for_the_same(
    daphne: Server, template: Template, model_server: ModelServer
) -> None:
    model_server.script(Reply(answer(2), hold_at=0))
    question = "Who waits with me?"
    async with (
        StudentClient(daphne.url, template.student().token()) as stops,
        StudentClient(daphne.url, template.student().token()) as waits,
    ):
        await stops.ask(question)
        await asyncio.gather(waits.ask(question, speed=8), stops.call("stop_explanation", {}))
        await model_server.until_held()
        model_server.release()
        await waits.until("explanation_complete")
        assert "error" not in waits.names


async def test_polling_students_leave_nothing(server: Server, template: Template) -> None:
    baseline = await quiet(server)
    clients = [
        StudentClient(server.url, template.student().token(), transports=["polling"]) for _ in range(5)
    ]
    for client in clients:
        await client.__aenter__()
        await client.ask(SKY)
        await client.until("content_chunk")
    for client in clients:
        with suppress(asyncio.CancelledError):
            await client.__aexit__(None, None, None)
    await server.settled(baseline, 2)
