"""The bridge with consumers that misbehave, and with connections that go at the wrong moment."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from streaming import connection
from streaming.bridge import Bridge
from streaming.wire import Message, Receive, Send


class Wire:
    """One WebSocket to a bridge, in this process."""

    def __init__(self, bridge: Bridge) -> None:
        headers = [(b"host", b"testserver"), (b"upgrade", b"websocket"), (b"connection", b"upgrade")]
        scope = {
            "type": "websocket",
            "path": "/socket.io/",
            "query_string": b"EIO=4&transport=websocket",
            "headers": headers,
        }
        self._communicator = ApplicationCommunicator(bridge, scope)

    async def open(self) -> None:
        await self._communicator.send_input({"type": "websocket.connect"})
        assert (await self._communicator.receive_output(5))["type"] == "websocket.accept"
        assert (await self.hear())[0] == "0"

    async def enter(self) -> str:
        await self.open()
        await self.send("40")
        return await self.hear()

    async def send(self, text: str) -> None:
        await self._communicator.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> str:
        message = await self._communicator.receive_output(5)
        return message.get("text") or message["type"]

    async def leave(self) -> None:
        await self._communicator.send_input({"type": "websocket.disconnect", "code": 1001})
        await self._communicator.wait(5)


async def echo(scope: Message, receive: Receive, send: Send) -> None:
    """A consumer that says every event twice round its acknowledgement, and fails or sleeps on request."""
    assert (await receive())["type"] == "socketio.connect"
    await send({"type": "socketio.accept"})
    while (message := await receive())["type"] != "socketio.disconnect":
        if message["type"] == "socketio.event":
            match message["event"]:
                case "die":
                    raise ValueError("kanarienvogel")
                case "say nothing":
                    continue
                case "stay":
                    await asyncio.Event().wait()
        said = {"type": "socketio.emit", "event": message.get("event", "invalid"), "payload": {"n": 1}}
        await send({"type": "socketio.ack", "ack": message["ack"], "payload": message.get("args")})
        await send(said)


def empty(bridge: Bridge) -> bool:
    manager = bridge.server.manager
    left = (bridge._connections, manager.rooms.get("/"), manager.pending_connect, bridge.server.environ)
    return not any(left)


async def poll(bridge: Bridge, sid: str = "", body: bytes | None = None) -> str:
    """Make one request of long polling: with a body it sends, without it listens."""
    query = f"EIO=4&transport=polling{sid and '&sid=' + sid}".encode()
    method, said = "GET" if body is None else "POST", b""
    scope = {"type": "http", "method": method, "path": "/socket.io/", "query_string": query, "headers": []}

    async def receive() -> Message:
        return {"type": "http.request", "body": body or b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal said
        said += message.get("body", b"")

    await bridge(scope, receive, send)
    return said.decode()


@pytest.fixture
def bridge() -> Bridge:
    return Bridge(echo, [], monitor_clients=False)


async def test_names_are_data_and_an_acknowledgement_comes_before_what_follows_it(bridge: Bridge) -> None:
    wire = Wire(bridge)
    assert (await wire.enter()).startswith("40{")
    for number, name in enumerate(("connect", "disconnect", "socketio.disconnect", "*", "message", "x")):
        await wire.send(f"42{number}{json.dumps([name, {'a': 'ñ'}])}")
        assert await wire.hear() == f'43{number}[[{{"a":"ñ"}}]]'
        assert await wire.hear() == f'42["{name}",{{"n":1}}]'
    await wire.leave()
    assert empty(bridge)


async def test_events_reach_the_consumer_in_their_order(bridge: Bridge) -> None:
    wire = Wire(bridge)
    await wire.enter()
    for number in range(100):
        await wire.send(f'42["{number}"]')
    assert [json.loads((await wire.hear())[2:])[0] for _ in range(100)] == [str(n) for n in range(100)]
    await wire.leave()


async def test_a_consumer_that_dies_ends_its_connection(
    bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    wire = Wire(bridge)
    await wire.enter()
    await wire.send('427["die"]')
    heard = [await wire.hear()]
    while heard[-1] != "1":  # the transport, not the namespace, so that browsers connect again
        heard.append(await wire.hear())
    await wire.leave()
    assert empty(bridge)
    assert "consumer_died error=ValueError" in caplog.text
    assert "kanarienvogel" not in caplog.text


async def test_a_consumer_that_dies_at_connect_refuses_with_a_code(bridge: Bridge) -> None:
    async def dies(scope: Message, receive: Receive, send: Send) -> None:
        raise ValueError

    bridge = Bridge(dies, [], monitor_clients=False)
    wire = Wire(bridge)
    refused = json.loads((await wire.enter())[2:])
    assert refused["data"]["code"] == "internal_error"
    assert refused["data"]["message"] == refused["message"] != ""
    await wire.leave()
    assert empty(bridge)


async def test_an_event_that_is_never_answered_is_answered_with_an_error(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ACK_SECONDS", 0.05)
    wire = Wire(bridge)
    await wire.enter()
    await wire.send('427["say nothing"]')
    ack = json.loads((await wire.hear())[3:])
    assert ack[0]["error"]["code"] == "internal_error"
    assert ack[0]["error"]["message"]
    await wire.leave()


async def test_a_consumer_that_does_not_end_is_ended(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.05)
    wire = Wire(bridge)
    await wire.enter()
    await wire.send('42["stay"]')
    await asyncio.sleep(0.01)
    await wire.leave()
    assert empty(bridge)


@pytest.mark.parametrize("accepts", [True, False])
async def test_a_client_that_goes_while_it_is_let_in_leaves_nothing(accepts: bool) -> None:
    reached, go_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        reached.set()
        await go_on.wait()
        await send({"type": "socketio.accept" if accepts else "socketio.refuse", "code": "c", "message": "m"})
        while accepts and (await receive())["type"] != "socketio.disconnect":
            pass
        ended.set()

    bridge = Bridge(slow, [], monitor_clients=False)
    sid = json.loads((await poll(bridge))[1:])["sid"]
    entering = asyncio.create_task(poll(bridge, sid, b"40"))
    await reached.wait()
    await poll(bridge, sid, b"1")
    go_on.set()
    async with asyncio.timeout(1):
        await entering
        await ended.wait()
    assert empty(bridge)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_whose_client_has_gone_is_forgotten(bridge: Bridge, method: str) -> None:
    sent: list[Any] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/socket.io/", "query_string": b"", "headers": []}
    await bridge(scope, receive, send)
    assert sent == []
