"""What waits for a client that does not read: little, and not for ever."""

import asyncio
import time
from typing import Any

import pytest

from accounts.models import User
from accounts.tokens import access_token
from streaming.bridge import PONG_SECONDS, WINDOW, Bridge
from streaming.consumers import TutorConsumer
from streaming.outbox import LIMIT, Outbox
from streaming.wire import Message, Receive, Send
from tests.in_process import make_stage, settled
from tests.streaming.test_bridge import Wire, echo, empty


async def test_what_nobody_takes_is_dropped_at_the_limit_and_ends_the_connection() -> None:
    taken = asyncio.Event()

    async def stuck(message: Any) -> None:
        await taken.wait()

    overflows = 0

    def overflowed() -> None:
        nonlocal overflows
        overflows += 1

    outbox = Outbox(stuck, overflowed)
    running = asyncio.create_task(outbox.run())
    put = 0
    while not overflows:
        outbox.put([{"type": "socketio.emit", "payload": "x" * 1000}])
        put += 1
        await asyncio.sleep(0)
    assert LIMIT / 1100 < put <= LIMIT / 1000 + 2
    assert not outbox._messages
    running.cancel()


class Stalling:
    """A bridge whose client reads only while `reading` is set."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self.reading = asyncio.Event()
        self.reading.set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        async def send_when_read(message: Message) -> None:
            await self.reading.wait()
            await send(message)

        await self._bridge(scope, receive, send_when_read)


async def test_events_wait_for_a_client_that_does_not_read() -> None:
    sent = 0

    async def talker(scope: Message, receive: Receive, send: Send) -> None:
        nonlocal sent
        await receive()
        await send({"type": "socketio.accept"})
        while sent < 100:
            await send({"type": "socketio.emit", "event": str(sent), "payload": None})
            sent += 1
        await receive()

    bridge = Bridge(talker, [], monitor_clients=False)
    stalling = Stalling(bridge)
    wire = Wire(stalling)
    await wire.open()
    stalling.reading.clear()
    await wire.send("40")
    for _ in range(2000):
        await asyncio.sleep(0)
    assert sent <= 2 * WINDOW + 2
    stalling.reading.set()
    assert (await wire.hear()).startswith("40")
    assert [await wire.hear() for _ in range(100)] == [f'42["{number}"]' for number in range(100)]
    await wire.leave()
    assert empty(bridge)


async def test_events_wait_while_a_ping_is_unanswered() -> None:
    bridge = Bridge(echo, [], monitor_clients=False)
    wire = Wire(bridge)
    await wire.enter()
    (transport,) = bridge.server.eio.sockets.values()
    transport.last_ping = time.time() - PONG_SECONDS - 0.1
    await wire.send('427["x"]')
    for _ in range(100):
        await asyncio.sleep(0)
    assert await wire._communicator.receive_nothing()
    await wire.send("3")
    assert await wire.hear() == "437[[]]"
    await wire.leave()


@pytest.mark.django_db(transaction=True)
async def test_a_client_that_commands_and_never_reads_is_let_go_of(student: User) -> None:
    stage = make_stage(events_per_second=100_000)
    bridge = Bridge(TutorConsumer.as_asgi(stage=stage), [], monitor_clients=False)
    stalling = Stalling(bridge)
    wire = Wire(stalling)
    await wire.enter()
    await wire.send(f'42["get_session",{{"token":"{access_token(student)}"}}]')
    stalling.reading.clear()
    commands = 0
    while bridge._connections:
        await wire.send('421["nonsense",{}]')  # refused at once, whatever the database does
        commands += 1
        await settled()
        assert commands < 5_000
    assert commands > 200, "as many as may come at once"
    stalling.reading.set()
    await wire.leave()
    assert empty(bridge)
