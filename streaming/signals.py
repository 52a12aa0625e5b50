"""What the connections of one student say to each other over the channel layer, wherever each of them is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from streaming.protocol import SessionCommand, read_command
from streaming.replies import Ack
from streaming.sessions import SessionRecord

logger = logging.getLogger("tutor.signals")

VERSION = 1  # of the messages; of another version nothing is understood
ANSWER_SECONDS = 0.5  # how long the owner of a session has to answer before it counts as gone

Message = dict[str, Any]
# Carries out a command that is known by its id. None: what it is meant for is not played here.
Obey = Callable[[SessionCommand, str], Awaitable[Ack | None]]


class Signals:
    """One connection's: commands for the sessions that others play, and theirs for what plays here."""

    def __init__(self, layer: Any, channel: str) -> None:
        self._layer = layer
        self._channel = channel
        self._asked: dict[str, asyncio.Future[Ack | None]] = {}

    async def ask_owner(self, record: SessionRecord, command: SessionCommand, command_id: str) -> Ack | None:
        """Let the connection that owns a session obey; None: it does not answer, or owns it no more."""
        future: asyncio.Future[Ack | None] = asyncio.get_running_loop().create_future()
        self._asked[command_id] = future
        message = {
            "type": "session.command",
            "version": VERSION,
            "id": command_id,
            "reply_to": self._channel,
            **command.passed_on(record.session_id),
        }
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._layer.send(record.channel, message)
                return await future
        except Exception as error:  # noqa: BLE001 an owner out of reach is one that does not answer
            logger.warning("owner_silent session=%s error=%s", record.session_id, type(error).__name__)
            return None
        finally:
            del self._asked[command_id]

    async def answer(self, message: Message, obey: Obey) -> None:
        """Let a command from another connection be carried out, and answer it."""
        if message.get("version") != VERSION:
            return
        try:
            command = read_command(message["event"], [message["payload"]])
            if not isinstance(command, SessionCommand):
                return
            answer = await obey(command, message["id"])
            answered = {"type": "session.answer", "version": VERSION, "id": message["id"], "answer": answer}
            await self._layer.send(message["reply_to"], answered)
        except Exception as error:  # noqa: BLE001 whoever asked finds that there is no answer
            logger.warning("no_answer event=%s error=%s", message["event"], type(error).__name__)

    def answered(self, message: Message) -> None:
        """Take the answer to a command of this connection."""
        if message.get("version") != VERSION:
            return
        future = self._asked.get(message["id"])
        if future and not future.done():
            future.set_result(message["answer"])
