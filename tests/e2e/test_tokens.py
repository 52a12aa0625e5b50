"""Who may connect and ask, from where, and how much."""

import asyncio
import json
import urllib.error
import urllib.request

import jwt
import pytest
import socketio
import websockets

from tests.client import RawClient, StudentClient
from tests.e2e.conftest import SKY
from tests.server import MakeServer, Server, Student, Template

ES = {"context": {"language": "es"}}


def bad_tokens(learner: Student) -> dict[str, tuple[object, str]]:
    good = learner.token()
    nobody = Student("00000000-0000-4000-8000-000000000000")
    claims = jwt.decode(good, options={"verify_signature": False})
    return {
        "garbage": ("garbage", "unauthorized"),
        "empty parts": ("..", "unauthorized"),
        "number": (7, "unauthorized"),
        "object": ({"a": 1}, "unauthorized"),
        "huge": ("x" * 20_000, "unauthorized"),
        "cut": (good[:-3], "unauthorized"),
        "refresh": (learner.refresh_token(), "unauthorized"),
        "of nobody": (nobody.token(), "unauthorized"),
        "forged": (jwt.encode(claims, "another-key-" + "x" * 32), "unauthorized"),
        "unsigned": (jwt.encode(claims, None, algorithm="none"), "unauthorized"),
        "expired": (learner.token(-5), "token_expired"),
    }


async def test_a_bad_token_is_refused_at_connect_and_in_every_event(daphne: Server, learner: Student) -> None:
    async with RawClient(daphne.url) as open_client:
        for number, (name, (token, code)) in enumerate(bad_tokens(learner).items()):
            async with RawClient(daphne.url, token) as client:  # type: ignore[arg-type]
                assert client.names == ["CONNECT_ERROR"], name
                refused = client.events[0].data
                assert refused["data"] == {"code": code, "message": refused["message"]}, name
                assert refused["message"], name
            (ack,) = await open_client.call("ask_question", {"token": token, "question": SKY}, ack=number)
            assert ack["error"]["code"] == code, name
        for event in ("ask_question", "get_session", "nonsense"):
            (ack,) = await open_client.call(event, {"question": SKY}, ack=100 + len(event))
            assert ack["error"]["code"] == "unauthorized", "no token"
        assert open_client.names.count("error") == len(bad_tokens(learner)) + 3


async def test_the_official_client_hears_why_it_was_refused(daphne: Server) -> None:
    client = StudentClient(daphne.url, "garbage")
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.__aenter__()
    assert client.all("connect_error") == [
        {
            "message": "Please sign in again.",
            "data": {"code": "unauthorized", "message": "Please sign in again."},
        }
    ]


async def test_anothers_token_is_no_token_here(daphne: Server, learner: Student, template: Template) -> None:
    async with StudentClient(daphne.url, learner.token()) as client:
        ack = await client.call("ask_question", token=template.student().token(), question=SKY)
        assert ack["error"]["code"] == "unauthorized"
        assert (await client.call("ask_question", token=learner.token(), question=SKY, **ES))["ok"]


async def test_expiry_pauses_what_plays_and_a_new_token_plays_on(
    daphne: Server, learner: Student, sky: dict[int, str]
) -> None:
    async with StudentClient(daphne.url, learner.token(2)) as client:
        await client.ask(SKY, **ES, speed=0.5)
        told = await client.until("streaming_paused")
        assert told["reason"] == "token_expired"
        at = client.names.index("streaming_paused")
        assert client.events[at - 1].name == "error"
        assert client.events[at - 1].data["code"] == "token_expired"
        await client.until("explanation_paused")
        assert client.place == (told["step"], told["position"])
        assert (await client.call("get_session", {}))["error"]["code"] == "token_expired"
        assert (await client.call("resume_explanation", token=learner.token(-1)))["error"][
            "code"
        ] == "token_expired"

        since = len(client.events)
        fresh = await client.call("set_speed", speed=8, token=learner.token())
        assert fresh["ok"]
        assert (await client.until("streaming_resumed", since=since))["position"] == told["position"]
        await client.until("explanation_complete")
        assert client.text == sky


async def test_a_pause_of_the_student_is_not_ended_by_a_new_token(daphne: Server, learner: Student) -> None:
    async with StudentClient(daphne.url, learner.token(2)) as client:
        await client.ask(SKY, **ES, speed=0.5)
        await client.until("content_chunk")
        await client.call("pause_explanation", {})
        await client.until("error", code="token_expired")
        snapshot = await client.call("get_session", token=learner.token())
        assert snapshot["session"]["state"] == "paused"
        assert "streaming_resumed" not in client.names


async def test_a_newer_token_in_an_event_puts_expiry_off(daphne: Server, learner: Student) -> None:
    async with StudentClient(daphne.url, learner.token(2)) as client:
        await client.ask(SKY, **ES, speed=0.8, token=learner.token())
        await client.until("explanation_complete")
        assert "error" not in client.names


@pytest.fixture(scope="module")
def strict(servers: MakeServer) -> Server:
    """A server with narrow limits."""
    return servers(
        "uvicorn",
        CORS_ALLOWED_ORIGINS="https://school.example",
        MAX_CONNECTIONS_PER_USER=2,
        RATE_LIMIT_ASK="3/hour",
        EVENTS_PER_SECOND=5,
        MAX_STREAMS=2,
    )


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("SAME", True),
        ("https://school.example", True),
        ("https://evil.example", False),
        ("https://school.example.evil.example", False),
        ("null", False),
        ("http://[", False),
    ],
)
@pytest.mark.parametrize("kind", ["strict", "daphne"])
async def test_origins(
    request: pytest.FixtureRequest, kind: str, learner: Student, origin: str | None, allowed: bool
) -> None:
    server: Server = request.getfixturevalue(kind)
    allowed = allowed and (kind == "strict" or origin != "https://school.example")
    headers = {} if origin is None else {"Origin": server.url if origin == "SAME" else origin}

    def poll() -> int:
        asked = urllib.request.Request(f"{server.url}/socket.io/?EIO=4&transport=polling", headers=headers)
        try:
            with urllib.request.urlopen(asked, timeout=5) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code

    assert await asyncio.to_thread(poll) == (200 if allowed else 400)
    client = RawClient(server.url, learner.token(), additional_headers=headers)
    if allowed:
        async with client:
            assert client.names == ["CONNECT"]
    else:
        with pytest.raises((websockets.InvalidStatus, websockets.InvalidMessage)):
            await client.__aenter__()


async def test_too_many_connections_of_one_student(
    strict: Server, learner: Student, template: Template
) -> None:
    async with RawClient(strict.url, learner.token()), RawClient(strict.url, learner.token()) as second:
        async with RawClient(strict.url, learner.token()) as third:
            assert third.names == ["CONNECT_ERROR"]
            assert third.events[0].data["data"]["code"] == "too_many_connections"
        async with RawClient(strict.url) as later:
            (ack,) = await later.call("get_session", {"token": learner.token()}, ack=1)
            assert ack["error"]["code"] == "too_many_connections"
        async with RawClient(strict.url, template.student().token()) as other:
            assert other.names == ["CONNECT"]
        (ack,) = await second.call("get_session", {}, ack=1)
        assert ack["ok"]
    async with RawClient(strict.url, learner.token()) as again:
        assert again.names == ["CONNECT"]


async def test_only_accepted_asks_count_against_the_limit(strict: Server, learner: Student) -> None:
    async with RawClient(strict.url, learner.token()) as client:
        for number in range(5):
            (ack,) = await client.call("ask_question", {"question": "?"}, ack=number)
            assert ack["error"]["code"] == "question_empty"
        for number in range(5, 8):
            (ack,) = await client.call("ask_question", {"question": SKY, **ES}, ack=number)
            assert ack["ok"]
        (ack,) = await client.call("ask_question", {"question": SKY, **ES}, ack=8)
        assert ack["error"]["code"] == "rate_limited"
        error = client.all("error")[-1]
        assert error.keys() == {"code", "message", "retry_after"}
        assert error["retry_after"] > 0
        (ack,) = await client.call("stop_explanation", {}, ack=9)
        assert ack["ok"], "the last accepted one still plays"


async def test_a_flood_of_events_is_refused_event_by_event(strict: Server, learner: Student) -> None:
    async with RawClient(strict.url, learner.token()) as client:
        await client.send(*(f'42{number}["get_session",{{}}]' for number in range(300)))
        acks = [(await client.acknowledged(number))[0] for number in range(300)]
        refused = [ack["error"]["code"] for ack in acks if not ack["ok"]]
        assert set(refused) == {"rate_limited"}
        assert 250 <= len(refused) <= 280, "four seconds' worth may come at once"
        errors = client.all("error")
        assert len(errors) == len(refused)
        assert all(error["retry_after"] > 0 for error in errors)
        assert not client.faults


async def test_a_full_server_refuses_what_would_play_and_nothing_else(
    strict: Server, template: Template
) -> None:
    clients = [RawClient(strict.url, template.student().token()) for _ in range(3)]
    first, second, third = [await client.__aenter__() for client in clients]
    ask = {"question": SKY, "speed": 0.1, **ES}
    for client in (first, second):
        assert (await client.call("ask_question", ask, ack=1))[0]["ok"]
    (busy,) = await third.call("ask_question", ask, ack=1)
    assert busy["error"]["code"] == "server_busy"
    assert (await second.call("ask_question", ask, ack=2))[0]["ok"], "in place of the own one"
    (busy,) = await third.call("ask_question", ask, ack=2)
    assert busy["error"]["code"] == "server_busy"
    await first.call("stop_explanation", {}, ack=2)
    assert (await third.call("ask_question", ask, ack=3))[0]["ok"]
    (busy,) = await first.call("ask_question", ask, ack=3)
    assert busy["error"]["code"] == "server_busy", "a place once given up is another's"
    for client in clients:
        await client.__aexit__(None, None, None)
    assert "retry_after" not in json.dumps(busy)
