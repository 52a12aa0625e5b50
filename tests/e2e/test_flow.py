"""From a question to the last character, from the store and from a model."""

import asyncio
import json
import re
import time

import pytest

from tests.client import ENDED, StudentClient
from tests.e2e.conftest import SKY, joined, stored_text
from tests.figures import figure
from tests.model_server import ModelServer, Reply, answer, tokens, told
from tests.server import Server, Student

KEYS = {
    "explanation_start": {
        *("total_steps", "estimated_duration", "question_hash", "session_id", "answer_id", "cached")
    },
    "step_start": {"step", "title", "type"},
    "content_chunk": {"step", "chunk", "position", "is_final"},
    "canvas_command": {"step", "command", "n", "at"},
    "step_complete": {"step"},
    "explanation_complete": {"total_duration", "steps_completed"},
}


async def test_a_stored_answer_is_told_in_order_with_every_key(server: Server, learner: Student) -> None:
    whole = stored_text(server)
    async with StudentClient(server.url, learner.token()) as client:
        frames = client.events
        ack = await client.call("ask_question", question=SKY, context={"language": "es"}, speed=8)
        assert not frames, "the acknowledgement comes before any event"
        assert ack.keys() == {"ok", "session_id", "question_hash", "cached"}
        assert ack["ok"] and ack["cached"]
        await client.until("explanation_complete")

        assert "waiting_phrase" not in client.names
        for name, data, _ in ((event.name, event.data, event.at) for event in frames):
            assert data.keys() == KEYS[name], name
        start = frames[0].data
        assert frames[0].name == "explanation_start"
        assert start["session_id"] == ack["session_id"]
        assert start["question_hash"] == ack["question_hash"]
        assert start["total_steps"] == len(whole)
        assert start["cached"] is True
        assert start["answer_id"]
        assert joined(client.text) == joined(whole)

        order = "".join({"explanation_start": "(", "step_start": "[", "content_chunk": "c",
                         "canvas_command": "d", "step_complete": "]", "explanation_complete": ")"}[name]
                        for name in client.names)  # fmt: skip
        assert re.fullmatch(r"\((\[d*(cd*)+\])+\)", order), order
        for step in whole:
            finals = [chunk["is_final"] for chunk in client.all("content_chunk") if chunk["step"] == step]
            assert finals == [False] * (len(finals) - 1) + [True]
        done = client.all("explanation_complete")[0]
        assert done["steps_completed"] == len(whole)
        assert done["total_duration"] == pytest.approx(frames[-1].at - frames[0].at, abs=0.3)


async def test_the_seed_documents_client_works_with_its_token_in_every_payload(
    daphne: Server, learner: Student
) -> None:
    token = learner.token()
    async with StudentClient(daphne.url, None) as client:
        await client.emit("ask_question", token=token, question=SKY, context={"language": "es"})
        start = await client.until("explanation_start")
        await client.until_shown(100)
        await client.emit("pause_explanation", token=token, session_id=start["session_id"])
        paused = await client.until("explanation_paused")
        await client.emit(
            "resume_explanation",
            token=token,
            session_id=start["session_id"],
            step=paused["step"],
            position=paused["position"],
            answer_data={"answer_steps": []},
        )
        await client.until("streaming_resumed", **paused)
        await client.emit("stop_explanation", token=token, session_id=start["session_id"])
        await client.until("explanation_stopped")


async def test_a_new_question_is_heard_long_before_the_model_has_finished(
    daphne: Server, learner: Student, model_server: ModelServer
) -> None:
    text = answer(4, sentences=8)
    model_server.script(Reply(text, per_second=40))
    async with StudentClient(daphne.url, learner.token()) as client:
        began = time.monotonic()
        await client.ask("Why do cats purr at forty tokens a second?")
        await client.until("content_chunk")
        first = next(event.at for event in client.events if event.name == "content_chunk") - began
        generation = len(tokens(text)) / 40
        figure(f"first chunk after {first:.2f} s: {100 * first / generation:.1f} % of {generation:.1f} s")
        assert first < 0.15 * generation
        assert client.names[0] == "waiting_phrase"


async def test_a_new_answer_is_heard_kept_and_then_stored(
    daphne: Server, learner: Student, model_server: ModelServer
) -> None:
    text = answer(4, sentences=3)
    model_server.script(Reply(text, per_second=400))
    question = "Why do cats purr?"
    async with StudentClient(daphne.url, learner.token()) as client:
        ack = await client.ask(question, context={"language": "en"}, speed=8)
        assert ack["cached"] is False
        await client.until("explanation_complete")
        assert client.text == {n: content for n, (_, content) in enumerate(told(text), 1)}
        start = client.all("explanation_start")
        assert len(start) == 1
        assert (start[0]["total_steps"], start[0]["answer_id"], start[0]["cached"]) == (4, None, False)
        assert len(client.all("canvas_command")) == 4

        again = await client.ask(question, context={"language": "en"}, speed=8)
        assert again["cached"] is True
        assert again["question_hash"] == ack["question_hash"]
        await client.until("explanation_complete", since=len(client.events))
    assert model_server.calls == 1

    (row,) = daphne.rows("SELECT * FROM ai_answers WHERE question_text = ?", question)
    assert (row["status"], row["source"], row["question_hash"]) == (
        "published",
        "model",
        ack["question_hash"],
    )
    assert [step["content"] for step in json.loads(row["answer_steps"])] == [c for _, c in told(text)]
    (heard,) = daphne.rows(
        "SELECT * FROM answers_listening WHERE session_id = ?", ack["session_id"].replace("-", "")
    )
    assert (heard["state"], heard["cached"], heard["step"]) == ("complete", 0, 4)
    assert heard["answer_id"] == row["id"]


async def test_ten_students_who_ask_the_same_at_once_cost_one_call(
    daphne: Server, learner: Student, template: object, model_server: ModelServer
) -> None:
    text = answer(2)
    model_server.script(Reply(text, hold_at=60))
    clients = [StudentClient(daphne.url, template.student().token()) for _ in range(10)]
    await asyncio.gather(*(client.__aenter__() for client in clients))
    acks = await asyncio.gather(*(client.ask("What is single flight?", speed=8) for client in clients))
    assert len({ack["session_id"] for ack in acks}) == 10
    assert len({ack["question_hash"] for ack in acks}) == 1
    await asyncio.gather(*(client.until("content_chunk") for client in clients))
    model_server.release()
    await asyncio.gather(*(client.until("explanation_complete") for client in clients))
    assert model_server.calls == 1
    assert {joined(client.text) for client in clients} == {"\0".join(content for _, content in told(text))}
    await asyncio.gather(*(client.__aexit__(None, None, None) for client in clients))


FAILURES = {
    "nonsense": (Reply("I would rather talk about the weather."), "ai_invalid_answer"),
    "not the schema": (Reply('{"plan": 7, "steps": "none"}'), "ai_invalid_answer"),
    "refusal": (Reply("", refusal="I can't help with that."), "ai_refused"),
    "filtered": (Reply("", finish="content_filter"), "ai_refused"),
    "unavailable": (Reply(status=500, error={"message": "x"}), "ai_unavailable"),
    "too many": (Reply(status=429, headers={"retry-after": "600"}, error={"message": "x"}), "ai_unavailable"),
    "bad key": (Reply(status=401, error={"message": "x"}), "ai_not_configured"),
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_model_that_fails_is_one_coded_error_and_nothing_is_kept(
    daphne: Server, learner: Student, model_server: ModelServer, failure: str
) -> None:
    reply, code = FAILURES[failure]
    model_server.script(reply)
    question = f"Which failure is this: {failure}?"
    async with StudentClient(daphne.url, learner.token()) as client:
        await client.ask(question)
        await client.until(ENDED, seconds=15)
        await client.fence()
        assert client.names == ["waiting_phrase", "error", "explanation_stopped"]
        error = client.all("error")[0]
        assert error["code"] == code
        assert error["message"]
    assert daphne.rows("SELECT id FROM ai_answers WHERE question_text = ?", question) == []


async def test_what_was_shown_of_a_failed_answer_stands_and_is_followed_by_one_error(
    daphne: Server, learner: Student, model_server: ModelServer
) -> None:
    text = answer(3)
    model_server.script(Reply(text, cut_at=200), Reply(status=401, error={"message": "x"}))
    async with StudentClient(daphne.url, learner.token()) as client:
        await client.ask("What breaks in the middle?", speed=8)
        await client.until("explanation_stopped")
        shown = "\0".join(content for _, content in told(text))
        assert joined(client.text)
        assert shown.startswith(joined(client.text))
        assert [event for event in client.names if event in ("error", *ENDED)] == [
            "error",
            "explanation_stopped",
        ]


async def test_a_model_that_breaks_off_goes_on_where_it_was_and_nobody_notices(
    daphne: Server, learner: Student, model_server: ModelServer
) -> None:
    text, end = answer(2), " And that is the end."
    model_server.script(
        Reply(text, cut_at=len(tokens(text)) - 30), Reply(json.dumps({"rest": [{"say": end}], "steps": []}))
    )
    async with StudentClient(daphne.url, learner.token()) as client:
        await client.ask("What is mended?", speed=8)
        await client.until("explanation_complete")
        assert "error" not in client.names
        first, second = (content for _, content in told(text))
        assert client.text[1] == first
        assert client.text[2].endswith(end)
        assert second.startswith(client.text[2].removesuffix(end))
        assert len(client.text[2]) > len(end) + 100
