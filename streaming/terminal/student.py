"""A student over real Socket.IO: asks one question and follows its explanation, over lost connections too.

Whatever happens, on the wire, at the keyboard or by a signal, goes through one queue and is taken in order.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import socketio

from streaming.protocol import PauseReason, Place, State
from streaming.terminal.reader import Reader, within_limits
from streaming.terminal.views import View

FRAME, IDLE = 1 / 30, 0.25  # seconds between two looks at what has appeared
SPEED_STEP = 1.25
NOTE_SECONDS = 4.0
RECONNECT_SECONDS = 60.0  # how long a lost connection is tried for
FIRST_RETRY, LAST_RETRY = 0.3, 1.0
STOP_SECONDS = 2.0  # how long a goodbye may take
PASSING = ("too_many_connections", "server_busy", "rate_limited", "")  # refusals, or nobody there

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended: the exit code, the last words, and the contract's code if it was an error."""

    exit_code: int
    words: str
    error: str = ""


class Wire:
    """One Socket.IO connection at a time.

    To `happened` goes in its order: `connected` or `ended`; `event` and `ack` with (name, payload); `lost`.
    """

    def __init__(self, url: str, token: Callable[[], str], happened: Callable[[str, Any], None]) -> None:
        self._url, self._token, self._happened = url, token, happened
        self._client: Any = None
        self._http: aiohttp.ClientSession | None = None

    async def connect(self, patience: float) -> None:
        """Connect anew, trying for as many seconds as `patience` says."""
        clock = asyncio.get_running_loop().time
        until, pause = clock() + patience, FIRST_RETRY
        while failure := await self._open():
            if failure.error not in PASSING or clock() + pause > until:
                return self._happened("ended", failure)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LAST_RETRY)
        return self._happened("connected", None)

    async def _open(self) -> Ending | None:
        await self.close()
        # Ours, because Engine.IO leaves its own open where no server answers.
        self._http = aiohttp.ClientSession()
        client = socketio.AsyncClient(reconnection=False, handle_sigint=False, http_session=self._http)
        refusal: list[object] = []
        client.on("*", lambda event, payload: self._happened("event", (event, payload)))
        client.on("connect_error", lambda *args: refusal.extend(args))
        client.on("disconnect", lambda reason: self._lost(client))
        auth = {"token": self._token()}
        try:
            await client.connect(self._url, auth=auth, transports=["websocket"], wait_timeout=10)
        except (socketio.exceptions.ConnectionError, OSError, ValueError):
            match refusal:
                case [{"data": {"code": str(code), "message": str(message)}}]:
                    return Ending(1, message, code)
            return Ending(1, f"No server answers at {self._url}. Start one with: make run")
        self._client = client
        return None

    async def send(self, event: str, payload: Payload) -> bool:
        """Send an event, whose acknowledgement happens as `ack`; return whether there is a connection."""
        with suppress(socketio.exceptions.SocketIOError):
            if self._client:
                await self._client.emit(
                    event, dict(payload), callback=lambda answer: self._happened("ack", (event, answer))
                )
                return True
        return False

    async def close(self) -> None:
        client, self._client = self._client, None
        if client:
            with suppress(socketio.exceptions.SocketIOError, OSError, TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await client.disconnect()
        if self._http:
            await self._http.close()

    def _lost(self, client: object) -> None:
        if client is self._client:  # not one that we left ourselves
            self._client = None
            self._happened("lost", None)


class Student:
    """Follows one explanation; `renewable`: whether `token` makes a new one when one has expired."""

    def __init__(
        self,
        url: str,
        token: Callable[[], str],
        question: str,
        reader: Reader,
        view: View,
        *,
        renewable: bool,
    ) -> None:
        self._inbox: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._wire = Wire(url, token, self.happened)
        self._token, self._question = token, question
        self._reader, self._view = reader, view
        self._renewable = renewable
        self._request_id = str(uuid.uuid4())
        self._session_id, self._asked = "", False
        self._start: Payload = {}
        self._error: Payload = {}
        self._seconds = 0.0
        self._waiting = ""
        self._patient_until = 0.0  # after a lost connection, what is refused for a while is tried again
        self._note, self._note_until = "", 0.0
        self._leaving: Ending | None = None
        self._ending: Ending | None = None

    def happened(self, kind: str, payload: Any) -> None:
        self._inbox.put_nowait((kind, payload))

    async def follow(self) -> Ending:
        """Ask, and return how it ended."""
        self._connecting = asyncio.create_task(self._wire.connect(patience=0.0))
        try:
            while self._ending is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(FRAME if self._reader.moving else IDLE):
                        await self._take(*await self._inbox.get())
                while not self._inbox.empty() and self._ending is None:
                    await self._take(*self._inbox.get_nowait())
                self._draw()
            return self._ending
        finally:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
            await self._wire.close()

    def _draw(self) -> None:
        now = time.monotonic()
        self._view.draw(self._reader, now, self._note if now < self._note_until else self._waiting)
        if self._reader.finished and not self._ending:
            how = "cached" if self._start.get("cached") else "generated"
            answer = f" · answer {self._start['answer_id']}" if self._start.get("answer_id") else ""
            self._ending = Ending(0, f"{how} · {self._seconds:.0f} s{answer}")

    async def _take(self, kind: str, payload: Any) -> None:
        match kind:
            case "connected" if self._leaving is None:
                await self._begin_or_go_on()
            case "lost" if self._leaving is not None:
                self._ending = self._leaving
            case "lost":
                self._waiting = "connection lost, trying again…"
                self._patient_until = time.monotonic() + RECONNECT_SECONDS
                self._connecting = asyncio.create_task(self._wire.connect(RECONNECT_SECONDS))
            case "ended":
                self._ending = payload
            case "key":
                await self._press(payload)
            case "leave":
                await self._leave(payload)
            case "ack":
                self._acknowledged(*payload)
            case "event":
                await self._hear(*payload)

    async def _begin_or_go_on(self) -> None:
        self._waiting = ""
        if not self._session_id:
            ask = {"question": self._question, "speed": self._reader.speed, "request_id": self._request_id}
            await self._wire.send("ask_question", ask)
            if self._asked:  # and the answer was lost: it may be playing, and we hold nothing of it
                await self._wire.send("resume_explanation", {"step": 1, "position": 0})
            self._asked = True
        elif not self._reader.complete and self._reader.state is not State.PAUSED:
            await self._resume()

    async def _resume(self, **more: str) -> None:
        """Go on where the text ends that is held; what waits to appear is not said again."""
        await self._command(
            "resume_explanation", self._reader.shown if self._reader.resting else self._reader.held, **more
        )

    async def _command(self, event: str, place: Place | None = None, **more: Any) -> None:
        where = {"step": place.step, "position": place.position} if place else {}
        if not await self._wire.send(event, {"session_id": self._session_id, **where, **more}):
            self._say("not connected")

    # --- What the server says ----------------------------------------------------------------------

    def _acknowledged(self, event: str, payload: Payload) -> None:
        if event == "ask_question":
            self._view.heard("ack", payload)
            self._session_id = payload.get("session_id", "")
        if payload["ok"]:
            return
        error = payload["error"]
        again = error["code"] in PASSING and time.monotonic() < self._patient_until
        if event == "resume_explanation" and again:
            seconds = self._error.get("retry_after", LAST_RETRY)
            asyncio.get_running_loop().call_later(seconds, self.happened, "connected", None)
        elif event in ("ask_question", "resume_explanation") and not self._leaving:
            if error["code"] != "token_expired" or not self._renewable:  # else the error itself is answered
                self._ending = Ending(1, error["message"], error["code"])
        elif event == "pause_explanation":
            self._reader.resting = False
        elif event == "stop_explanation":
            self._ending = self._leaving

    async def _hear(self, event: str, payload: Any) -> None:
        self._view.heard(event, payload)
        self._reader.hear(event, payload)
        match event:
            case "waiting_phrase":
                self._waiting = payload["message"]
            case "explanation_start":
                self._start, self._waiting = payload, ""
            case "explanation_complete":
                self._seconds = payload["total_duration"]
            case "server_restarting":
                self._say("the server restarts")
            case "error":
                self._error = payload
                self._say(payload["message"])
                if payload["code"] == "token_expired" and self._renewable:
                    await self._resume(token=self._token())
            case "streaming_paused":
                self._paused(payload["reason"])
            case "explanation_stopped":
                self._ending = self._leaving or self._failed("Stopped elsewhere.")

    def _paused(self, reason: str) -> None:
        if reason == PauseReason.MOVED:
            self._say("goes on in another window; space takes it back")
        passes = reason == PauseReason.RESTART or (reason == PauseReason.TOKEN_EXPIRED and self._renewable)
        if not passes and not self._view.patient:
            self._ending = self._failed("Paused, or played, in another window.")

    def _failed(self, words: str) -> Ending:
        return Ending(1, self._error.get("message", words), self._error.get("code", ""))

    # --- What the student does ---------------------------------------------------------------------

    async def _press(self, key: str) -> None:
        reader = self._reader
        match key:
            case "quit":
                await self._leave(0)
            case "pause" if reader.complete:
                reader.resting = not reader.resting
            case "pause" if reader.paused:
                await self._resume()
            case "pause":
                reader.resting = True
                await self._command("pause_explanation", reader.shown)
            case "next" if reader.next_step() is None:
                self._say("this is the last step")
            case "back" | "next" if reader.total_steps:
                place = reader.sentence_back() if key == "back" else reader.next_step()
                await self._command("seek_explanation", place)
            case "faster" | "slower":
                change = SPEED_STEP if key == "faster" else 1 / SPEED_STEP
                reader.speed = within_limits(reader.speed * change)
                await self._command("set_speed", speed=reader.speed)

    async def _leave(self, exit_code: int) -> None:
        """Stop; a second time, or after a while, without waiting for the server's word."""
        ending = Ending(exit_code, f"stopped at step {self._reader.shown.step} of {self._reader.total_steps}")
        mine = {"session_id": self._session_id} if self._session_id else {}
        over = self._leaving or self._reader.complete
        if over or not await self._wire.send("stop_explanation", mine):
            self._ending = ending
            return
        self._leaving = ending
        asyncio.get_running_loop().call_later(STOP_SECONDS, self.happened, "ended", ending)

    def _say(self, note: str) -> None:
        self._note, self._note_until = note, time.monotonic() + NOTE_SECONDS
