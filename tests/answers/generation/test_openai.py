"""The provider against real servers: what it asks, what it tells, and how each failure is called."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from typing import Any

import pytest
from llmock.pytest_plugin import LLMock

from answers.draft import apply
from answers.errors import AiInvalidAnswer, AiNotConfigured, AiRefused, AiUnavailable, GenerationError
from answers.generation.base import Piece, Said, StepClosed, StepOpened
from answers.generation.openai import OpenAIProvider
from answers.generation.openai.failures import retry_after
from answers.questions import read_question
from answers.recording import Recording
from answers.schema import read_explanation
from tests.model_server import ModelServer, Reply, answer, tokens, told

QUESTION = read_question("¿Qué es una derivada?", {"level": "bachillerato", "exam": "EBAU"}, asker="7")


@pytest.fixture
async def provider(model_server: ModelServer) -> AsyncIterator[OpenAIProvider]:
    provider = OpenAIProvider("key", model_server.url, "small", connect_timeout=2, read_timeout=5)
    yield provider
    await provider.aclose()


async def pieces_of(provider: OpenAIProvider, written: Recording | None = None) -> list[Piece]:
    return [piece async for piece in provider.explain(QUESTION, written)]


def recorded(pieces: list[Piece]) -> Recording:
    recording = Recording("es")
    for piece in pieces:
        apply(piece, recording)
    return recording


def texts(recording: Recording) -> list[tuple[str, str]]:
    return [(step.title, step.content) for step in recording.steps]


async def failure(provider: OpenAIProvider) -> tuple[GenerationError, list[Piece]]:
    pieces: list[Piece] = []
    with pytest.raises(GenerationError) as raised:
        async for piece in provider.explain(QUESTION):
            pieces.append(piece)
    return raised.value, pieces


# --- Asking and telling ------------------------------------------------------------------------------


async def test_an_answer_is_told_whole(model_server: ModelServer, provider: OpenAIProvider) -> None:
    text = answer(4)
    model_server.script(Reply(text))
    recording = recorded(await pieces_of(provider))
    assert texts(recording) == told(text)
    assert recording.planned_steps == 4
    assert [len(step.commands) for step in recording.steps] == [1] * 4


async def test_words_are_told_while_the_model_still_writes(
    model_server: ModelServer, provider: OpenAIProvider
) -> None:
    text = answer(1)
    end = text.index("Sentence 0") + 8
    model_server.script(Reply([text[:end], text[end:]], hold_at=1))
    stream = provider.explain(QUESTION)
    first = [await anext(stream) for _ in range(3)]
    assert first[1:] == [StepOpened("Step 1", "text"), Said("Sentence")]
    await model_server.until_held()
    model_server.release()
    assert len([piece async for piece in stream]) > 1


async def test_the_question_travels_as_data_without_who_asks(
    model_server: ModelServer, provider: OpenAIProvider
) -> None:
    await pieces_of(provider)
    request = model_server.requests[0]
    system, user = request["messages"]
    assert json.loads(user["content"]) == {
        "question": QUESTION.text,
        "language": "es",
        "subject": None,
        "level": "bachillerato",
        "context": {"exam": "EBAU"},
    }
    assert (system["role"], user["role"]) == ("system", "user")
    assert QUESTION.text not in system["content"]
    assert request.keys() == {"model", "messages", "stream", "stream_options", "response_format"}
    assert request["response_format"]["json_schema"]["strict"] is True
    assert request["stream_options"] == {"include_usage": True}
    assert model_server.headers[0]["authorization"] == "Bearer key"


@pytest.mark.parametrize(
    ("message", "changed"),
    [
        ("This response_format type is unavailable now", "response_format"),
        ("'json_schema' is not supported with this model", "response_format"),
        ("Unrecognized request argument supplied: stream_options", "stream_options"),
    ],
)
async def test_a_server_that_knows_less_is_asked_once_more_and_remembered(
    model_server: ModelServer, provider: OpenAIProvider, message: str, changed: str
) -> None:
    model_server.script(Reply(status=400, error={"message": message}), Reply(answer()))
    for calls in (2, 3):
        assert texts(recorded(await pieces_of(provider))) == told(answer())
        assert model_server.calls == calls
    first, *others = model_server.requests
    assert {key for key in first if any(first[key] != other.get(key) for other in others)} - {"messages"} == {
        changed
    }
    if changed == "response_format":
        assert all(other["response_format"] == {"type": "json_object"} for other in others)
        assert all('"additionalProperties":false' in other["messages"][0]["content"] for other in others)


async def test_a_server_that_knows_neither_is_asked_without_both(
    model_server: ModelServer, provider: OpenAIProvider
) -> None:
    model_server.script(
        Reply(status=422, error={"message": "extra field", "param": "stream_options"}),
        Reply(status=400, error={"message": "structured outputs are not supported"}),
        Reply(status=400, error={"message": "response_format: json_object is not supported either"}),
    )
    error, _ = await failure(provider)
    assert isinstance(error, AiNotConfigured)
    assert model_server.calls == 3
    await failure(provider)
    assert "json_schema" in model_server.requests[3]["response_format"], (
        "a refusal that was none is forgotten"
    )


async def test_commands_left_out_are_noted_without_what_they_said(
    model_server: ModelServer, provider: OpenAIProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "tutor.generation")
    model_server.script(Reply(answer().replace('"x": 100', '"x": "left"')))
    assert texts(recorded(await pieces_of(provider))) == told(answer())
    assert "canvas_commands_dropped model=small ops=text,text" in caplog.text
    assert "tokens_in=100" in caplog.text
    assert "Step" not in caplog.text


# --- Going on ----------------------------------------------------------------------------------------


async def test_what_is_written_stands_and_the_model_writes_only_what_follows(
    model_server: ModelServer, provider: OpenAIProvider
) -> None:
    whole = answer(3)
    cut = whole.index("Sentence 3 of step 2")
    model_server.script(Reply(tokens(whole[:cut]), finish=None))
    pieces: list[Piece] = []
    with pytest.raises(AiUnavailable):
        async for piece in provider.explain(QUESTION):
            pieces.append(piece)
    written = recorded(pieces)
    assert written.open_step

    open_content = told(whole)[1][1]
    rest = open_content[len(written.steps[1].content) :]
    third = json.loads(whole)["steps"][2]
    model_server.script(Reply(json.dumps({"rest": [{"say": rest}], "steps": [third]})))
    async for piece in provider.explain(QUESTION, written):
        match piece:
            case StepOpened(title, kind):
                written.begin_step(title, kind)
            case Said(text):
                written.say(text)
            case StepClosed():
                written.end_step()
    assert texts(written) == told(whole)

    request = model_server.requests[1]
    data = json.loads(request["messages"][1]["content"])
    assert data["planned_steps"] == 3
    assert [step["title"] for step in data["written"]] == ["Step 1", "Step 2"]
    assert open_content == data["written"][1]["content"] + rest
    assert data["written"][0]["drawn"][0].keys() >= {"op", "id"}
    assert "at" not in data["written"][0]["drawn"][0]
    assert list(request["response_format"]["json_schema"]["schema"]["properties"]) == ["rest", "steps"]


async def test_behind_the_last_planned_step_nothing_is_asked(
    model_server: ModelServer, provider: OpenAIProvider
) -> None:
    written = recorded(await pieces_of(provider))
    assert await pieces_of(provider, written) == []
    assert model_server.calls == 1


# --- Failures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=401, error={"code": "invalid_api_key"}), AiNotConfigured),
        (Reply(status=403), AiNotConfigured),
        (Reply(status=404, error={"code": "model_not_found"}), AiNotConfigured),
        (
            Reply(status=400, error={"message": "too long", "code": "context_length_exceeded"}),
            AiNotConfigured,
        ),
        (Reply(status=429, error={"code": "insufficient_quota"}), AiNotConfigured),
        (Reply(status=400, error={"code": "content_filter"}), AiRefused),
        (Reply(status=429), AiUnavailable),
        (Reply(status=408), AiUnavailable),
        (Reply(status=500), AiUnavailable),
        (Reply(status=503), AiUnavailable),
        (Reply(status=529), AiUnavailable),
        (Reply(answer(), refusal="I cannot help with that."), AiRefused),
        (Reply("", refusal="I cannot help with that."), AiRefused),
        (Reply(answer(), finish="content_filter"), AiRefused),
        (Reply(answer(), finish="length"), AiInvalidAnswer),
        (Reply(answer(), finish=None), AiUnavailable),
        (Reply(answer()[:-2]), AiInvalidAnswer),
        (Reply("Of course! A derivative is…"), AiInvalidAnswer),
        (Reply(answer(), cut_at=0), AiUnavailable),
        (Reply(answer(), cut_at=40), AiUnavailable),
        (Reply(answer(), raw_at=9, raw='{"choices": [{"delta": {"con'), AiUnavailable),
        (Reply(answer(), raw_at=9, raw='["not", "a chunk"]'), AiUnavailable),
        (Reply(answer(), raw_at=9, raw='{"error": {"message": "overloaded"}}'), AiUnavailable),
        (Reply(answer(), raw_at=9, raw='{"error": {"message": "no", "code": "content_filter"}}'), AiRefused),
    ],
)
async def test_each_failure_has_its_name(
    model_server: ModelServer, provider: OpenAIProvider, reply: Reply, error: type[GenerationError]
) -> None:
    model_server.script(reply)
    raised, _ = await failure(provider)
    assert type(raised) is error
    assert model_server.calls == 1, "one call is one attempt"


async def test_what_came_before_a_cut_has_been_told(
    model_server: ModelServer, provider: OpenAIProvider
) -> None:
    model_server.script(Reply(answer(2), cut_at=100))
    _, pieces = await failure(provider)
    written = recorded(pieces)
    assert written.steps[0].content
    assert told(answer(2))[0][1].startswith(written.steps[0].content)


async def test_no_error_repeats_what_was_asked_or_said(
    model_server: ModelServer, provider: OpenAIProvider
) -> None:
    model_server.script(Reply(status=400, error={"message": f"cannot process {QUESTION.text}", "code": "x"}))
    error, _ = await failure(provider)
    assert QUESTION.text not in f"{error!r} {error.__cause__!r}"


async def test_silence_is_unavailability(model_server: ModelServer) -> None:
    model_server.script(Reply(answer(), hold_at=5))
    provider = OpenAIProvider("key", model_server.url, "small", read_timeout=0.2)
    error, _ = await failure(provider)
    assert type(error) is AiUnavailable
    await provider.aclose()


async def test_nobody_there_is_unavailability(unused_tcp_port: int) -> None:
    provider = OpenAIProvider("key", f"http://127.0.0.1:{unused_tcp_port}/v1", "small")
    error, _ = await failure(provider)
    assert type(error) is AiUnavailable
    await provider.aclose()


async def test_without_a_key_nobody_is_asked(model_server: ModelServer) -> None:
    error, _ = await failure(OpenAIProvider("", model_server.url, "small"))
    assert type(error) is AiNotConfigured
    assert model_server.calls == 0


async def test_a_model_that_answers_ten_times_too_long_is_hung_up_on(
    model_server: ModelServer, provider: OpenAIProvider
) -> None:
    endless = answer(1)[:-8] + "x" * 200_000
    model_server.script(Reply(tokens(endless, 1000), hold_at=30))
    error, _ = await failure(provider)
    assert type(error) is AiInvalidAnswer
    await model_server.until_left()


async def test_who_stops_listening_hangs_up(model_server: ModelServer, provider: OpenAIProvider) -> None:
    model_server.script(Reply(answer(), hold_at=50))
    stream = provider.explain(QUESTION)
    await anext(stream)
    await stream.aclose()
    await model_server.until_left()


async def test_a_deadline_of_the_caller_hangs_up(model_server: ModelServer, provider: OpenAIProvider) -> None:
    model_server.script(Reply(answer(), hold_at=50))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await pieces_of(provider)
    await model_server.until_left()


def test_a_provider_serves_one_event_loop_after_another(model_server: ModelServer) -> None:
    provider = OpenAIProvider("key", model_server.url, "small")

    async def ask() -> None:
        await pieces_of(provider)
        await provider.aclose()

    for _ in range(2):
        asyncio.run(ask())
    assert model_server.calls == 2


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7),
        ("0.5", 0.5),
        ("-3", 0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_read_in_seconds(header: str | None, seconds: float | None) -> None:
    assert retry_after(header) == seconds


@pytest.mark.parametrize(("ahead", "low", "high"), [(60, 55, 60), (-60, 0, 0)])
def test_retry_after_is_read_as_a_date(ahead: int, low: float, high: float) -> None:
    seconds = retry_after(formatdate(time.time() + ahead, usegmt=True))
    assert seconds is not None
    assert low <= seconds <= high


# --- A server that is not ours -----------------------------------------------------------------------


async def by_llmock(llmock: LLMock, **options: Any) -> list[Piece]:
    provider = OpenAIProvider("key", llmock.base_url(), "gpt-4o-mini", **options)
    try:
        return await pieces_of(provider)
    finally:
        await provider.aclose()


async def test_what_llmock_answers_by_default_can_be_saved(llmock: LLMock) -> None:
    recording = recorded(await by_llmock(llmock))
    explanation = read_explanation(
        {"answer_steps": recording.as_steps(), "total_duration": recording.duration}
    )
    assert explanation.answer_steps[0].content


async def test_a_slow_first_word_is_waited_for(llmock: LLMock) -> None:
    llmock.slow_first_token(0.3)
    assert await by_llmock(llmock, read_timeout=5)


async def test_the_seeds_own_shape_is_understood(llmock: LLMock) -> None:
    steps = [{"title": "T", "type": "math", "content": "$x^2$", "canvas_commands": []}]
    llmock.fail(400, message="response_format json_schema is not supported").reply(
        json.dumps({"steps": steps, "total_duration": 30})
    )
    assert texts(recorded(await by_llmock(llmock))) == [("T", "$x^2$")]


@pytest.mark.parametrize(
    ("fault", "error", "waits"),
    [
        (lambda llmock: llmock.rate_limit(retry_after=2), AiUnavailable, 2),
        (lambda llmock: llmock.fail(500), AiUnavailable, None),
        (lambda llmock: llmock.fail(401), AiNotConfigured, None),
        (lambda llmock: llmock.disconnect(after_chunks=3), AiUnavailable, None),
        (lambda llmock: llmock.truncate(after_chunks=3), AiUnavailable, None),
        (lambda llmock: llmock.corrupt(after_chunks=3), AiUnavailable, None),
        (lambda llmock: llmock.stall(after_chunks=3, seconds=1), AiUnavailable, None),
        (lambda llmock: llmock.reply("Hello!"), AiInvalidAnswer, None),
    ],
    ids=["rate limit", "crash", "key", "disconnect", "truncate", "corrupt", "stall", "prose"],
)
async def test_each_fault_of_llmock_has_its_name(
    llmock: LLMock, fault: Callable[[LLMock], LLMock], error: type[GenerationError], waits: float | None
) -> None:
    fault(llmock)
    with pytest.raises(GenerationError) as raised:
        await by_llmock(llmock, read_timeout=0.3)
    assert type(raised.value) is error
    assert raised.value.retry_after == waits
