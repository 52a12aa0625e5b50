"""WebSocket, long polling and the upgrade from one to the other."""

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

from tests.client import StudentClient
from tests.e2e.conftest import SKY, stored_text
from tests.e2e.test_input import Poller
from tests.server import Server, Student

TRANSPORTS = {
    "websocket": (["websocket"], "websocket"),
    "polling": (["polling"], "polling"),
    "upgrade": (["polling", "websocket"], "websocket"),
}


@pytest.mark.parametrize("way", TRANSPORTS)
async def test_an_explanation_comes_whole_over_every_transport(
    server: Server, learner: Student, way: str
) -> None:
    transports, ends_on = TRANSPORTS[way]
    async with StudentClient(server.url, learner.token(), transports=transports) as client:
        assert client.socket.transport() == ends_on
        await client.ask(SKY, context={"language": "es"}, speed=4)
        await client.until_shown(200)
        paused = await client.call("pause_explanation", {})
        await client.until("explanation_paused", step=paused["step"], position=paused["position"])
        assert client.place == (paused["step"], paused["position"])
        await client.call("resume_explanation", speed=8)
        await client.until("explanation_complete")
        assert client.text == stored_text(server)


@pytest.mark.parametrize("frames", [[], ["garbage"], ["2probe"], ["2probe", "garbage"]], ids=str)
async def test_an_upgrade_that_fails_leaves_the_polling_as_it_was(
    server: Server, learner: Student, frames: list[str]
) -> None:
    poller = Poller(server.url)
    await poller.open(learner.token())
    url = poller._url.replace("http", "ws", 1).replace("transport=polling", "transport=websocket")
    async with connect(url, compression=None, proxy=None) as upgrade:
        for frame in frames:
            await upgrade.send(frame)
    await asyncio.sleep(0.05)  # the server hears of the end by itself
    await poller.request(b'427["get_session",{}]')
    heard = ""
    for _ in range(4):
        status, body = await poller.request()
        assert status == 200
        heard += body.decode()
        if "437" in heard:
            break
    assert json.loads(heard[heard.index("437") + 3 :]) == [{"ok": True, "session": None}]
    await poller.request(b"1")
