"""Students over real sockets: one on the official client, as the contract says, one who speaks by hand."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import socketio
import websockets
from websockets.asyncio.client import ClientConnection, connect

WAIT = 10.0  # seconds after which a test that waits has failed
ENDED = ("explanation_complete", "explanation_stopped")


@dataclass(frozen=True)
class Heard:
    """One event as it arrived; `at` in seconds of the monotonic clock."""

    name: str
    data: dict[str, Any]
    at: float

    def matches(self, name: str | tuple[str, ...], fields: dict[str, Any]) -> bool:
        names = (name,) if isinstance(name, str) else name
        return self.name in names and fields.items() <= self.data.items()


class Recorder:
    """What a student has heard, and what is on the student's page after it."""

    def __init__(self) -> None:
        self.events: list[Heard] = []
        self.text: dict[int, str] = {}
        self.board: dict[int, dict[int, Any]] = {}
        self.faults: list[str] = []  # where the contract was broken
        self._changed = asyncio.Event()

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    @property
    def place(self) -> tuple[int, int]:
        """The next character to come, as the page sees it."""
        step = max(self.text, default=1)
        return step, len(self.text.get(step, ""))

    def all(self, name: str) -> list[dict[str, Any]]:
        return [event.data for event in self.events if event.name == name]

    def hear(self, name: str, data: Any) -> None:
        self.events.append(Heard(name, data, time.monotonic()))
        if name == "content_chunk":
            self._write(data["step"], data["position"], data["chunk"])
        elif name == "step_start":
            self.text.setdefault(data["step"], "")
        elif name == "canvas_command":
            known = self.board.setdefault(data["step"], {})
            if data["n"] > len(known):
                self.faults.append(f"command {data['n']} of step {data['step']} after {len(known)}")
            known.setdefault(data["n"], data)
        elif name == "explanation_seeked":
            self._cut(data["step"], data["position"])
        self._changed.set()

    async def until(
        self,
        name: str | tuple[str, ...],
        *,
        since: int = 0,
        seconds: float = WAIT,
        where: Callable[[dict[str, Any]], bool] = lambda data: True,
        **fields: Any,
    ) -> dict[str, Any]:
        """Return the first such event from the `since`-th on, come or to come."""
        seen = since
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._changed.clear()
                    for event in self.events[seen:]:
                        if event.matches(name, fields) and where(event.data):
                            return event.data
                    seen = len(self.events)
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"no {name} {fields} within {seconds} s: {self.names[-12:]}") from None

    async def until_shown(self, characters: int) -> None:
        """Wait until the page holds so many characters."""
        async with asyncio.timeout(WAIT):
            while sum(map(len, self.text.values())) < characters:
                self._changed.clear()
                await self._changed.wait()

    def _write(self, step: int, position: int, chunk: str) -> None:
        content = self.text.setdefault(step, "")
        if position > len(content):
            self.faults.append(f"hole in step {step}: {len(content)} to {position}")
        self.text[step] = content[:position] + chunk

    def _cut(self, step: int, position: int) -> None:
        for later in [number for number in self.text if number > step]:
            del self.text[later]
            self.board.pop(later, None)
        self.text[step] = self.text.get(step, "")[:position]
        kept = {n: data for n, data in self.board.get(step, {}).items() if data["at"] <= position}
        self.board[step] = kept if position else {}


class StudentClient(Recorder):
    """A student on the official Python client, as an asynchronous context manager."""

    def __init__(self, url: str, token: str | None, *, auth: bool = True, **options: Any) -> None:
        super().__init__()
        self._url, self._token = url, token
        self._options = {"transports": ["websocket"], **options}
        self._auth = {"token": token} if auth and token else None
        self.socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.socket.on("*", self.hear_any)
        self.socket.on("connect_error", lambda data: self.hear("connect_error", data))

    def hear_any(self, event: str, *args: Any) -> None:
        self.hear(event, args[0] if args else None)

    async def __aenter__(self) -> "StudentClient":
        try:
            await self.socket.connect(self._url, auth=self._auth, wait_timeout=WAIT, **self._options)
        except socketio.exceptions.ConnectionError:
            await self._let_go()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.socket.disconnect()
        await self._let_go()
        if error[0] is None:
            assert not self.faults, self.faults

    async def abandon(self) -> None:
        """Be gone without a word, as a phone in a tunnel."""
        socket = self.socket.eio.ws
        if socket:
            socket._response.connection.transport.abort()
        with suppress(Exception):
            await self.socket.disconnect()

    async def call(self, event: str, payload: Any = None, **fields: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement."""
        return await self.socket.call(event, fields if payload is None else payload, timeout=WAIT)

    async def emit(self, event: str, **fields: Any) -> None:
        await self.socket.emit(event, fields)

    async def ask(self, question: str, **fields: Any) -> dict[str, Any]:
        ack = await self.call("ask_question", question=question, **fields)
        assert ack["ok"], ack
        return ack

    async def fence(self) -> None:
        """Wait until everything sent so far has been carried out and heard."""
        ack = await self.call("get_session", session_id="none")
        assert ack == {"ok": True, "session": None}

    async def _let_go(self) -> None:
        session = self.socket.eio.http
        if session and not session.closed:
            await session.close()


class RawClient(Recorder):
    """A WebSocket on which every frame is written by hand; PINGs are answered."""

    def __init__(
        self, url: str, token: str | None = None, *, enter: bool = True, query: str = "", **options: Any
    ) -> None:
        super().__init__()
        self.acks: dict[int, list[Any]] = {}
        self.frames: list[str | bytes] = []
        self.seen = 0  # how many events a test has looked at
        self._url = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket" + query
        self._token, self._enter, self._options = token, enter, options
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    async def __aenter__(self) -> "RawClient":
        self._socket = await connect(self._url, compression=None, proxy=None, **self._options)
        self._reader = asyncio.create_task(self._read())
        if self._enter:
            await self.send("40" + (json.dumps({"token": self._token}) if self._token else ""))
            await self.until(("CONNECT", "CONNECT_ERROR"))
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._socket and self._reader
        await self._socket.close()
        await self._reader

    async def send(self, *frames: str | bytes) -> None:
        """Send frames; a connection that has gone meanwhile is no fault."""
        assert self._socket
        with suppress(websockets.ConnectionClosed):
            for frame in frames:
                await self._socket.send(frame)

    async def event(self, name: object, *args: object, ack: int | None = None) -> None:
        await self.send(f"42{'' if ack is None else ack}{json.dumps([name, *args])}")

    async def call(self, name: object, *args: object, ack: int) -> list[Any]:
        await self.event(name, *args, ack=ack)
        return await self.acknowledged(ack)

    async def acknowledged(self, ack: int) -> list[Any]:
        """Return the arguments of the one acknowledgement with this number."""
        try:
            async with asyncio.timeout(WAIT):
                while ack not in self.acks:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"no acknowledgement {ack}; last frames: {self.frames[-5:]}") from None
        return self.acks[ack]

    async def served(self) -> None:
        """Wait until the other side has answered a WebSocket ping, or has closed."""
        assert self._socket
        with suppress(websockets.ConnectionClosed):
            await (await self._socket.ping())

    async def until_closed(self, seconds: float = 1.0) -> None:
        async with asyncio.timeout(seconds):
            await self._closed.wait()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def stop_reading(self) -> None:
        """Take nothing more from the wire; what is sent to this client waits where it is."""
        assert self._socket
        self._socket.transport.pause_reading()

    def read_on(self) -> None:
        assert self._socket
        self._socket.transport.resume_reading()

    def abort(self) -> None:
        """Be gone without a word."""
        assert self._socket
        self._socket.transport.abort()

    async def _read(self) -> None:
        assert self._socket
        with suppress(websockets.ConnectionClosed):
            async for frame in self._socket:
                self.frames.append(frame)
                if frame == "2":
                    await self.send("3")
                elif isinstance(frame, str):
                    self._take(frame)
        self._closed.set()
        self.hear("closed", {})

    def _take(self, frame: str) -> None:
        kind, rest = frame[:2], frame[2:]
        if rest.startswith("/"):
            rest = rest.partition(",")[2]
        digits = len(rest) - len(rest.lstrip("0123456789"))
        number, rest = rest[:digits], rest[digits:]
        if kind == "40":
            self.hear("CONNECT", json.loads(rest))
        elif kind == "44":
            self.hear("CONNECT_ERROR", json.loads(rest))
        elif kind == "42":
            self.hear(*json.loads(rest))
        elif kind == "43":
            if int(number) in self.acks:
                self.faults.append(f"acknowledgement {number} came twice")
            self.acks[int(number)] = json.loads(rest)
            self._changed.set()
