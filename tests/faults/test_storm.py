"""A reconnect storm: all connections are lost at once, all come back at once, and everybody goes on."""

import asyncio
import os
import random
import time

from tests.client import RawClient
from tests.e2e.conftest import SKY, stored_text
from tests.faults.conftest import SOAK
from tests.figures import figure
from tests.model_server import ModelServer
from tests.server import MakeCluster, Server, Student, Template

CLIENTS, ROUNDS = 300, 5
RECOVERED_SECONDS = 12.0  # for the last of them; about 3.5 where this was written
SLOW = 0.03  # of the pace: reading, while the storms pass


class Reader:
    """A student who reads, loses the connection, and comes back to where the page stands."""

    def __init__(self, servers: list[Server], student: Student, number: int) -> None:
        self._servers, self._token, self._number = servers, student.token(), number
        self.client = RawClient("")
        self._session: dict[str, str] = {}

    async def ask(self, few_at_once: asyncio.Semaphore) -> None:
        async with few_at_once:
            await self._connect(0)
            (ack,) = await self.client.call("ask_question", {"question": SKY, "speed": SLOW}, ack=1)
        assert ack["ok"], ack
        assert ack["cached"]
        self._session = {"session_id": ack["session_id"]}

    async def read(self, characters: int) -> None:
        held = sum(map(len, self.client.text.values()))
        await self.client.until_shown(held + characters)

    async def come_back(self, storm: int) -> float:
        """Return when the first chunk after the storm arrived."""
        before = self.client
        await before.__aexit__(None, None, None)
        step, position = before.place
        await self._connect(storm)
        self.client.text, self.client.board = before.text, before.board
        at = {"step": step, "position": position}
        (ack,) = await self.client.call("resume_explanation", {**self._session, **at}, ack=1)
        assert ack == {"ok": True, **at}
        await self.client.until("content_chunk", seconds=RECOVERED_SECONDS)
        return next(event.at for event in self.client.events if event.name == "content_chunk")

    async def hear_the_rest(self) -> None:
        (ack,) = await self.client.call("set_speed", {"speed": 8}, ack=2)
        assert ack["ok"], ack
        await self.client.until("explanation_complete", seconds=RECOVERED_SECONDS)
        assert "error" not in self.client.names
        await self.client.__aexit__(None, None, None)

    async def _connect(self, storm: int) -> None:
        server = self._servers[(self._number + storm) % len(self._servers)]
        self.client = RawClient(server.url, self._token, open_timeout=60)
        await self.client.__aenter__()


async def test_all_who_were_dropped_at_once_come_back_at_once(
    cluster: MakeCluster, template: Template, model_server: ModelServer
) -> None:
    servers = cluster(2)
    whole, seed = stored_text(servers[0]), int(os.environ.get("SEED", random.randrange(2**32)))
    figure(f"storm: seed {seed}")
    chance = random.Random(seed)
    readers = [Reader(servers, template.student(), number) for number in range(CLIENTS)]
    few_at_once = asyncio.Semaphore(10)
    await asyncio.gather(*(reader.ask(few_at_once) for reader in readers))
    for storm in range(1, 1 + ROUNDS * SOAK):
        await asyncio.gather(*(reader.read(chance.randint(1, 40)) for reader in readers))
        began = time.monotonic()
        for reader in readers:
            reader.client.abort()
        back = sorted(await asyncio.gather(*(reader.come_back(storm) for reader in readers)))
        figure(
            f"storm {storm}: {len(back)} of {CLIENTS} are back, half of them after "
            f"{back[len(back) // 2] - began:.2f} s, the last after {back[-1] - began:.2f} s"
        )
        assert back[-1] - began < RECOVERED_SECONDS
    await asyncio.gather(*(reader.hear_the_rest() for reader in readers))
    for reader in readers:
        assert reader.client.text == whole
        assert not reader.client.faults
    assert model_server.calls == 0
    (row,) = servers[0].rows("SELECT count(*) AS n FROM answers_listening")
    assert row["n"] == CLIENTS, "a session comes back, no new one"
