"""A real OpenAI-compatible server whose answers are scripted, for whoever tests what a model does.

    def test_something(model_server):
        model_server.script(Reply(status=429, headers={"retry-after": "1"}), Reply(answer(4), per_second=40))
        ... OpenAIProvider("key", model_server.url, "model") ...
        assert model_server.calls == 2

Each request takes the next reply, or what makes one of its body; the last one is repeated. Tests share one
by the fixture `model_server`, or start a `ModelServer` of their own as a context manager.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn

WAIT = 10.0  # seconds after which a test that waits for the server has failed


def answer(steps: int = 2, sentences: int = 6, commands: bool = True) -> str:
    """Return the JSON of an answer: `steps` steps of about 50 × `sentences` characters, each drawing once."""
    all_steps = []
    for number in range(1, steps + 1):
        words = [f"Sentence {n} of step {number} says that $a_{n}^2 = {n * n}$. " for n in range(sentences)]
        heading = {"op": "text", "id": f"t{number}", "text": f"Step {number}", "x": 100, "y": 90}
        drawn = [{"do": heading}] if commands else []
        parts = [{"say": words[0]}, *drawn, {"say": "".join(words[1:])}]
        all_steps.append({"title": f"Step {number}", "type": "text", "parts": parts})
    plan = {"total_duration": 30 * steps, "titles": [step["title"] for step in all_steps]}
    return json.dumps({"plan": plan, "steps": all_steps})


def told(text: str) -> list[tuple[str, str]]:
    """Return title and content of each step of an answer in the form of `answer`."""
    steps = json.loads(text)["steps"]
    return [(step["title"], "".join(part.get("say", "") for part in step["parts"])) for step in steps]


def tokens(text: str, size: int = 4) -> list[str]:
    """Return a text in the pieces in which a model would say it."""
    return [text[start : start + size] for start in range(0, len(text), size)]


@dataclass(frozen=True)
class Reply:
    """What one request is answered.

    `text`: what the model says, whole or already in deltas. `per_second`: deltas a second, at once if None.
    `hold_at`, `cut_at`, `raw_at`: the number of deltas after which the server waits for `release()`, breaks
    the connection, sends `raw` as it is. `finish`: the finish reason; None: the stream just ends, as a cut
    one does. A `status` other than 200 sends `error`, the error's body, alone.
    """

    text: str | Sequence[str] = ""
    per_second: float | None = None
    hold_at: int | None = None
    cut_at: int | None = None
    finish: str | None = "stop"
    refusal: str = ""
    raw_at: int | None = None
    raw: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    error: Mapping[str, Any] = field(default_factory=dict)


class _Cut(Exception):
    """Raised inside the server's application: the server then breaks the connection."""


class ModelServer:
    """Serves chat completions on a free port in a thread of its own; see the module."""

    def __init__(self) -> None:
        self.url = ""  # what goes into OPENAI_BASE_URL
        self._loop: asyncio.AbstractEventLoop | None = None
        self.reset()
        options: dict[str, Any] = {"lifespan": "off", "log_config": None, "log_level": "critical"}
        config = uvicorn.Config(self._app, "127.0.0.1", 0, interface="asgi3", **options)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def calls(self) -> int:
        return len(self.requests)

    def reset(self) -> None:
        """Forget all requests and answer each with `answer()`."""
        self.requests: list[dict[str, Any]] = []  # the bodies, in the order of their arrival
        self.headers: list[dict[str, str]] = []
        self.held = threading.Event()  # set while a reply waits for `release()`
        self.left = threading.Event()  # set once a client has gone before the end of its reply
        self._released = asyncio.Semaphore(0)
        self.script(Reply(answer()))

    def script(self, *replies: Reply | Callable[[Any], Reply]) -> None:
        """Answer the next requests with these replies, and all after them with the last."""
        self._script, self._taken = list(replies), 0

    def release(self) -> None:
        """Let one held reply go on, now or when it comes to be held."""
        assert self._loop, "the model server does not run"
        self._loop.call_soon_threadsafe(self._released.release)

    async def until_held(self) -> None:
        """Wait until a reply is held; all deltas before have then been sent."""
        assert await asyncio.to_thread(self.held.wait, WAIT), "no reply has been held"

    async def until_left(self) -> None:
        """Wait until a client has gone before the end of its reply."""
        assert await asyncio.to_thread(self.left.wait, WAIT), "no client has gone"

    def start(self) -> "ModelServer":
        self._thread.start()
        for _ in range(1000):
            if self._server.started:
                break
            self._thread.join(0.01)
            assert self._thread.is_alive(), "the model server did not start"
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    def stop(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(WAIT)
        assert not self._thread.is_alive(), "the model server did not stop"

    def __enter__(self) -> "ModelServer":
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message.get("more_body"):
                break
        if scope["path"] != "/v1/chat/completions":
            await self._send_json(send, 404, {}, {"error": {"message": "no such path", "code": "not_found"}})
            return
        reply = self._script[min(self._taken, len(self._script) - 1)]
        self._taken += 1
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        self.requests.append(json.loads(body))
        if not isinstance(reply, Reply):
            reply = reply(self.requests[-1])
        if reply.status != 200:
            await self._send_json(send, reply.status, reply.headers, {"error": dict(reply.error)})
            return
        gone = asyncio.ensure_future(self._gone(receive))
        stream = asyncio.ensure_future(self._stream(send, reply))
        await asyncio.wait((gone, stream), return_when=asyncio.FIRST_COMPLETED)
        if not stream.done():
            self.left.set()
        gone.cancel()
        stream.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        try:
            await stream
        except asyncio.CancelledError:
            return

    async def _gone(self, receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _stream(self, send: Any, reply: Reply) -> None:
        headers = {"content-type": "text/event-stream", **reply.headers}
        await self._send_head(send, 200, headers)
        async for data in self._events(reply):
            await send(
                {"type": "http.response.body", "body": f"data: {data}\n\n".encode(), "more_body": True}
            )
        await send({"type": "http.response.body", "body": b""})

    async def _events(self, reply: Reply) -> AsyncIterator[str]:
        deltas = tokens(reply.text) if isinstance(reply.text, str) else list(reply.text)
        clock = asyncio.get_running_loop()
        began = clock.time()
        yield _chunk({"role": "assistant", "content": ""})
        for number in range(len(deltas) + 1):
            if number == reply.hold_at:
                self.held.set()
                await self._released.acquire()
                self.held.clear()
            if number == reply.cut_at:
                await asyncio.sleep(0.05)  # what was sent must not be lost with the connection
                raise _Cut
            if number == reply.raw_at:
                yield reply.raw
            if number < len(deltas):
                if reply.per_second:
                    await asyncio.sleep(began + number / reply.per_second - clock.time())
                yield _chunk({"content": deltas[number]})
        if reply.refusal:
            yield _chunk({"refusal": reply.refusal})
        if reply.finish:
            yield _chunk({}, reply.finish)
            usage = {
                "prompt_tokens": 100,
                "completion_tokens": len(deltas),
                "total_tokens": 100 + len(deltas),
            }
            yield json.dumps({**_CHUNK, "choices": [], "usage": usage})
            yield "[DONE]"

    async def _send_json(self, send: Any, status: int, headers: Mapping[str, str], body: Any) -> None:
        await self._send_head(send, status, {"content-type": "application/json", **headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    async def _send_head(self, send: Any, status: int, headers: Mapping[str, str]) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})


_CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1_700_000_000,
    "model": "scripted",
}


def _chunk(delta: dict[str, Any], finish: str | None = None) -> str:
    return json.dumps({**_CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


@pytest.fixture(scope="session")
def running_model_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def model_server(running_model_server: ModelServer) -> ModelServer:
    running_model_server.reset()
    return running_model_server
