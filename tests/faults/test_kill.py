"""A process that plays is killed at any chunk; its student goes on elsewhere, nothing lost or retold."""

import asyncio
import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.client import StudentClient
from tests.e2e.conftest import SKY, stored_text
from tests.faults.conftest import SOAK
from tests.figures import figure
from tests.model_server import ModelServer, Reply
from tests.server import MakeCluster, Server, Template

KILLS, LANES = 30, 3  # each lane kills two processes in turn, while the other one plays
SENTENCES, TITLES = 12, ["One", "Two", "Three"]
TAKE_OVER = 12.0  # seconds: the lease of a dead writer, the time it is waited for, and a model that thinks


class Teller:
    """A model that tells everything in other words each time it is asked."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def reply(self, request: dict[str, Any]) -> Reply:
        asked = json.loads(request["messages"][1]["content"])
        self.calls[asked["question"]] += 1
        time = self.calls[asked["question"]]
        written = asked.get("written", [])
        steps = [self._step(title, time) for title in TITLES[len(written) :]]
        if not written:
            told: dict[str, Any] = {"plan": {"total_duration": 60, "titles": TITLES}, "steps": steps}
        elif "rest" in request["response_format"]["json_schema"]["schema"]["properties"]:
            told = {"rest": self._step("Rest", time)["parts"], "steps": steps}
        else:
            told = {"steps": steps}
        return Reply(json.dumps(told), per_second=150)

    def _step(self, title: str, time: int) -> dict[str, Any]:
        says = [f"Telling {time}: sentence {n} of {title}. " for n in range(SENTENCES)]
        drawn = {"op": "text", "id": f"t{time}{title.lower()}", "text": title, "x": 100, "y": 90}
        parts = [{"say": says[0]}, {"do": drawn}, {"say": "".join(says[1:])}]
        return {"title": title, "type": "text", "parts": parts}


@dataclass
class Lane:
    """Two processes: the one that plays is killed, and starts again while the other one plays."""

    playing: Server
    other: Server
    chance: random.Random
    token: str
    teller: Teller
    whole: dict[int, str]
    unwritten: int = 0  # kills while the answer was being written
    seconds: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})

    async def run(self, first: int, trials: int) -> None:
        starting: asyncio.Future[Server] | None = None
        for trial in range(first, first + trials):
            if starting:
                await starting
            question = SKY if trial % 2 else f"What does telling {trial} tell?"
            async with StudentClient(self.playing.url, self.token) as before:
                ack = await before.ask(question, speed=(speed := self.chance.choice([1, 2])))
                await self._until_chunk(
                    before, self.chance.randint(1, (50 if ack["cached"] else 24) // speed)
                )
                killed = time.monotonic()
                await asyncio.to_thread(self.playing.kill)
                await before.socket.wait()
            starting = asyncio.ensure_future(asyncio.to_thread(self.playing.start))
            self.unwritten += not self._answers(question)
            first_chunk = await self._go_on(before, ack, question, placed=trial % 3 > 0)
            self.seconds[ack["cached"]].append(first_chunk - killed)
            self.playing, self.other = self.other, self.playing
        if starting:
            await starting

    async def _until_chunk(self, client: StudentClient, number: int) -> None:
        await client.until("content_chunk", where=lambda _: len(client.all("content_chunk")) >= number)

    async def _go_on(self, before: StudentClient, ack: dict[str, Any], question: str, placed: bool) -> float:
        """Hear the rest at the other process; return when its first chunk came."""
        session = {"session_id": ack["session_id"]}
        async with StudentClient(self.other.url, self.token) as after:
            if placed:
                after.text, after.board = dict(before.text), dict(before.board)
                at = dict(zip(("step", "position"), before.place, strict=True))
                resumed = await after.call("resume_explanation", {**session, **at})
            else:
                snapshot = (await after.call("get_session", session))["session"]
                at = {"step": snapshot["step"], "position": snapshot["position"]}
                after.text = {n: step["content"] for n, step in enumerate(snapshot["steps"], 1)}
                resumed = await after.call("resume_explanation", session)
            assert resumed == {"ok": True, **at}
            await after.until("content_chunk", seconds=TAKE_OVER)
            first = next(event.at for event in after.events if event.name == "content_chunk")
            await after.call("set_speed", {**session, "speed": 8})
            await after.until("explanation_complete", seconds=TAKE_OVER)
            assert "explanation_start" not in after.names
            assert "error" not in after.names
        for step, shown in before.text.items():
            assert after.text[step].startswith(shown), "what was shown is told in other words"
        (row,) = self._answers(question)
        steps = json.loads(row["answer_steps"])
        assert after.text == {n: step["content"] for n, step in enumerate(steps, 1)}
        if placed:
            for number, step in enumerate(steps, 1):
                drawn = [said["command"] for _, said in sorted(after.board.get(number, {}).items())]
                assert [command["at"] for command in drawn] == [c["at"] for c in step["canvas_commands"]]
        if ack["cached"]:
            assert after.text == self.whole
        else:
            assert self.teller.calls[question] <= 2
        await self._recorded(ack["session_id"])
        return first

    def _answers(self, question: str) -> list[dict[str, Any]]:
        return self.other.rows("SELECT answer_steps FROM ai_answers WHERE question_text = ?", question)

    async def _recorded(self, session_id: str) -> None:
        """One session, one row, and at its end it says so."""
        async with asyncio.timeout(3):
            while True:
                query = "SELECT state FROM answers_listening WHERE session_id = ?"
                rows = self.other.rows(query, session_id)
                assert len(rows) == 1
                if rows[0]["state"] == "complete":
                    return
                await asyncio.sleep(0.05)


async def test_a_process_killed_at_any_chunk_costs_nobody_a_character(
    cluster: MakeCluster, template: Template, model_server: ModelServer
) -> None:
    seed = int(os.environ.get("SEED", random.randrange(2**32)))
    figure(f"kill: seed {seed}")
    teller = Teller()
    model_server.script(teller.reply)
    servers = cluster(2 * LANES)
    whole, trials = stored_text(servers[0]), KILLS * SOAK // LANES
    lanes = [
        Lane(
            *servers[2 * n : 2 * n + 2],
            random.Random(f"{seed} {n}"),
            template.student().token(),
            teller,
            whole,
        )
        for n in range(LANES)
    ]
    await asyncio.gather(*(lane.run(trials * n, trials) for n, lane in enumerate(lanes)))
    for cached, what in ((True, "stored answer"), (False, "answer being written")):
        seconds = [taken for lane in lanes for taken in lane.seconds[cached]]
        figure(
            f"{len(seconds)} kills, {what}: from the kill to the first chunk elsewhere "
            f"median {median(seconds):.2f} s, at most {max(seconds):.2f} s"
        )
    unwritten, calls = sum(lane.unwritten for lane in lanes), Counter(teller.calls.values())
    figure(
        f"{unwritten} kills fell into the writing; questions by model calls: {dict(sorted(calls.items()))}"
    )
    assert unwritten >= KILLS * SOAK // 4
