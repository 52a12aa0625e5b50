"""The Channels consumer behind every Socket.IO connection: it translates, and decides nothing.

It speaks with the bridge in messages of these types:

    from the bridge   socketio.connect {auth} · socketio.event {event, args, ack} · socketio.invalid {ack}
                      socketio.restart {retry_after} · socketio.disconnect
    to the bridge     socketio.accept · socketio.refuse {code, message}
                      socketio.emit {event, payload} · socketio.ack {ack, payload} · socketio.close

and over the channel layer with the other connections of a student: session.command, session.answer.
A client's event name is data in them, never a message type: it cannot call a handler.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from channels.utils import await_many_dispatch

from accounts.errors import AccountsError, RateLimited, TokenExpired, Unauthorized
from accounts.limits import EventRate
from accounts.tokens import Identity, user_for
from answers.database import in_database
from answers.errors import AnswersError
from streaming.errors import DraftLost, InvalidPayload, StreamingError
from streaming.listener import Listener
from streaming.messages import FALLBACK, error_message
from streaming.outbox import Message, Outbox
from streaming.protocol import (
    COMMANDS,
    AskQuestion,
    Error,
    ErrorCode,
    Event,
    ExplanationStopped,
    GetSession,
    ResumeExplanation,
    ServerRestarting,
    SessionCommand,
    read_command,
)
from streaming.replies import Ack
from streaming.signals import Signals
from streaming.stage import Stage

logger = logging.getLogger("tutor.consumer")

BURST = 4  # seconds of events that a connection may send at once
CodedError = (AccountsError, AnswersError, StreamingError)


class TutorConsumer(AsyncConsumer):  # type: ignore[misc]
    """One connection of one student."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.student: Identity | None = None
        self.token = ""
        self.entered = False  # whether this connection counts among its student's
        self.expiry: asyncio.TimerHandle | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Run until the connection ends.

        As Channels runs a consumer, but that a channel layer which is away does not end it.
        """
        self.scope = scope
        self.base_send = send
        self.channel_layer = get_channel_layer()
        self.channel_name = await self.channel_layer.new_channel()
        self.failed = asyncio.Event()
        loop = asyncio.get_running_loop()
        per_second = self.stage.events_per_second
        self.rate = EventRate(per_second, BURST * per_second, loop.time())
        self.outbox = Outbox(send, self.failed.set)
        channel = str(self.channel_name)
        self.signals = Signals(self.channel_layer, channel)
        self.listener = Listener(
            self.stage, scope["sid"], channel, self.say, self.outbox.drained, self.signals.ask_owner
        )
        # Commands wait for databases and other processes, so they have a task of their own: a message from
        # another connection is never kept waiting behind them.
        self.commands: asyncio.Queue[Message] = asyncio.Queue(maxsize=int(BURST * per_second))
        self.background(self.outbox.run())
        self.background(self.work())
        try:
            await await_many_dispatch([receive, self.hear, self.fail], self.dispatch)
        except StopConsumer:
            pass
        finally:
            await self.leave()

    async def dispatch(self, message: Message) -> None:
        """Call the handler of a message.

        Not Channels' own, which first sends every message through asgiref's single thread to look after
        database connections; `answers.database` does that where the database is used.
        """
        handler = getattr(self, get_handler_name(message), None)
        if handler:  # another process may be of a later version, and say what is not known here
            await handler(message)

    async def hear(self) -> Message:
        """Return the next message from the channel layer, however long that is away."""
        while True:
            try:
                return await self.channel_layer.receive(self.channel_name)  # type: ignore[no-any-return]
            except Exception as error:  # noqa: BLE001 each layer has its own errors
                logger.warning("channel_layer_away error=%s", type(error).__name__)
                await asyncio.sleep(1)

    async def fail(self) -> Message:
        """End the connection when a task that it cannot do without has failed: its client comes back."""
        await self.failed.wait()
        raise RuntimeError("a task of the connection has failed")

    # --- From the bridge ---------------------------------------------------------------------------

    async def socketio_connect(self, message: Message) -> None:
        auth = message["auth"]
        token = auth.get("token") if isinstance(auth, dict) else None
        try:
            if token:
                await self.identify(token)
        except CodedError as error:
            await self.base_send({"type": "socketio.refuse", **self.coded(error)})
            raise StopConsumer from None
        await self.base_send({"type": "socketio.accept"})

    async def socketio_event(self, message: Message) -> None:
        try:
            self.rate.count(asyncio.get_running_loop().time())
            self.commands.put_nowait(message)
        except (RateLimited, asyncio.QueueFull) as error:
            self.refuse(message, error if isinstance(error, RateLimited) else RateLimited(1.0))

    async def socketio_invalid(self, message: Message) -> None:
        await self.socketio_event({**message, "event": "", "args": None})

    async def socketio_restart(self, message: Message) -> None:
        self.background(self.restart(message["retry_after"]))

    async def socketio_disconnect(self, message: Message) -> None:
        raise StopConsumer

    # --- From other connections --------------------------------------------------------------------

    async def session_command(self, message: Message) -> None:
        self.background(self.signals.answer(message, self.listener.obey))

    async def session_answer(self, message: Message) -> None:
        self.signals.answered(message)

    # --- Commands ----------------------------------------------------------------------------------

    async def work(self) -> None:
        """Carry out what the client sends, in the order in which it came."""
        while True:
            message = await self.commands.get()
            try:
                await self.carry_out(message)
            except CodedError as error:
                self.refuse(message, error)
            except Exception as error:  # noqa: BLE001 whatever it was, the next command may do better
                # The text of the error may hold what the student wrote, and so may the name of the event.
                event = message["event"] if message["event"] in COMMANDS else "unknown"
                logger.error("command_failed event=%s error=%s", event, type(error).__name__)
                self.refuse(message, StreamingError())

    async def carry_out(self, message: Message) -> None:
        event, args = message["event"], message["args"]
        payload = args[0] if args else None
        student = await self.identify(payload.get("token") if isinstance(payload, dict) else None)
        if args is None:
            raise InvalidPayload
        command, listener = read_command(event, args), self.listener
        reply = functools.partial(self.acknowledge, message)
        match command:
            case AskQuestion():
                await listener.ask(student, command, reply)
            case ResumeExplanation():
                await listener.resume(student, command, reply)
            case GetSession():
                reply({"ok": True, "session": await listener.snapshot(student, command)})
            case SessionCommand():
                await listener.steer(student, command, reply)

    def acknowledge(self, message: Message, payload: Ack) -> None:
        if message["ack"] is not None:
            self.outbox.put([{"type": "socketio.ack", "ack": message["ack"], "payload": payload}])

    def refuse(self, message: Message, error: Exception) -> None:
        coded = self.coded(error)
        self.say([Error(coded["code"], coded["message"], getattr(error, "retry_after", None))])
        if isinstance(error, DraftLost):
            self.say([ExplanationStopped(error.step, error.position)])
        self.acknowledge(message, {"ok": False, "error": coded})

    def say(self, events: Sequence[Event]) -> None:
        self.outbox.put(
            {"type": "socketio.emit", "event": event.name, "payload": event.payload()} for event in events
        )

    def coded(self, error: Exception) -> dict[str, str]:
        code = getattr(error, "code", ErrorCode.INTERNAL_ERROR.value)
        return {
            "code": code,
            "message": error_message(code, self.student.language if self.student else FALLBACK),
        }

    # --- Who it is ---------------------------------------------------------------------------------

    async def identify(self, token: object) -> Identity:
        """Return whose command it is: by its own token if it carries one, else by the connection's.

        Raises `Unauthorized` or `TokenExpired`.
        """
        student = self.student
        if not token or token == self.token:
            if student is None:
                raise Unauthorized
            if student.expires_at <= time.time():
                raise TokenExpired
            return student
        bearer = await in_database(user_for, token)
        if student and bearer.user_id != student.user_id:
            raise Unauthorized
        if not self.entered:
            self.stage.connections.enter(bearer.user_id)
            self.entered = True
        if student is None or bearer.expires_at > student.expires_at:
            self.student, self.token = bearer, str(token)
            if self.expiry:
                self.expiry.cancel()
            seconds = bearer.expires_at - time.time()
            self.expiry = asyncio.get_running_loop().call_later(seconds, self.expired)
            self.listener.renew()
        return bearer

    def expired(self) -> None:
        self.say([Error("token_expired", self.coded(TokenExpired())["message"])])
        self.listener.expire()

    # --- The end -----------------------------------------------------------------------------------

    async def restart(self, retry_after: float) -> None:
        """Let the student go, because this process ends."""
        await self.listener.restart()
        self.say([ServerRestarting(retry_after)])
        self.outbox.put([{"type": "socketio.close"}])

    def background(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.ended)

    def ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            # Its text may hold what the student wrote.
            logger.error("connection_failed error=%s", type(error).__name__)
            self.failed.set()

    async def leave(self) -> None:
        """Leave nothing behind: no task, no timer, no session that thinks it is played."""
        if self.expiry:
            self.expiry.cancel()
        if self.entered and self.student:
            self.stage.connections.leave(self.student.user_id)
        tasks = set(self.tasks)
        for task in tasks:
            task.cancel()
        try:
            if tasks:
                await asyncio.wait(tasks)
        finally:
            await self.listener.disconnect()
