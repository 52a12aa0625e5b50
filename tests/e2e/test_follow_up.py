"""A student is lost at a sentence, asks about it, and goes on where they were."""

import json

from tests.client import StudentClient
from tests.e2e.conftest import SKY, assert_prefix, stored_text
from tests.model_server import ModelServer, answer, told
from tests.server import MakeCluster, Server, Student, Template

ES = {"context": {"language": "es", "level": "secundaria"}}
LOST = "No entiendo esta frase:"
SENTENCE = (
    "Pero en un día despejado levantas la vista y **todo** el cielo es azul, también donde no está el Sol."
)


async def test_lost_at_a_sentence_and_back_at_the_very_character(
    server: Server, template: Template, learner: Student, model_server: ModelServer
) -> None:
    whole = stored_text(server)
    position = whole[1].index(SENTENCE) + 30
    async with StudentClient(server.url, learner.token()) as client:
        parent = await client.ask(SKY, **ES)
        await client.until_shown(position + 20)
        about = {"session_id": parent["session_id"], "step": 1, "position": position}
        child = await client.ask(LOST, about=about, speed=8)
        await client.until("explanation_paused", step=1, position=position)
        assert client.text[1][:position] == whole[1][:position]
        assert "explanation_stopped" not in client.names

        shown, client.text, client.board = {1: whole[1][:position]}, {}, {}
        await client.until("explanation_complete")
        expected = told(answer())
        assert client.text == {n: content for n, (_, content) in enumerate(expected, 1)}
        sent = json.loads(model_server.requests[0]["messages"][-1]["content"])
        assert (model_server.calls, sent["question"]) == (1, f"{LOST} «{SENTENCE}» — {SKY}")

        client.text, client.board, since = shown, {}, len(client.events)
        back = {"session_id": parent["session_id"], "step": 1, "position": position}
        assert await client.call("resume_explanation", **back) == {
            "ok": True,
            "step": 1,
            "position": position,
        }
        chunk = await client.until("content_chunk", since=since)
        assert chunk["position"] == position, "the next character"
        await client.call("set_speed", speed=8)
        await client.until("explanation_complete", since=since)
        assert client.text == whole
        assert_prefix(client, whole)

    async with StudentClient(server.url, template.student().token()) as other:
        parent = await other.ask(SKY, **ES)
        await other.until_shown(position)
        about = {"session_id": parent["session_id"], "step": 1, "position": position - 20}
        again = await other.ask(LOST, about=about)
        assert (again["cached"], again["question_hash"]) == (True, child["question_hash"])
    assert model_server.calls == 1


async def test_a_curve_comes_as_points_in_events_and_snapshots(server: Server, learner: Student) -> None:
    async with StudentClient(server.url, learner.token()) as client:
        ack = await client.ask(SKY, **ES, speed=8)
        await client.until("explanation_complete")
        drawn = [data["command"] for data in client.all("canvas_command")]
        curves = [command for command in drawn if "expr" in command]
        assert {command["id"] for command in curves} >= {"onda-azul", "onda-roja"}
        for command in curves:
            xs = [point[0] for point in command["points"] if point]
            assert 2 <= len(xs) <= 200 and xs == sorted(xs)
            assert [xs[0], xs[-1]] == command["domain"]
        session = (await client.call("get_session", session_id=ack["session_id"]))["session"]
        assert [command for step in session["steps"] for command in step["canvas_commands"]] == drawn


async def test_what_plays_in_another_process_rests_at_the_place(
    cluster: MakeCluster, learner: Student
) -> None:
    one, other = cluster(2, CHUNK_DELAY=0.1)
    async with (
        StudentClient(one.url, learner.token()) as phone,
        StudentClient(other.url, learner.token()) as tablet,
    ):
        parent = await phone.ask(SKY, **ES)
        await phone.until_shown(60)
        child = await tablet.ask(LOST, about={"session_id": parent["session_id"], "step": 1, "position": 40})
        await phone.until("explanation_paused", step=1, position=40)
        await tablet.until("explanation_start", session_id=child["session_id"])
        assert phone.names[-2:] == ["streaming_paused", "explanation_paused"]
        snapshot = (await tablet.call("get_session", session_id=parent["session_id"]))["session"]
        assert (snapshot["state"], snapshot["step"], snapshot["position"]) == ("paused", 1, 40)
