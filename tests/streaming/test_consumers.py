"""The consumer when what it needs fails, and with messages that nobody should send."""

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer

from accounts.models import User
from accounts.tokens import access_token
from answers.store import MemoryStore
from streaming.consumers import TutorConsumer
from streaming.sessions import Sessions
from tests.in_process import InProcessStudent, make_stage, settled

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "kanarienvogel"


class Broken(MemoryStore):
    """A store that fails while it is told to."""

    broken = False

    async def get(self, key: str) -> str | None:
        if self.broken:
            raise ConnectionError(CANARY)
        return await super().get(key)


async def test_a_command_that_fails_is_one_coded_error_and_the_next_may_do_better(
    student: User, caplog: pytest.LogCaptureFixture
) -> None:
    store = Broken()
    stage = make_stage(sessions=Sessions(store, 1800))
    async with InProcessStudent(stage, access_token(student)) as client:
        store.broken = True
        ack = await client.call("ask_question", question=f"What is {CANARY}?", request_id="r")
        assert ack["error"]["code"] == "internal_error"
        assert client.events == [("error", ack["error"])]
        store.broken = False
        assert (await client.call("ask_question", question="What is a force?", request_id="r"))["ok"]
        await client.until("explanation_complete")
    assert "command_failed event=ask_question error=ConnectionError" in caplog.text
    assert CANARY not in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_channel_layer_that_is_away_ends_nobody(
    student: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(channel: str) -> Any:
        await asyncio.sleep(0)
        raise ConnectionError(CANARY)

    monkeypatch.setattr(get_channel_layer(), "receive", away)
    async with InProcessStudent(make_stage(), access_token(student)) as client:
        assert (await client.call("ask_question", question="What is a force?"))["ok"]
        await client.until("explanation_complete")
    assert "channel_layer_away error=ConnectionError" in caplog.text
    assert CANARY not in caplog.text


async def test_more_commands_than_wait_in_line_are_refused(student: User) -> None:
    async with InProcessStudent(make_stage(events_per_second=2), access_token(student)) as client:
        acks = await asyncio.gather(*(send(client, "get_session") for _ in range(20)))
        assert len(acks) == 20
        for _ in range(200):
            await settled()
        answered = [await client._communicator.receive_output(5) for _ in range(20 + 12)]
        codes = [
            message["payload"]["error"]["code"]
            for message in answered
            if message["type"] == "socketio.ack" and not message["payload"]["ok"]
        ]
        assert codes == ["rate_limited"] * 12, "two a second, four seconds' worth at once"


async def send(client: InProcessStudent, event: str) -> None:
    client._acks += 1
    message = {
        "type": "socketio.event",
        "event": event,
        "args": [{"token": client.token}],
        "ack": client._acks,
    }
    await client._communicator.send_input(message)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "session.command", "id": "x", "reply_to": "n!x", "event": "ask_question", "payload": {}},
        {"type": "session.command", "id": "x", "reply_to": "n!x", "event": "nonsense", "payload": None},
        {"type": "session.command", "id": "x", "reply_to": "no channel", "event": "stop_explanation",
         "payload": {"session_id": "x"}},
        {"type": "session.answer", "id": "x", "answer": None},
    ],
)  # fmt: skip
async def test_messages_from_elsewhere_that_mean_nothing_change_nothing(
    student: User, message: dict[str, Any], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, channels = get_channel_layer(), []

    async def new_channel(*args: Any) -> Any:
        channel = await type(layer).new_channel(layer, *args)
        channels.append(str(channel))
        return channel

    monkeypatch.setattr(layer, "new_channel", new_channel)
    async with InProcessStudent(make_stage(), access_token(student)) as client:
        await client.call("get_session")
        assert channels
        for channel in channels:
            await layer.send(channel, message)
        await settled()
        assert (await client.call("get_session"))["ok"]
    assert "Traceback" not in caplog.text


async def test_a_connection_whose_way_out_breaks_ends(caplog: pytest.LogCaptureFixture) -> None:
    """A client that could hear nothing any more is let go, so that it comes back."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    inbox.put_nowait({"type": "socketio.connect", "auth": None})
    inbox.put_nowait({"type": "socketio.event", "event": "get_session", "args": [], "ack": 1})

    async def send(message: dict[str, Any]) -> None:
        if message["type"] != "socketio.accept":
            raise ConnectionError(CANARY)

    consumer = TutorConsumer.as_asgi(stage=make_stage())
    scope = {"type": "socketio", "sid": "s", "headers": [], "client": None}
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(consumer(scope, inbox.get, send), 10)
    assert "connection_failed error=ConnectionError" in caplog.text
    assert CANARY not in caplog.text
